// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Calls that fail: each is told, and nothing is left behind. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "vmm/boot.h"
#include "vmm/vmm.h"

/* mov dx, 0x3f8; mov al, 'H'; out; mov al, 'i'; out; hlt */
static const uint8_t hi_long[] = {0x66, 0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xf4};

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

/* KVM_RUN fails, and then one more of the calls that ask what the vCPU was doing. */
struct failing_after {
	unsigned long also;
};

static int failing_after_ioctl(void *userdata, int fd, unsigned long request, void *argument)
{
	const struct failing_after *failing = userdata;
	if (request == KVM_RUN || request == failing->also)
		return -EIO;
	return avd__kvm_system.ioctl(NULL, fd, request, argument);
}

START_TEST(a_report_that_fails_is_still_a_report)
{
	static const unsigned long requests[] = {KVM_GET_REGS, KVM_GET_SREGS, KVM_TRANSLATE,
						 KVM_GET_VCPU_EVENTS};
	struct kit_guest guest;
	kit_make(&guest, hi_long, sizeof(hi_long));
	struct failing_after failing = {0};
	struct avd__kvm_sys sys = avd__kvm_system;
	sys.ioctl = failing_after_ioctl;
	sys.userdata = &failing;
	struct avd__error error = {0};
	avd__boot_tables(guest.vm->memory);
	ck_assert_int_eq(avd__vm_set_boot(guest.vm, KIT_ENTRY, &error), 0);
	guest.vm->sys = &sys;
	failing.also = requests[_i];
	ck_assert_int_eq(avd__vm_start(guest.vm, &error), 0);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_VCPU_ERROR);
	ck_assert_msg(strstr(guest.vm->end.detail, "vCPU 0: KVM_RUN: Input/output error"), "%s",
		      guest.vm->end.detail);
	guest.vm->sys = &avd__kvm_system;
	avd__vm_free(guest.vm);
}
END_TEST

/* The linker leads pthread_create() here (meson.build). */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument);
static int fail_thread; /* from 1; 0: none */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument)
{
	if (fail_thread && --fail_thread == 0)
		return EAGAIN;
	return __real_pthread_create(thread, attributes, start, argument);
}

/* With a sandbox and without; the first, the second and the third of three threads. */
START_TEST(a_thread_that_cannot_start_is_told)
{
	static const uint8_t loop[] = {0xeb, 0xfe};
	const bool sandbox = _i % 2;
	if (sandbox && avd__sandbox_missing())
		return;
	const size_t fds = kit_count_entries("/proc/self/fd");
	struct avd__error error = {0};
	struct avd__vm *vm = NULL;
	ck_assert_int_eq(kit_vm(&avd__kvm_system, 3, true, &vm, &error), 0);
	memcpy(vm->memory + KIT_ENTRY, loop, sizeof(loop));
	avd__boot_tables(vm->memory);
	ck_assert_int_eq(avd__vm_set_boot(vm, KIT_ENTRY, &error), 0);
	if (sandbox)
		ck_assert_int_eq(avd__vm_confine(vm, 0, 0, &error), 0);
	fail_thread = 1 + _i / 2;
	ck_assert_int_eq(avd__vm_start(vm, &error), -EAGAIN);
	ck_assert_msg(strstr(error.text, "cannot start a thread for each vCPU"), "%s", error.text);
	ck_assert_uint_eq(vm->end.cause, AVD_END_SPAWN_ERROR);
	ck_assert_uint_eq(atomic_load(&vm->running), 0);
	avd__vm_free(vm);
	ck_assert_uint_eq(kit_count_entries("/proc/self/fd"), fds);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-faults");
	TCase *tc = tcase_create("vmm-faults");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_test(tc, each_call_that_fails_is_told_and_leaves_nothing);
	tcase_add_test(tc, a_failing_run_is_a_vcpu_error);
	tcase_add_loop_test(tc, an_instruction_that_kvm_cannot_emulate_is_shown, 0, 2);
	tcase_add_loop_test(tc, a_report_that_fails_is_still_a_report, 0, 4);
	tcase_add_loop_test(tc, a_thread_that_cannot_start_is_told, 0, 6);
	suite_add_tcase(suite, tc);
	return kit_main(suite, false);
}
