// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* No rule of the vCPU threads' sandbox is superfluous. */
#include <check.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"
#include "vmm/boot.h"
#include "vmm/vmm.h"

static const uint8_t loop[] = {0xeb, 0xfe};
static const uint8_t halt[] = {0xf4};

/*
 * The scenarios that need each of the rules. They run in a process of their own whose filter kills
 * it all, so that a thread's last calls count, too. What is not as it should be exits with a
 * number.
 */
#define SOUND 0
#define NO_MACHINE 90

static struct avd__vm *machine(const struct avd__kvm_sys *sys, uint32_t cpus, const void *code,
			       size_t size, size_t without)
{
	struct avd__error error = {0};
	struct avd__vm *vm;
	if (kit_vm(sys, cpus, false, &vm, &error) < 0 ||
	    avd__vm_confine(vm, SCMP_ACT_KILL_PROCESS, without, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		_exit(NO_MACHINE);
	}
	memcpy(vm->memory + KIT_ENTRY, code, size);
	avd__boot_tables(vm->memory);
	if (avd__vm_set_boot(vm, KIT_ENTRY, &error) < 0)
		_exit(NO_MACHINE);
	return vm;
}

static void start(struct avd__vm *vm)
{
	struct avd__error error = {0};
	if (avd__vm_start(vm, &error) < 0)
		_exit(NO_MACHINE);
}

/* mov dx, 0x3f8; mov esi, KIT_ENTRY; mov ecx, 200; rep outsb; hlt */
static const uint8_t burst[] = {0x66, 0xba, 0xf8, 0x03, 0xbe, 0x00, 0x00, 0x01, 0x00,
				0xb9, 0xc8, 0x00, 0x00, 0x00, 0xf3, 0x6e, 0xf4};
#define BURST_BYTES 200u
#define ROOM_BYTES 100u

/* A console with its interrupt line, and a box that fills up: the vCPU's thread must wait. */
static int full_box(size_t without)
{
	static uint8_t bytes[AVD__OUTBOX_SIZE];
	struct avd__vm *vm = machine(&avd__kvm_system, 1, burst, sizeof(burst), without);
	vm->irqchip = true; /* as far as the console knows; KVM says no to the line, no matter */
	vm->console.state.ier = 2;
	vm->ioapic.state.pins[0] = 0x31; /* unmasked */
	avd__outbox_put(&vm->console_box, bytes, AVD__OUTBOX_SIZE - ROOM_BYTES);
	start(vm);
	for (size_t len = 0; len < AVD__OUTBOX_SIZE; sched_yield()) {
		avd__lock(&vm->console_box.lock);
		len = vm->console_box.len;
		avd__unlock(&vm->console_box.lock);
	}
	size_t len = 0;
	while (atomic_load(&vm->running))
		len += avd__outbox_take(&vm->console_box, bytes, sizeof(bytes));
	avd__vm_join(vm);
	len += avd__outbox_take(&vm->console_box, bytes, sizeof(bytes));
	const bool ok = len == AVD__OUTBOX_SIZE - ROOM_BYTES + BURST_BYTES &&
			vm->end.cause == AVD_END_GUEST_SHUTDOWN;
	avd__vm_free(vm);
	return ok ? SOUND : 11;
}

/* again: cmp byte [0x11000], 0; je again; hlt */
static const uint8_t wait_halt[] = {0x80, 0x3c, 0x25, 0x00, 0x10, 0x01,
				    0x00, 0x00, 0x74, 0xf6, 0xf4};
/* mov byte [0x11000], 1; jmp $ */
static const uint8_t tell_loop[] = {0xc6, 0x04, 0x25, 0x00, 0x10, 0x01, 0x00, 0x01, 0xeb, 0xfe};

/* One vCPU ends the machine once the other one, which nothing but a signal gets out of KVM_RUN, is
 * in there. */
static int two_cpus(size_t without)
{
	struct avd__vm *vm = machine(&avd__kvm_system, 2, wait_halt, sizeof(wait_halt), without);
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct avd__error error = {0};
	memcpy(vm->memory + KIT_ENTRY + 16, tell_loop, sizeof(tell_loop));
	if (AVD__KVM_IOCTL(vm->sys, vm->vcpus[0].fd, KVM_GET_SREGS, &sregs, &error) < 0 ||
	    AVD__KVM_IOCTL(vm->sys, vm->vcpus[0].fd, KVM_GET_REGS, &regs, &error) < 0)
		return 21;
	regs.rip += 16;
	if (AVD__KVM_IOCTL(vm->sys, vm->vcpus[1].fd, KVM_SET_SREGS, &sregs, &error) < 0 ||
	    AVD__KVM_IOCTL(vm->sys, vm->vcpus[1].fd, KVM_SET_REGS, &regs, &error) < 0)
		return 22;
	start(vm);
	avd__vm_join(vm);
	const int ok = vm->end.cause == AVD_END_GUEST_SHUTDOWN;
	avd__vm_free(vm);
	return ok ? SOUND : 23;
}

static int failing_ioctl(void *userdata, int fd, unsigned long request, void *argument)
{
	(void)userdata;
	return request == KVM_RUN ? -EIO : avd__kvm_system.ioctl(NULL, fd, request, argument);
}

/* KVM_RUN fails: registers and code are read for the report. */
static int failing_run(size_t without)
{
	struct avd__kvm_sys sys = avd__kvm_system;
	sys.ioctl = failing_ioctl;
	struct avd__vm *vm = machine(&sys, 1, halt, sizeof(halt), without);
	start(vm);
	avd__vm_join(vm);
	const int ok = vm->end.cause == AVD_END_VCPU_ERROR && strstr(vm->end.detail, "rip 0x1000");
	avd__vm_free(vm);
	return ok ? SOUND : 31;
}

/* The caller changes who it is, to what it is already, while a vCPU is in KVM_RUN. */
static int change_ids(size_t without)
{
	gid_t groups[64];
	const int count = getgroups(64, groups);
	struct avd__vm *vm = machine(&avd__kvm_system, 1, loop, sizeof(loop), without);
	start(vm);
	bool ok = setuid(geteuid()) == 0 && setgid(getegid()) == 0;
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	ok &= setreuid(uid, uid) == 0 && setregid(gid, gid) == 0;
	ok &= setresuid(uid, uid, uid) == 0 && setresgid(gid, gid, gid) == 0;
	/* Without the right to, libc asks no other thread. */
	ok &= count >= 0 && (setgroups((size_t)count, groups) == 0 || errno == EPERM);
	avd__vm_free(vm);
	return ok ? SOUND : 41;
}

static int (*const scenarios[])(size_t without) = {full_box, two_cpus, failing_run, change_ids};

/* How all the scenarios in a row ended: a wait status. */
static int run_scenarios(size_t without)
{
	int status;
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int bad = SOUND;
		for (size_t i = 0; bad == SOUND && i < AVD__ARRAY_SIZE(scenarios); i++)
			bad = scenarios[i](without);
		_exit(bad);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(with_all_rules_the_scenarios_pass)
{
	const int status = run_scenarios(0);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == SOUND, "wait status %#x",
		      (unsigned int)status);
}
END_TEST

START_TEST(each_rule_is_needed)
{
	const size_t number = (size_t)_i;
	const char *name = avd__sandbox_rule_name(number);
	if (strcmp(name, "setgroups") == 0 && geteuid() != 0) {
		printf("not tried: %s needs root\n", name);
		return;
	}
	const int status = run_scenarios(number);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
		      "without the rule for %s the wait status is %#x: nobody needs it", name,
		      (unsigned int)status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox-rules");
	TCase *tc = tcase_create("sandbox-rules");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_test(tc, with_all_rules_the_scenarios_pass);
	tcase_add_loop_test(tc, each_rule_is_needed, 1, (int)avd__sandbox_rules() + 1);
	suite_add_tcase(suite, tc);
	return kit_main(suite, true);
}
