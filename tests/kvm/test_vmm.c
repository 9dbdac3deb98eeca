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

/* What the guest wrote right before it died is the host's. The first GiB alone is mapped, so the
 * window stands at its page through the last entry of the page directory. */
START_TEST(the_window_outlives_a_triple_fault)
{
	/* mov dword [0x3fe01000], "!iHa"; mov qword [0x3fe00040], 4; ud2 */
	static const uint8_t code[] = {0xc7, 0x04, 0x25, 0x00, 0x10, 0xe0, 0x3f, 'a',  'H',
				       'i',  '!',  0x48, 0xc7, 0x04, 0x25, 0x40, 0x00, 0xe0,
				       0x3f, 0x04, 0x00, 0x00, 0x00, 0x0f, 0x0b};
	struct kit_guest guest;
	struct avd__error error = {0};
	kit_make(&guest, code, sizeof(code));
	ck_assert_int_eq(avd__vm_add_window(guest.vm, &error), 0);
	avd__boot_tables(guest.vm->memory);
	uint64_t *pd = (uint64_t *)(void *)(guest.vm->memory + AVD__BOOT_PD);
	pd[511] = AVD__WINDOW_ADDRESS | 0x83;
	ck_assert_int_eq(avd__vm_set_boot(guest.vm, KIT_ENTRY, &error), 0);
	ck_assert_int_eq(avd__vm_start(guest.vm, &error), 0);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_TRIPLE_FAULT);
	char bytes[16];
	ck_assert_uint_eq(avd__window_take(&guest.vm->window, bytes, sizeof(bytes)), 4);
	ck_assert_mem_eq(bytes, "aHi!", 4);
	avd__vm_free(guest.vm);
}
END_TEST

START_TEST(many_machines_leave_nothing)
{
	struct kit_guest guest;
	kit_make(&guest, hi_long,
		 sizeof(hi_long)); /* what is set up once, a sanitizer's thread too, is */
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	avd__vm_free(guest.vm);
	const size_t fds = kit_count_entries("/proc/self/fd");
	const size_t threads = kit_count_entries("/proc/self/task");
	for (int i = 0; i < 64; i++) {
		kit_make(&guest, hi_long, sizeof(hi_long));
		kit_boot_long(&guest);
		ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
		ck_assert_str_eq(guest.console, "Hi");
		avd__vm_free(guest.vm);
	}
	static struct kit_guest eight[8];
	for (size_t i = 0; i < 8; i++) {
		kit_make(&eight[i], hi_long, sizeof(hi_long));
		kit_boot_long(&eight[i]);
	}
	for (size_t i = 0; i < 8; i++) {
		ck_assert(kit_finish(&eight[i], KIT_DEADLINE_MS));
		ck_assert_str_eq(eight[i].console, "Hi");
		avd__vm_free(eight[i].vm);
	}
	ck_assert_uint_eq(kit_count_entries("/proc/self/fd"), fds);
	/* A thread can be joined a moment before the kernel has taken its entry away. */
	const uint64_t end = avd__now_ns() + KIT_DEADLINE_MS * UINT64_C(1000000);
	while (kit_count_entries("/proc/self/task") > threads && avd__now_ns() < end)
		sched_yield();
	ck_assert_uint_eq(kit_count_entries("/proc/self/task"), threads);
}
END_TEST

/* Fails the call with this number, counted over all kinds. */
struct faulty {
	int calls, fail_at;
	int maps;
};

static int faulty_open(void *userdata, const char *path)
{
	struct faulty *faulty = userdata;
	return ++faulty->calls == faulty->fail_at ? -EACCES : avd__kvm_system.open(NULL, path);
}

static int faulty_ioctl(void *userdata, int fd, unsigned long request, void *argument)
{
	struct faulty *faulty = userdata;
	return ++faulty->calls == faulty->fail_at
		       ? -EIO
		       : avd__kvm_system.ioctl(NULL, fd, request, argument);
}

static int faulty_map(void *userdata, int fd, size_t size, void **ret_memory)
{
	struct faulty *faulty = userdata;
	if (++faulty->calls == faulty->fail_at)
		return -ENOMEM;
	const int r = avd__kvm_system.map(NULL, fd, size, ret_memory);
	faulty->maps += r == 0;
	return r;
}

static void faulty_unmap(void *userdata, void *memory, size_t size)
{
	struct faulty *faulty = userdata;
	faulty->maps--;
	avd__kvm_system.unmap(NULL, memory, size);
}

/* With interrupt chips, as for a kernel, or without. */
static void fail_each_call(bool irqchip)
{
	const size_t fds = kit_count_entries("/proc/self/fd");
	for (int at = 1;; at++) {
		struct faulty faulty = {.fail_at = at};
		const struct avd__kvm_sys sys = {.open = faulty_open,
						 .ioctl = faulty_ioctl,
						 .map = faulty_map,
						 .unmap = faulty_unmap,
						 .userdata = &faulty};
		struct avd__error error = {0};
		struct avd__vm *vm = NULL;
		int r = kit_vm(&sys, 2, irqchip, &vm, &error);
		if (r == 0)
			r = avd__vm_add_window(vm, &error);
		if (r == 0) {
			avd__boot_tables(vm->memory);
			static const uint8_t halt[] = {0xf4};
			memcpy(vm->memory + KIT_ENTRY, halt, sizeof(halt));
			r = avd__vm_set_boot(vm, KIT_ENTRY, &error);
		}
		avd__vm_free(vm);
		ck_assert_int_eq(faulty.maps, 0);
		ck_assert_uint_eq(kit_count_entries("/proc/self/fd"), fds);
		if (faulty.calls < at) {
			ck_assert_int_eq(r, 0);
			ck_assert_int_gt(at, 15); /* it was about something */
			break;
		}
		ck_assert_int_lt(r, 0);
		ck_assert_str_ne(error.text, "");
	}
}

START_TEST(each_call_that_fails_is_told_and_leaves_nothing)
{
	fail_each_call(false);
	fail_each_call(true);
}
END_TEST

START_TEST(a_failing_run_is_a_vcpu_error)
{
	struct kit_guest guest;
	kit_make(&guest, hi_long, sizeof(hi_long));
	struct faulty faulty = {.fail_at =
					4}; /* two to set up, then KVM_RUN comes first or second */
	const struct avd__kvm_sys sys = {.open = faulty_open,
					 .ioctl = faulty_ioctl,
					 .map = faulty_map,
					 .unmap = faulty_unmap,
					 .userdata = &faulty};
	guest.vm->sys = &sys;
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_VCPU_ERROR);
	ck_assert_msg(strstr(guest.vm->end.detail, "KVM_RUN"), "%s", guest.vm->end.detail);
	guest.vm->sys = &avd__kvm_system;
	avd__vm_free(guest.vm);
}
END_TEST

/* KVM gives up on the first instruction, with or without the bytes that it fetched. */
struct giving_up {
	struct kvm_run *run;
	uint8_t fetched;
};

static int giving_up_ioctl(void *userdata, int fd, unsigned long request, void *argument)
{
	const struct giving_up *why = userdata;
	if (request != KVM_RUN)
		return avd__kvm_system.ioctl(NULL, fd, request, argument);
	why->run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	why->run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	why->run->emulation_failure.ndata = 4;
	why->run->emulation_failure.flags =
		why->fetched ? KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES : 0;
	why->run->emulation_failure.insn_size = why->fetched;
	why->run->emulation_failure.insn_bytes[0] = 0xf1;
	why->run->internal.data[3] = 0x7c;
	return 0;
}

START_TEST(an_instruction_that_kvm_cannot_emulate_is_shown)
{
	static const char *const code[] = {", code 66 ba f8 03 b0 48 ee b0 69 ee f4 ",
					   ", code fetched by KVM f1;"};
	struct kit_guest guest;
	kit_make(&guest, hi_long, sizeof(hi_long));
	struct giving_up why = {.run = guest.vm->vcpus[0].run, .fetched = (uint8_t)_i};
	struct avd__kvm_sys sys = avd__kvm_system;
	sys.ioctl = giving_up_ioctl;
	sys.userdata = &why;
	guest.vm->sys = &sys;
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	const char *detail = guest.vm->end.detail;
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_VCPU_ERROR);
	ck_assert_msg(strstr(detail, "vCPU 0: KVM's internal error 1 (it can't emulate an "
				     "instruction) at rip 0x10000, code "),
		      "%s", detail);
	ck_assert_msg(strstr(detail, code[_i]), "%s", detail);
	ck_assert_msg(strstr(detail, " cr3 0x9000 "), "%s", detail);
	ck_assert_msg(strstr(detail, "; KVM's data "), "%s", detail);
	ck_assert_msg(strstr(detail, " 0x7c"), "%s", detail);
	guest.vm->sys = &avd__kvm_system;
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
	if (!kit_has_kvm())
		return KIT_SKIP;
	Suite *suite = suite_create("vmm");
	TCase *tc = tcase_create("vmm");
	tcase_set_timeout(tc, 240);
	tcase_add_test(tc, real_mode_prints_and_halts);
	tcase_add_test(tc, long_mode_prints_and_halts);
	tcase_add_test(tc, string_output_loses_nothing);
	tcase_add_test(tc, triple_fault_is_told);
	tcase_add_test(tc, reset_and_power_off_are_told_apart);
	tcase_add_test(tc, endless_loop_is_stopped);
	tcase_add_test(tc, a_guest_that_nobody_reads_can_be_stopped);
	tcase_add_test(tc, a_doorbell_storm_costs_no_exits);
	tcase_add_test(tc, the_window_outlives_a_triple_fault);
	tcase_add_test(tc, many_machines_leave_nothing);
	tcase_add_test(tc, each_call_that_fails_is_told_and_leaves_nothing);
	tcase_add_test(tc, a_failing_run_is_a_vcpu_error);
	tcase_add_loop_test(tc, an_instruction_that_kvm_cannot_emulate_is_shown, 0, 2);
	tcase_add_test(tc, the_probe_answers);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
