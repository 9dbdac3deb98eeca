// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "qemu/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/proc.h"

/* The keeper calls a dozen functions, none of them deep. Mapped, not touched, so generous. */
#define KEEPER_STACK_BYTES ((size_t)256 << 10)
/* Older headers lack it; linux/wait.h has it since 5.4. */
#define WAIT_PIDFD ((idtype_t)3)
/* Kernels before 5.9 have no close_range(): then so many are closed one by one. */
#define CLOSE_FALLBACK_MAX 65536u

#define NO_SANITIZERS __attribute__((no_sanitize_address)) __attribute__((no_sanitize_thread))

struct avd__child {
	pthread_t keeper;
	sem_t started;
	pthread_mutex_t lock; /* of what follows */
	bool ended;
	struct avd__child_status status;
	uint64_t cpu_ns; /* final, once ended */
	/* Written by the keeper before `started` is posted, then constant. */
	int start_error;
	pid_t pid;
	int pidfd;
	int end_fd; /* eventfd */
	/* For the child, before its exec. */
	const char *path;
	char *const *argv;
	char *const *envp;
	int fds[AVD__CHILD_FDS_MAX];
	unsigned int fd_count;
	long parent;
	volatile int exec_error; /* the child writes it: memory is shared until its exec */
};

/* The kernel's own struct: libc's sigaction() keeps two signals to itself. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

/*
 * Runs in the child, in the memory and below the stack frame of the keeper, which is suspended
 * (CLONE_VFORK). So: only system calls, nothing of libc that keeps state, and no sanitizer
 * bookkeeping. It never returns; exit_group() by system call because a libc call that is known
 * not to return would make ASan unpoison the keeper's stack.
 */
NO_SANITIZERS __attribute__((noinline)) static void child_main(struct avd__child *child)
{
	long r;
	int high[AVD__CHILD_FDS_MAX];
	const struct kernel_sigaction dfl = {0};

	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(dfl.mask));
	syscall(SYS_setsid);
	/* Before PDEATHSIG, which an exec that gains privileges would clear. */
	syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
	syscall(SYS_prctl, PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L);
	if (syscall(SYS_getppid) != child->parent)
		syscall(SYS_exit_group, 127); /* it died before we asked */
	const struct rlimit no_core = {0, 0};
	syscall(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, NULL);

	/* First up, out of the way of the low numbers, then down to their places. */
	for (unsigned int i = 0; i < child->fd_count; i++) {
		r = syscall(SYS_fcntl, child->fds[i], F_DUPFD, (long)AVD__CHILD_FDS_MAX);
		if (r < 0)
			goto failed;
		high[i] = (int)r;
	}
	for (unsigned int i = 0; i < child->fd_count; i++) {
		if (syscall(SYS_dup2, high[i], i) < 0)
			goto failed;
	}
	if (syscall(SYS_close_range, child->fd_count, ~0U, 0) < 0) {
		for (unsigned int fd = child->fd_count; fd < CLOSE_FALLBACK_MAX; fd++)
			syscall(SYS_close, fd);
	}
	const unsigned long none = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	syscall(SYS_execve, child->path, child->argv, child->envp);
failed:
	child->exec_error = errno;
	for (;;)
		syscall(SYS_exit_group, 127);
}

/*
 * vfork() with a pidfd. Not libc's: vfork() gives no pidfd, so that the child could be reaped by
 * the caller's SIGCHLD handling and its pid be another's before we open one; clone() needs a
 * second stack, and TSan's takes each for a fork() and then ignores synchronization in the memory
 * that child and parent share. fork() would copy the page tables of a large caller, run its
 * pthread_atfork() handlers, and might fail for its size. The system call is inline because the
 * child would return from a function, and overwrite its return address, before the parent does.
 */
NO_SANITIZERS __attribute__((noinline)) static long spawn(struct avd__child *child, int *ret_pidfd)
{
	register long child_tid __asm__("r10") = 0;
	register long tls __asm__("r8") = 0;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"((long)SYS_clone),
			   "D"((long)(CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD)), "S"(0L),
			   "d"(ret_pidfd), "r"(child_tid), "r"(tls)
			 : "rcx", "r11", "memory");
	if (r == 0)
		child_main(child);
	return r;
}

static uint64_t timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * UINT64_C(1000000000) + (uint64_t)tv->tv_usec * 1000;
}

/* Waits for the end; leaves a zombie, so that the pid still is the child's. */
static bool wait_zombie(struct avd__child *child)
{
	for (;;) {
		siginfo_t info;
		if (waitid(WAIT_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOWAIT) == 0)
			return true;
		if (errno == EINTR)
			continue;
		/* ECHILD: the caller ignores SIGCHLD or waits for any child. The pidfd tells
		 * the end all the same. */
		struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
		while (poll(&end, 1, -1) < 0 && errno == EINTR)
			;
		return false;
	}
}

static void reap(struct avd__child *child)
{
	siginfo_t info;
	struct rusage usage;
	struct avd__child_status status = {.exit_status = -1};
	uint64_t cpu_ns = 0;

	memset(&info, 0, sizeof(info));
	memset(&usage, 0, sizeof(usage));
	pthread_mutex_lock(&child->lock);
	if (syscall(SYS_waitid, WAIT_PIDFD, child->pidfd, &info, WEXITED, &usage) == 0) {
		status.known = true;
		if (info.si_code == CLD_EXITED)
			status.exit_status = info.si_status;
		else
			status.signal = info.si_status;
		cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
	}
	child->ended = true;
	child->status = status;
	if (cpu_ns > child->cpu_ns)
		child->cpu_ns = cpu_ns;
	pthread_mutex_unlock(&child->lock);
}

static void *keeper_main(void *arg)
{
	struct avd__child *child = arg;
	int pidfd = -1;

	child->parent = syscall(SYS_getpid);
	const pid_t pid = (pid_t)spawn(child, &pidfd);
	child->start_error = pid < 0 ? -pid : 0;
	child->pid = pid;
	child->pidfd = pidfd;
	/* The child has executed or ended, so its words are final. */
	const bool failed = pid < 0 || child->exec_error;
	if (!failed)
		sem_post(&child->started);
	if (pid > 0) {
		if (wait_zombie(child))
			kill(-pid, SIGKILL); /* a wrapper script's own children */
		reap(child);
	}
	if (failed) {
		sem_post(&child->started);
		return NULL;
	}
	const uint64_t one = 1;
	while (write(child->end_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

/* All signals are the caller's business: the keeper inherits a full mask. */
static int start_keeper(struct avd__child *child)
{
	pthread_attr_t attr;
	sigset_t all, old;
	size_t stack = KEEPER_STACK_BYTES;
	const long least = sysconf(_SC_THREAD_STACK_MIN); /* includes static TLS */

	if (least > 0 && (size_t)least + KEEPER_STACK_BYTES / 2 > stack)
		stack = (size_t)least + KEEPER_STACK_BYTES / 2;
	int r = pthread_attr_init(&attr);
	if (r)
		return r;
	pthread_attr_setstacksize(&attr, stack);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&child->keeper, &attr, keeper_main, child);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

static void destroy(struct avd__child *child)
{
	avd__close(&child->end_fd);
	avd__close(&child->pidfd);
	sem_destroy(&child->started);
	pthread_mutex_destroy(&child->lock);
	free(child);
}

int avd__child_start(const char *path, char *const argv[], const int *fds, size_t fd_count,
		     struct avd__child **ret_child, struct avd__error *error)
{
	if (fd_count > AVD__CHILD_FDS_MAX)
		return avd__fail(error, EINVAL, "too many file descriptors for %s", path);
	struct avd__child *child = calloc(1, sizeof(*child));
	if (!child)
		return avd__fail(error, ENOMEM, "out of memory");
	child->pidfd = -1;
	sem_init(&child->started, 0, 0);
	pthread_mutex_init(&child->lock, NULL);
	child->path = path;
	child->argv = argv;
	child->envp = environ;
	child->fd_count = (unsigned int)fd_count;
	memcpy(child->fds, fds, fd_count * sizeof(*fds));
	child->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int err = child->end_fd < 0 ? errno : 0;
	if (!err)
		err = start_keeper(child);
	if (err) {
		destroy(child);
		return avd__fail(error, err, "cannot start %s: %s", path, strerror(err));
	}
	while (sem_wait(&child->started) < 0 && errno == EINTR)
		;
	err = child->start_error ? child->start_error : child->exec_error;
	if (err) {
		pthread_join(child->keeper, NULL);
		destroy(child);
		return avd__fail(error, err, "cannot start %s: %s", path, strerror(err));
	}
	*ret_child = child;
	return 0;
}

int avd__child_fd(const struct avd__child *child)
{
	return child->end_fd;
}

bool avd__child_ended(struct avd__child *child, struct avd__child_status *ret_status)
{
	pthread_mutex_lock(&child->lock);
	const bool ended = child->ended;
	if (ended && ret_status)
		*ret_status = child->status;
	pthread_mutex_unlock(&child->lock);
	return ended;
}

void avd__child_kill(struct avd__child *child)
{
	/* Under the lock it is not reaped, by us at least: the pid is its own. valgrind and some
	 * sandboxes lack the better call. */
	pthread_mutex_lock(&child->lock);
	if (!child->ended && syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) < 0 &&
	    errno == ENOSYS)
		kill(child->pid, SIGKILL);
	pthread_mutex_unlock(&child->lock);
}

uint64_t avd__child_cpu_ns(struct avd__child *child)
{
	pthread_mutex_lock(&child->lock);
	if (!child->ended) {
		/* clock_getcpuclockid()'s answer names a pid. It was ours if the process still
		 * runs after the reading; the caller may reap it behind our back. */
		clockid_t clock;
		struct timespec now;
		struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
		if (clock_getcpuclockid(child->pid, &clock) == 0 &&
		    clock_gettime(clock, &now) == 0 && poll(&end, 1, 0) == 0)
			child->cpu_ns =
				(uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
	}
	const uint64_t ns = child->cpu_ns;
	pthread_mutex_unlock(&child->lock);
	return ns;
}

uint64_t avd__child_wait_ns(struct avd__child *child)
{
	uint64_t ns = AVD__WAIT_UNKNOWN;
	pthread_mutex_lock(&child->lock);
	if (!child->ended) {
		/* As above: only a process that still runs after the reading was ours. */
		struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
		ns = avd__proc_wait_ns(child->pid, 0);
		if (poll(&end, 1, 0) != 0)
			ns = AVD__WAIT_UNKNOWN;
	}
	pthread_mutex_unlock(&child->lock);
	return ns;
}

bool avd__child_memory(struct avd__child *child, uint64_t ram_bytes, uint64_t *ret_ram,
		       uint64_t *ret_rest)
{
	bool known = false;
	uint64_t ram = 0, rest = 0;
	pthread_mutex_lock(&child->lock);
	if (!child->ended) {
		struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
		known = avd__proc_memory(child->pid, ram_bytes, &ram, &rest) &&
			poll(&end, 1, 0) == 0;
	}
	pthread_mutex_unlock(&child->lock);
	if (known) {
		*ret_ram = ram;
		*ret_rest = rest;
	}
	return known;
}

void avd__child_free(struct avd__child *child)
{
	if (!child)
		return;
	if (!avd__child_ended(child, NULL))
		avd__child_kill(child);
	pthread_join(child->keeper, NULL);
	destroy(child);
}
