// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The sandbox of the vCPUs' threads: it bites, no rule of it is superfluous, and the rest of the
 * process stays as it was. What a vCPU's thread asks of KVM goes through a table (vmm/kvm.h), so a
 * test can do in that thread whatever it likes.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"
#include "vmm/boot.h"

static const uint8_t loop[] = {0xeb, 0xfe};
static const uint8_t halt[] = {0xf4};

/* What the thread of vCPU 0 does in place of its second KVM_RUN, or 0: nothing. */
static void (*deed)(void);
static _Atomic int done_deeds;
static int runs;

static int ioctl_with_deed(void *userdata, int fd, unsigned long request, void *argument)
{
	(void)userdata;
	if (request == KVM_RUN && deed && runs++ == 1) {
		deed();
		atomic_fetch_add(&done_deeds, 1); /* it survived */
		return -EIO;
	}
	return avd__kvm_system.ioctl(NULL, fd, request, argument);
}

static struct avd__kvm_sys sys_with_deed(void)
{
	struct avd__kvm_sys sys = avd__kvm_system;
	sys.ioctl = ioctl_with_deed;
	return sys;
}

/* mov dx, 0x3f8; mov al, 'x'; out; jmp $: KVM_RUN returns once, then stays in. */
static const uint8_t one_exit[] = {0x66, 0xba, 0xf8, 0x03, 0xb0, 'x', 0xee, 0xeb, 0xfe};

static void do_open(void)
{
	syscall(SYS_open, "/etc/passwd", O_RDONLY);
}

static void do_openat(void)
{
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void do_socket(void)
{
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void do_execve(void)
{
	char *none[] = {NULL};
	syscall(SYS_execve, "/bin/true", none, none);
}

static void do_ptrace(void)
{
	syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static void do_clone(void)
{
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
		_exit(0);
}

static void do_map(void)
{
	syscall(SYS_mmap, NULL, 4096L, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
}

static void do_protect(void)
{
	syscall(SYS_mprotect, NULL, 0L, PROT_READ | PROT_EXEC);
}

static void do_read(void)
{
	char byte;
	syscall(SYS_read, 0, &byte, 0L);
}

static void do_write_elsewhere(void)
{
	syscall(SYS_write, 1, "12345678", 8L);
}

static void do_kill_caller(void)
{
	syscall(SYS_kill, getppid(), 0);
}

static void do_other_signal(void)
{
	syscall(SYS_tgkill, getpid(), getpid(), SIGTERM);
}

static void do_other_process(void)
{
	syscall(SYS_tgkill, 1, 1, SIGRTMIN);
}

static void do_exit_group(void)
{
	syscall(SYS_exit_group, 3);
}

static void do_other_request(void)
{
	syscall(SYS_ioctl, 0, KVM_CREATE_VM, 0L);
}

static void do_set_registers(void)
{
	struct kvm_regs regs = {0};
	syscall(SYS_ioctl, 0, KVM_SET_REGS, &regs);
}

static void do_terminal(void)
{
	syscall(SYS_ioctl, 0, TIOCSTI, "x");
}

static void do_close(void)
{
	syscall(SYS_close, 0);
}

static void do_free_memory(void)
{
	syscall(SYS_madvise, NULL, 0L, MADV_REMOVE);
}

/* The 32-bit table has other numbers; 20 is getpid there, writev in ours. */
static void do_old_call(void)
{
	long r = 20;
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
}

static const struct {
	const char *name;
	void (*deed)(void);
} forbidden[] = {
	{"open", do_open},
	{"openat", do_openat},
	{"socket", do_socket},
	{"execve", do_execve},
	{"ptrace", do_ptrace},
	{"clone", do_clone},
	{"mmap", do_map},
	{"mprotect", do_protect},
	{"read", do_read},
	{"write to another descriptor", do_write_elsewhere},
	{"kill", do_kill_caller},
	{"tgkill with another signal", do_other_signal},
	{"tgkill of another process", do_other_process},
	{"exit_group", do_exit_group},
	{"ioctl KVM_CREATE_VM", do_other_request},
	{"ioctl KVM_SET_REGS", do_set_registers},
	{"ioctl TIOCSTI", do_terminal},
	{"close", do_close},
	{"madvise MADV_REMOVE", do_free_memory},
	{"a 32-bit system call", do_old_call},
};

static void confine(struct kit_guest *guest)
{
	struct avd__error error = {0};
	const int r = avd__vm_confine(guest->vm, 0, 0, &error);
	ck_assert_msg(r == 0, "%s", error.text);
}

/* The thread is killed before its call does anything, and the machine's end says so. */
START_TEST(a_forbidden_call_ends_the_machine)
{
	const struct avd__kvm_sys sys = sys_with_deed();
	struct kit_guest guest;
	kit_make(&guest, one_exit, sizeof(one_exit));
	guest.vm->sys = &sys;
	confine(&guest);
	deed = forbidden[_i].deed;
	runs = 0;
	atomic_store(&done_deeds, 0);
	kit_boot_long(&guest);
	ck_assert_msg(kit_finish(&guest, KIT_DEADLINE_MS), "%s", forbidden[_i].name);
	ck_assert_msg(atomic_load(&done_deeds) == 0, "%s was done", forbidden[_i].name);
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_VCPU_ERROR);
	ck_assert_msg(strstr(guest.vm->end.detail, "sandbox forbids"), "%s", guest.vm->end.detail);
	guest.vm->sys = &avd__kvm_system;
	avd__vm_free(guest.vm);
}
END_TEST

/* Killed while it holds the lock of all devices: nobody waits for it for ever. */
static struct avd__vm *locked;

static void do_open_locked(void)
{
	avd__lock(&locked->device_lock);
	avd__lock(&locked->thread_lock);
	avd__lock(&locked->end_lock);
	avd__lock(&locked->console_box.lock);
	do_open();
}

START_TEST(a_killed_thread_leaves_no_lock)
{
	const struct avd__kvm_sys sys = sys_with_deed();
	struct kit_guest guest;
	kit_make(&guest, one_exit, sizeof(one_exit));
	guest.vm->sys = &sys;
	confine(&guest);
	locked = guest.vm;
	deed = do_open_locked;
	runs = 0;
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_uint_eq(guest.vm->end.cause, AVD_END_VCPU_ERROR);
	avd__lock(&locked->device_lock);
	avd__unlock(&locked->device_lock);
	guest.vm->sys = &avd__kvm_system;
	avd__vm_free(guest.vm);
}
END_TEST

/* Nobody polls, nobody reaps: freeing must end all the same. */
START_TEST(a_killed_thread_can_be_freed_unseen)
{
	const struct avd__kvm_sys sys = sys_with_deed();
	struct kit_guest guest;
	kit_make(&guest, one_exit, sizeof(one_exit));
	guest.vm->sys = &sys;
	confine(&guest);
	deed = do_open;
	runs = 0;
	kit_boot_long(&guest);
	struct pollfd end = {.fd = guest.vm->vcpus[0].end_fd, .events = POLLIN};
	ck_assert_int_eq(poll(&end, 1, KIT_DEADLINE_MS), 1);
	guest.vm->sys = &avd__kvm_system;
	avd__vm_free(guest.vm);
}
END_TEST

static long status_field(pid_t tid, const char *field)
{
	char path[64], line[256];
	long value = -1;
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (value < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, strlen(field)) == 0)
			value = strtol(line + strlen(field), NULL, 10);
	}
	fclose(file);
	return value;
}

static size_t task_fds(pid_t tid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/task/%d/fd", (int)tid);
	return kit_count_entries(path) - 2; /* . and .. */
}

START_TEST(the_rest_of_the_process_stays_as_it_was)
{
	struct kit_guest guest;
	const size_t fds = task_fds(getpid());
	kit_make(&guest, loop, sizeof(loop));
	confine(&guest);
	kit_boot_long(&guest);
	const pid_t tid = atomic_load(&guest.vm->vcpus[0].tid);
	ck_assert_int_ne(tid, 0);
	ck_assert_int_eq(status_field(tid, "Seccomp:"), 2);
	ck_assert_int_eq(status_field(tid, "NoNewPrivs:"), 1);
	ck_assert_uint_eq(task_fds(tid), 4); /* vCPU, VM, event, its life */
	ck_assert_int_eq(status_field(getpid(), "Seccomp:"), 0);
	ck_assert_int_eq(status_field(getpid(), "NoNewPrivs:"), 0);
	do_open(); /* would kill a confined one */
	ck_assert_int_eq(status_field(getpid(), "Seccomp:"), 0);
	avd__vm_free(guest.vm);
	ck_assert_uint_ge(fds + 1, task_fds(getpid())); /* do_open()'s is the one more */
}
END_TEST

START_TEST(without_a_sandbox_nothing_is_forbidden)
{
	const struct avd__kvm_sys sys = sys_with_deed();
	struct kit_guest guest;
	kit_make(&guest, one_exit, sizeof(one_exit));
	guest.vm->sys = &sys;
	deed = do_openat;
	runs = 0;
	atomic_store(&done_deeds, 0);
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_int_eq(atomic_load(&done_deeds), 1);
	ck_assert_msg(strstr(guest.vm->end.detail, "KVM_RUN"), "%s", guest.vm->end.detail);
	guest.vm->sys = &avd__kvm_system;
	avd__vm_free(guest.vm);
}
END_TEST

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
	if (avd__vm_new(sys, KIT_MEMORY, cpus, false, &vm, &error) < 0 ||
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

/* One vCPU ends the machine; the other one, which waits for a start-up that never comes or loops,
 * has to be told. */
static int two_cpus(size_t without)
{
	struct avd__vm *vm = machine(&avd__kvm_system, 2, halt, sizeof(halt), without);
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct avd__error error = {0};
	memcpy(vm->memory + KIT_ENTRY + 16, loop, sizeof(loop));
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

static void nothing(void)
{
}

/* KVM_RUN fails: registers and code are read for the report. */
static int failing_run(size_t without)
{
	const struct avd__kvm_sys sys = sys_with_deed();
	struct avd__vm *vm = machine(&sys, 1, one_exit, sizeof(one_exit), without);
	deed = nothing;
	runs = 0;
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
	const char *missing = avd__sandbox_missing();
	if (missing) {
		printf("skipped: no sandbox: %s\n", missing);
		return KIT_SKIP;
	}
	if (!kit_has_kvm())
		return KIT_SKIP;
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");
	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc, a_forbidden_call_ends_the_machine, 0,
			    (int)AVD__ARRAY_SIZE(forbidden));
	tcase_add_test(tc, a_killed_thread_leaves_no_lock);
	tcase_add_test(tc, a_killed_thread_can_be_freed_unseen);
	tcase_add_test(tc, the_rest_of_the_process_stays_as_it_was);
	tcase_add_test(tc, without_a_sandbox_nothing_is_forbidden);
	tcase_add_test(tc, with_all_rules_the_scenarios_pass);
	tcase_add_loop_test(tc, each_rule_is_needed, 1, (int)avd__sandbox_rules() + 1);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
