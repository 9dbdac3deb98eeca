// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The sandbox of the vCPUs' threads: it bites, and the rest of the process stays as it was. What a
 * vCPU's thread asks of KVM goes through a table (vmm/kvm.h), so a test can do in that thread
 * whatever it likes.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kit.h"
#include "vmm/vmm.h"

static const uint8_t loop[] = {0xeb, 0xfe};

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

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_loop_test(tc, a_forbidden_call_ends_the_machine, 0,
			    (int)AVD__ARRAY_SIZE(forbidden));
	tcase_add_test(tc, a_killed_thread_leaves_no_lock);
	tcase_add_test(tc, a_killed_thread_can_be_freed_unseen);
	tcase_add_test(tc, the_rest_of_the_process_stays_as_it_was);
	tcase_add_test(tc, without_a_sandbox_nothing_is_forbidden);
	suite_add_tcase(suite, tc);
	return kit_main(suite, true);
}
