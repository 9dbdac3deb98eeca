// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/sandbox.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/vmm.h"

struct avd__sandbox {
	struct sock_fprog program;
};

/* What an argument is compared with. */
enum operand { ANY, CONSTANT, VM_FD, EVENT_FD, OWN_PID, KICK_SIGNAL };

struct comparison {
	enum operand operand;
	uint64_t constant;
};

#define COMPARED_MAX 3u

struct rule {
	const char *name;
	int call;
	struct comparison arguments[COMPARED_MAX];
};

#define IS(value)                 \
	{                         \
		CONSTANT, (value) \
	}
#define IOCTL(request)                                \
	{                                             \
		"ioctl " #request, SCMP_SYS(ioctl),   \
		{                                     \
			{.operand = ANY}, IS(request) \
		}                                     \
	}

/* Each of them is needed: tests/kvm/test_sandbox.c takes one away at a time. */
static const struct rule rules[] = {
	/* Of the vCPU's own descriptor: the thread has no other. */
	IOCTL(KVM_RUN),
	/* What to say of a vCPU that KVM can't go on with. */
	IOCTL(KVM_GET_REGS),
	IOCTL(KVM_GET_SREGS),
	IOCTL(KVM_TRANSLATE),
	IOCTL(KVM_GET_VCPU_EVENTS),
	/* The console's interrupt. */
	{"ioctl KVM_SIGNAL_MSI", SCMP_SYS(ioctl), {{.operand = VM_FD}, IS(KVM_SIGNAL_MSI)}},
	/* Something to step(). */
	{"write", SCMP_SYS(write), {{.operand = EVENT_FD}, {.operand = ANY}, IS(sizeof(uint64_t))}},
	/* Locks, and waiting for room in a box. */
	{"futex", SCMP_SYS(futex), {{.operand = ANY}}},
	/* pthread_kill(): the machine's end reaches the other vCPUs. */
	{"getpid", SCMP_SYS(getpid), {{.operand = ANY}}},
	{"rt_sigprocmask", SCMP_SYS(rt_sigprocmask), {{.operand = ANY}}},
	{"tgkill",
	 SCMP_SYS(tgkill),
	 {{.operand = OWN_PID}, {.operand = ANY}, {.operand = KICK_SIGNAL}}},
	/* The thread's CPU time, and any clock on a host whose vDSO can't tell it. */
	{"clock_gettime", SCMP_SYS(clock_gettime), {{.operand = ANY}}},
	/* The end of a thread: its stack goes back, then itself. */
	{"madvise", SCMP_SYS(madvise), {{.operand = ANY}, {.operand = ANY}, IS(MADV_DONTNEED)}},
	{"exit", SCMP_SYS(exit), {{.operand = ANY}}},
	/* setuid() and its kin in any thread of the caller's: libc makes every thread of the
	 * process do the same, in a signal handler, and aborts if one can't (nptl(7)). */
	{"rt_sigreturn", SCMP_SYS(rt_sigreturn), {{.operand = ANY}}},
	{"setuid", SCMP_SYS(setuid), {{.operand = ANY}}},
	{"setgid", SCMP_SYS(setgid), {{.operand = ANY}}},
	{"setreuid", SCMP_SYS(setreuid), {{.operand = ANY}}},
	{"setregid", SCMP_SYS(setregid), {{.operand = ANY}}},
	{"setresuid", SCMP_SYS(setresuid), {{.operand = ANY}}},
	{"setresgid", SCMP_SYS(setresgid), {{.operand = ANY}}},
	{"setgroups", SCMP_SYS(setgroups), {{.operand = ANY}}},
};

size_t avd__sandbox_rules(void)
{
	return AVD__ARRAY_SIZE(rules);
}

const char *avd__sandbox_rule_name(size_t number)
{
	return rules[number - 1].name;
}

/* A sanitizer's run time maps memory and more in any thread: defined only if there is one. */
extern void __asan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));
extern void __msan_init(void) __attribute__((weak));

const char *avd__sandbox_missing(void)
{
	const uint32_t kill_thread = SECCOMP_RET_KILL_THREAD;
	/* Through a volatile: a compiler that sees the sanitizer of its own takes it for certain.
	 */
	void (*const volatile sanitizers[])(void) = {__asan_init, __tsan_init, __msan_init};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(sanitizers); i++) {
		if (sanitizers[i])
			return "the process runs with a sanitizer, which needs more system calls";
	}
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill_thread) < 0)
		return "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)";
	if (syscall(SYS_close_range, ~0U, ~0U, 0) < 0)
		return "this kernel has no close_range (Linux 5.9)";
	return NULL;
}

static uint64_t value_of(const struct comparison *comparison,
			 const struct avd__sandbox_options *options)
{
	switch (comparison->operand) {
	case VM_FD:
		return (uint64_t)options->vm_fd;
	case EVENT_FD:
		return (uint64_t)options->event_fd;
	case OWN_PID:
		return (uint64_t)getpid();
	case KICK_SIGNAL:
		return (uint64_t)options->kick_signal;
	case CONSTANT:
	case ANY:
	default:
		return comparison->constant;
	}
}

static int add_rule(scmp_filter_ctx filter, const struct rule *rule,
		    const struct avd__sandbox_options *options)
{
	struct scmp_arg_cmp compared[COMPARED_MAX];
	unsigned int count = 0;
	for (unsigned int i = 0; i < COMPARED_MAX; i++) {
		const struct comparison *argument = &rule->arguments[i];
		if (argument->operand != ANY)
			compared[count++] = (struct scmp_arg_cmp){
				.arg = i,
				.op = SCMP_CMP_EQ,
				.datum_a = value_of(argument, options),
			};
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->call, count, compared);
}

/* libseccomp writes programs to files only. */
static int take_program(scmp_filter_ctx filter, struct sock_fprog *ret_program)
{
	int fd = memfd_create("attachverdict-seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = seccomp_export_bpf(filter, fd);
	const off_t size = r == 0 ? lseek(fd, 0, SEEK_END) : 0;
	struct sock_filter *code = NULL;
	if (r == 0 && (size <= 0 || (size_t)size / sizeof(*code) > BPF_MAXINSNS))
		r = -E2BIG;
	if (r == 0) {
		code = malloc((size_t)size);
		r = code ? 0 : -ENOMEM;
	}
	if (r == 0 && avd__pread_all(fd, code, (size_t)size, 0) != size)
		r = -EIO;
	avd__close(&fd);
	if (r < 0) {
		free(code);
		return r;
	}
	*ret_program = (struct sock_fprog){.len = (unsigned short)((size_t)size / sizeof(*code)),
					   .filter = code};
	return 0;
}

int avd__sandbox_new(const struct avd__sandbox_options *options, struct avd__sandbox **ret_sandbox,
		     struct avd__error *error)
{
	struct avd__sandbox *sandbox = calloc(1, sizeof(*sandbox));
	scmp_filter_ctx filter =
		seccomp_init(options->violation ? options->violation : SCMP_ACT_KILL_THREAD);
	int r = sandbox && filter ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < AVD__ARRAY_SIZE(rules); i++) {
		if (i + 1 != options->without)
			r = add_rule(filter, &rules[i], options);
	}
	if (r == 0)
		r = take_program(filter, &sandbox->program);
	if (filter)
		seccomp_release(filter);
	if (r < 0) {
		free(sandbox);
		return avd__fail(error, -r,
				 "cannot make the seccomp filter of the vCPUs' threads: %s; run "
				 "without (--no-sandbox)",
				 strerror(-r));
	}
	*ret_sandbox = sandbox;
	return 0;
}

void avd__sandbox_free(struct avd__sandbox *sandbox)
{
	if (!sandbox)
		return;
	free(sandbox->program.filter);
	free(sandbox);
}

static void sort(int *fds, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0 && fds[k] < fds[k - 1]; k--) {
			const int fd = fds[k];
			fds[k] = fds[k - 1];
			fds[k - 1] = fd;
		}
	}
}

/* Closes all but these, in a table that from here on is the thread's own. */
static int keep_only(int *fds, size_t count)
{
	unsigned int flags = CLOSE_RANGE_UNSHARE, first = 0;
	sort(fds, count);
	for (size_t i = 0; i <= count; i++) {
		const unsigned int end = i < count ? (unsigned int)fds[i] : ~0U;
		if (end > first) {
			if (syscall(SYS_close_range, first, end - 1, flags) < 0)
				return -errno;
			flags = 0;
		}
		first = end + 1;
	}
	return 0;
}

int avd__sandbox_enter(const struct avd__sandbox *sandbox, int *fds, size_t count)
{
	const int r = keep_only(fds, count);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	/* No flags: above all not TSYNC, which would confine the caller's threads, too. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &sandbox->program) < 0)
		return -errno;
	return 0;
}
