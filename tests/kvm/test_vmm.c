// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Tiny hand-assembled guests on the local /dev/kvm: whatever it is, it can run these.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit.h"
#include "vmm/boot.h"
#include "vmm/vmm.h"

/* mov dx, 0x3f8; mov al, 'H'; out; mov al, 'i'; out; hlt */
static const uint8_t hi_real[] = {0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xf4};
static const uint8_t hi_long[] = {0x66, 0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xf4};

START_TEST(real_mode_prints_and_halts)
{
	struct kit_guest guest;
	kit_make(&guest, hi_real, sizeof(hi_real));
	kit_boot_real(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_str_eq(guest.console, "Hi");
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_GUEST_SHUTDOWN);
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(long_mode_prints_and_halts)
{
	struct kit_guest guest;
	kit_make(&guest, hi_long, sizeof(hi_long));
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_str_eq(guest.console, "Hi");
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_GUEST_SHUTDOWN);
	ck_assert_uint_gt(avd__vm_cpu_ns(guest.vm), 0);
	avd__vm_free(guest.vm);
}
END_TEST

/* mov dx, 0x2f8; mov esi, 0x10000; mov ecx, 60000; rep outsb; hlt: more than the box, since it
 * is sent five times. */
static const uint8_t burst[] = {0xbb, 0x05, 0x00, 0x00, 0x00, /* mov ebx, 5 */
				0x66, 0xba, 0xf8, 0x02, /* again: mov dx, 0x2f8 */
				0xbe, 0x00, 0x00, 0x01, 0x00, /* mov esi, KIT_ENTRY */
				0xb9, 0x60, 0xea, 0x00, 0x00, /* mov ecx, 60000 */
				0xf3, 0x6e, /* rep outsb */
				0xff, 0xcb, 0x75, 0xec, 0xf4}; /* dec ebx; jnz again; hlt */

START_TEST(string_output_loses_nothing)
{
	struct kit_guest guest;
	kit_make(&guest, burst, sizeof(burst));
	uint8_t sum = 0;
	for (size_t i = 0; i < 60000; i++) {
		if (i >= sizeof(burst))
			guest.vm->memory[KIT_ENTRY + i] = (uint8_t)(i * 7);
		sum = (uint8_t)(sum + guest.vm->memory[KIT_ENTRY + i]);
	}
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.channel_len, 300000);
	ck_assert_uint_eq(guest.channel_sum, (uint8_t)(sum * 5));
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(triple_fault_is_told)
{
	static const uint8_t ud2[] = {0x0f, 0x0b}; /* no interrupt table: #UD, #DF, shutdown */
	struct kit_guest guest;
	kit_make(&guest, ud2, sizeof(ud2));
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_TRIPLE_FAULT);
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(reset_and_power_off_are_told_apart)
{
	/* mov al, 0xfe; out 0x64, al; jmp $ */
	static const uint8_t reset[] = {0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe};
	/* mov dx, 0x600; mov al, 0x34; out; jmp $ */
	static const uint8_t power_off[] = {0x66, 0xba, 0x00, 0x06, 0xb0, 0x34, 0xee, 0xeb, 0xfe};
	struct kit_guest guest;
	kit_make(&guest, reset, sizeof(reset));
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_GUEST_RESET);
	avd__vm_free(guest.vm);
	kit_make(&guest, power_off, sizeof(power_off));
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_GUEST_SHUTDOWN);
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(endless_loop_is_stopped)
{
	static const uint8_t loop[] = {0xeb, 0xfe};
	struct kit_guest guest;
	kit_make(&guest, loop, sizeof(loop));
	kit_boot_long(&guest);
	ck_assert(!kit_finish(&guest, 50));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_WATCHDOG);
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(a_guest_that_nobody_reads_can_be_stopped)
{
	struct kit_guest guest;
	kit_make(&guest, burst, sizeof(burst));
	kit_boot_long(&guest);
	/* The vCPU waits for room in the box by now or soon; both must end. */
	avd__vm_stop(guest.vm, AVD_END_HOST_STOP, "enough");
	avd__vm_join(guest.vm);
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_HOST_STOP);
	ck_assert_str_eq(guest.vm->end.detail, "enough");
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(the_probe_answers)
{
	struct avd__error error = {0};
	const int r = avd__vmm_probe(&avd__kvm_system, &error);
	ck_assert(r == 0 || r == -ENOTSUP);
	ck_assert(r == 0 || strlen(error.text) > 0);
	printf("probe: %s\n", r ? error.text : "can run a stock kernel");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm");
	TCase *tc = tcase_create("vmm");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_test(tc, real_mode_prints_and_halts);
	tcase_add_test(tc, long_mode_prints_and_halts);
	tcase_add_test(tc, string_output_loses_nothing);
	tcase_add_test(tc, triple_fault_is_told);
	tcase_add_test(tc, reset_and_power_off_are_told_apart);
	tcase_add_test(tc, endless_loop_is_stopped);
	tcase_add_test(tc, a_guest_that_nobody_reads_can_be_stopped);
	tcase_add_test(tc, the_probe_answers);
	suite_add_tcase(suite, tc);
	return kit_main(suite, false);
}
