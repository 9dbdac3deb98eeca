// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The window, written to by real guests: lossless, cheap, and nothing in it is believed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "vmm/boot.h"

/* Where the guests here have the window: the first GiB alone is mapped, and the last entry of its
 * page directory leads there. */
#define MAPPED_AT 0x3fe00000u

static void boot_with_window(struct kit_guest *guest, const void *code, size_t size)
{
	struct avd__error error = {0};
	kit_make(guest, code, size);
	ck_assert_int_eq(avd__vm_add_window(guest->vm, &error), 0);
	avd__boot_tables(guest->vm->memory);
	uint64_t *pd = (uint64_t *)(void *)(guest->vm->memory + AVD__BOOT_PD);
	pd[511] = AVD__WINDOW_ADDRESS | 0x83;
	ck_assert_int_eq(avd__vm_set_boot(guest->vm, KIT_ENTRY, &error), 0);
	ck_assert_int_eq(avd__vm_start(guest->vm, &error), 0);
}

/* mov ebx, 100000; mov dx, 0x620; again: out dx, al; dec ebx; jnz again; hlt */
static const uint8_t storm[] = {0xbb, 0xa0, 0x86, 0x01, 0x00, 0x66, 0xba, 0x20,
				0x06, 0xee, 0xff, 0xcb, 0x75, 0xfb, 0xf4};

START_TEST(a_doorbell_storm_costs_no_exits)
{
	struct kit_guest guest;
	struct avd__error error = {0};
	kit_make(&guest, storm, sizeof(storm));
	ck_assert_int_eq(avd__vm_add_window(guest.vm, &error), 0);
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_GUEST_SHUTDOWN);
	ck_assert_uint_lt(atomic_load(&guest.vm->vcpus[0].exits[AVD__EXIT_IO]), 100);
	avd__vm_free(guest.vm);
}
END_TEST

/* What the guest wrote right before it died is the host's. */
START_TEST(the_window_outlives_a_triple_fault)
{
	/* mov dword [0x3fe01000], "!iHa"; mov qword [0x3fe00040], 4; ud2 */
	static const uint8_t code[] = {0xc7, 0x04, 0x25, 0x00, 0x10, 0xe0, 0x3f, 'a',  'H',
				       'i',  '!',  0x48, 0xc7, 0x04, 0x25, 0x40, 0x00, 0xe0,
				       0x3f, 0x04, 0x00, 0x00, 0x00, 0x0f, 0x0b};
	struct kit_guest guest;
	boot_with_window(&guest, code, sizeof(code));
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_TRIPLE_FAULT);
	char bytes[16];
	ck_assert_uint_eq(avd__window_take(&guest.vm->window, bytes, sizeof(bytes)), 4);
	ck_assert_mem_eq(bytes, "aHi!", 4);
	avd__vm_free(guest.vm);
}
END_TEST

/* mov rax, VALUE; mov [MAPPED_AT + OFFSET], rax; hlt */
static size_t assemble_store(uint8_t *code, uint32_t offset, uint64_t value)
{
	const uint32_t address = MAPPED_AT + offset;
	static const uint8_t store[] = {0x48, 0x89, 0x04, 0x25};
	code[0] = 0x48;
	code[1] = 0xb8;
	memcpy(code + 2, &value, sizeof(value));
	memcpy(code + 10, store, sizeof(store));
	memcpy(code + 14, &address, sizeof(address));
	code[18] = 0xf4;
	return 19;
}

#define PUT_AT offsetof(struct avd__window_head, put)
#define TAKEN_AT offsetof(struct avd__window_head, taken)

/* The guest's own position, as no honest guest has it. */
START_TEST(hostile_positions_break_the_window)
{
	static const uint64_t puts[] = {
		AVD__WINDOW_DATA_SIZE + 1,     AVD__WINDOW_SIZE, UINT32_MAX, UINT64_C(1) << 63,
		UINT64_MAX - AVD__WINDOW_SIZE, UINT64_MAX};
	static uint8_t bytes[2 * AVD__WINDOW_SIZE];
	for (size_t i = 0; i < AVD__ARRAY_SIZE(puts); i++) {
		struct kit_guest guest;
		uint8_t code[32];
		boot_with_window(&guest, code, assemble_store(code, PUT_AT, puts[i]));
		ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
		ck_assert_uint_eq(guest.vm->end.cause, AVD_END_GUEST_SHUTDOWN);
		/* One byte that is no frame, so that the stream does not look whole; then no more.
		 */
		ck_assert_uint_eq(avd__window_take(&guest.vm->window, bytes, sizeof(bytes)), 1);
		ck_assert(guest.vm->window.broken);
		ck_assert_uint_eq(avd__window_take(&guest.vm->window, bytes, sizeof(bytes)), 0);
		ck_assert_uint_eq(guest.vm->window.taken, 0);
		avd__vm_free(guest.vm);
	}
}
END_TEST

/* A full ring is no lie; what the guest makes of the host's own words is not looked at. */
START_TEST(other_words_are_not_believed)
{
	static const struct {
		uint32_t offset;
		uint64_t value;
	} stores[] = {
		{TAKEN_AT, UINT64_MAX},
		{TAKEN_AT, 1},
		{offsetof(struct avd__window_head, magic), 0},
		{offsetof(struct avd__window_head, data_at), UINT64_MAX},
	};
	static uint8_t bytes[2 * AVD__WINDOW_SIZE];
	for (size_t i = 0; i < AVD__ARRAY_SIZE(stores); i++) {
		struct kit_guest guest;
		uint8_t code[64];
		/* Two stores in a row: the first one's halt is overwritten. */
		const size_t first = assemble_store(code, stores[i].offset, stores[i].value) - 1;
		const size_t size =
			first + assemble_store(code + first, PUT_AT, AVD__WINDOW_DATA_SIZE);
		boot_with_window(&guest, code, size);
		ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
		ck_assert_uint_eq(avd__window_take(&guest.vm->window, bytes, sizeof(bytes)),
				  AVD__WINDOW_DATA_SIZE);
		ck_assert(!guest.vm->window.broken);
		ck_assert_uint_eq(guest.vm->window.taken, AVD__WINDOW_DATA_SIZE);
		avd__vm_free(guest.vm);
	}
}
END_TEST

/* mov rax, STEP; again: add [MAPPED_AT + PUT_AT], rax; out 0x80, al; jmp again: the position runs
 * while the host takes, for as long as the host takes part. */
START_TEST(a_running_position_stays_bounded)
{
	static const uint32_t steps[] = {1, 4095, AVD__WINDOW_DATA_SIZE / 2, AVD__WINDOW_DATA_SIZE};
	static uint8_t bytes[1u << 16];
	for (size_t i = 0; i < AVD__ARRAY_SIZE(steps); i++) {
		struct kit_guest guest;
		uint8_t code[] = {0x48, 0xc7, 0xc0, 0,	  0,	0,    0,    0x48, 0x01, 0x04,
				  0x25, 0x40, 0x00, 0xe0, 0x3f, 0xe6, 0x80, 0xeb, 0xf4};
		memcpy(code + 3, &steps[i], sizeof(steps[i]));
		_Static_assert(PUT_AT == 0x40, "as the code has it");
		boot_with_window(&guest, code, sizeof(code));
		uint64_t total = 0;
		while (!guest.vm->window.broken && total < 64 * sizeof(bytes) &&
		       atomic_load(&guest.vm->running)) {
			const size_t n = avd__window_take(&guest.vm->window, bytes, sizeof(bytes));
			ck_assert_uint_le(n, sizeof(bytes));
			total += n;
			if (steps[i] == 1 && total > 100)
				break;
		}
		ck_assert_uint_eq(atomic_load(&guest.vm->running), 1);
		ck_assert_uint_gt(total, 0);
		avd__vm_free(guest.vm);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-window");
	TCase *tc = tcase_create("vmm-window");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_test(tc, a_doorbell_storm_costs_no_exits);
	tcase_add_test(tc, the_window_outlives_a_triple_fault);
	tcase_add_test(tc, hostile_positions_break_the_window);
	tcase_add_test(tc, other_words_are_not_believed);
	tcase_add_test(tc, a_running_position_stays_bounded);
	suite_add_tcase(suite, tc);
	return kit_main(suite, false);
}
