// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* QEMU as a child process: nothing outlives anything, and everything that can fail fails well. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

/* The caller is killed: its QEMU, now ours, must die of PR_SET_PDEATHSIG. */
START_TEST(nothing_survives_a_killed_caller)
{
	int pipes[2], status;
	char byte;
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	const pid_t caller = fork();
	if (caller == 0) {
		struct kit kit;
		kit_init(&kit, "act=l");
		kit_start(&kit);
		kit_wait_channel(&kit, 2);
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	avd__close(&pipes[1]);
	ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
	ck_assert_int_eq(kill(caller, SIGKILL), 0);
	ck_assert_int_eq(waitpid(caller, &status, 0), caller);
	const pid_t qemu = waitpid(-1, &status, 0); /* hangs if it lives: Check's time-out */
	ck_assert_int_gt(qemu, 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_eq(waitpid(-1, &status, 0), -1);
	avd__close(&pipes[0]);
}
END_TEST

static void *start_in_thread(void *kit)
{
	kit_start(kit);
	return NULL;
}

/* The thread that started it ends: the machine goes on. */
START_TEST(a_machine_survives_its_callers_thread)
{
	const struct kit_usage before = kit_usage();
	struct kit kit;
	pthread_t thread;
	kit_init(&kit, "act=s");
	ck_assert_int_eq(pthread_create(&thread, NULL, start_in_thread, &kit), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	kit_run(&kit);
	ck_assert_uint_eq(kit.end.cause, AVD_END_GUEST_SHUTDOWN);
	ck_assert_uint_eq(kit.channel.len, 2);
	kit_free(&kit);
	kit_check_usage(before);
}
END_TEST

static void reap_all(int signal)
{
	(void)signal;
	const int saved = errno;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

/* Callers that ignore SIGCHLD or reap every child: an end is seen all the same. */
START_TEST(sigchld_is_the_callers)
{
	const struct kit_usage before = kit_usage();
	static void (*const handlers[])(int) = {SIG_IGN, reap_all};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(handlers); i++) {
		struct kit kit;
		const struct sigaction action = {.sa_handler = handlers[i]};
		ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
		kit_init(&kit, "act=r");
		kit_start(&kit);
		kit_run(&kit);
		ck_assert_uint_eq(kit.end.cause, AVD_END_GUEST_RESET);
		kit_free(&kit);
		kit_init(&kit, "act=l");
		kit_start(&kit);
		kit_wait_channel(&kit, 2);
		const uint64_t cpu_ns = avd__qemu_ops.cpu_ns(kit.machine);
		ck_assert_uint_gt(cpu_ns, 0);
		ck_assert_int_eq(kill(kit_only_child(), SIGKILL), 0);
		kit_run(&kit);
		ck_assert_uint_eq(kit.end.cause, AVD_END_MACHINE_KILLED);
		ck_assert_uint_ge(avd__qemu_ops.cpu_ns(kit.machine), cpu_ns);
		kit_free(&kit);
	}
	signal(SIGCHLD, SIG_DFL);
	kit_check_usage(before);
}
END_TEST

static void check_link(const char *dir, int fd, const char *start)
{
	char path[64], target[PATH_MAX] = "";
	snprintf(path, sizeof(path), "%s/%d", dir, fd);
	const ssize_t n = readlink(path, target, sizeof(target) - 1);
	ck_assert_msg(n > 0 && !strncmp(target, start, strlen(start)), "%s is %s", path, target);
}

/* Of the caller's file descriptors only those that it needs reach QEMU; its signals are as a fresh
 * process has them; it is in a session of its own. */
START_TEST(what_the_child_inherits)
{
	struct kit kit;
	char dir[64], path[PATH_MAX], target[PATH_MAX];
	struct stat secret, other;
	char *own = kit_make_dir();
	sigset_t blocked;

	snprintf(path, sizeof(path), "%s/secret", own);
	const int leaky = open(path, O_RDWR | O_CREAT, 0600); /* not O_CLOEXEC, as callers do */
	ck_assert_int_eq(fstat(leaky, &secret), 0);
	const int high = fcntl(leaky, F_DUPFD, 500);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	kit_init(&kit, "act=l");
	kit_start(&kit);
	kit_wait_channel(&kit, 2);
	const pid_t pid = kit_only_child();
	ck_assert_int_eq(getsid(pid), pid);

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	for (int fd = 0; fd < 600; fd++) {
		snprintf(path, sizeof(path), "%s/%d", dir, fd);
		ck_assert_msg(stat(path, &other) < 0 || other.st_ino != secret.st_ino ||
				      other.st_dev != secret.st_dev,
			      "%s leaks", path);
	}
	check_link(dir, 0, "/dev/null");
	check_link(dir, 1, "pipe:");
	check_link(dir, 2, "pipe:");
	check_link(dir, 4, "/memfd:initramfs");
	check_link(dir, 5, "socket:");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(target, sizeof(target), file)) {
		unsigned long long mask;
		if (sscanf(target, "SigIgn: %llx", &mask) == 1) /* QEMU itself ignores SIGPIPE */
			ck_assert_uint_eq(mask & (1u << (SIGUSR1 - 1)), 0);
		if (sscanf(target, "NoNewPrivs: %llu", &mask) == 1)
			ck_assert_uint_eq(mask, 1);
	}
	fclose(file);
	pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	kit_free(&kit);
	close(leaky);
	close(high);
	kit_remove_dir(own);
}
END_TEST

static void check_start_error(const char *qemu, int error, const char *words)
{
	const struct kit_usage before = kit_usage();
	struct kit kit;
	kit_init(&kit, "act=r");
	kit.spec.qemu = qemu;
	const int r = avd__qemu_ops.start(&kit.spec, &kit.machine, &kit.error);
	ck_assert_msg(r == -error, "%d %s", r, kit.error.text);
	ck_assert_msg(strstr(kit.error.text, words) != NULL, "%s", kit.error.text);
	ck_assert_ptr_null(kit.machine);
	kit_free(&kit);
	kit_check_usage(before);
}

START_TEST(no_qemu)
{
	char *dir = kit_make_dir(), *text = NULL;
	ck_assert_int_ge(asprintf(&text, "%s/text", dir), 0);
	const int fd = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	check_start_error("/nonexistent/qemu", ENOENT, "/nonexistent/qemu");
	check_start_error("no-such-qemu", ENOENT, "no-such-qemu is not in $PATH");
	check_start_error(dir, EISDIR, dir);
	check_start_error(text, EACCES, text);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
	check_start_error(text, ENOEXEC, text); /* executable, but empty */
	ck_assert_int_eq(setenv("PATH", dir, 1), 0);
	check_start_error(NULL, ENOENT, "package qemu-system-x86)");
	check_start_error("", ENOENT, "package qemu-system-x86)");
	ck_assert_int_eq(unsetenv("PATH"), 0);
	const char *accel;
	ck_assert_int_eq(avd__qemu_ops.probe(NULL, &accel, NULL), 0); /* the usual places */
	free(text);
	kit_remove_dir(dir);
}
END_TEST

START_TEST(a_qemu_that_is_none)
{
	static const char *const bodies[] = {"echo garbage",
					     "exit 3",
					     "kill -9 $$",
					     "printf 'QEMU emulator version 7'",
					     "yes | head -c 1000000",
					     "printf '\\033[31m\\000\\377'"};
	char *dir = kit_make_dir();
	for (size_t i = 0; i < AVD__ARRAY_SIZE(bodies); i++) {
		char *fake = kit_fake_qemu(dir, false, bodies[i]);
		check_start_error(fake, ENOEXEC, "is not a QEMU");
		free(fake);
	}
	/* What it leaves behind with our pipe open neither delays us nor stays. */
	char *fake = kit_fake_qemu(dir, false, "sleep 1000 & echo QEMU emulator version 9.9.9");
	struct avd__qemu_info info = {0};
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(avd__qemu_find(fake, &info, NULL), 0);
	ck_assert_uint_eq(info.major, 9);
	int status; /* hangs if the sleep lives: Check's time-out */
	while (waitpid(-1, &status, 0) > 0)
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	free(fake);
	kit_remove_dir(dir);
}
END_TEST

START_TEST(a_qemu_that_hangs_at_its_version)
{
	char *dir = kit_make_dir();
	char *fake = kit_fake_qemu(dir, false, "sleep 1000");
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	struct avd__qemu_info info;
	struct avd__error error = {0};
	ck_assert_int_eq(avd__qemu_find(fake, &info, &error), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(error.text, fake));
	int status;
	while (waitpid(-1, &status, 0) > 0)
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	free(fake);
	kit_remove_dir(dir);
}
END_TEST

static void check_fake(const char *body, uint32_t cause, const char *words)
{
	const struct kit_usage before = kit_usage();
	char *dir = kit_make_dir();
	char *fake = kit_fake_qemu(dir, true, body);
	struct kit kit;
	kit_init(&kit, "act=r");
	kit.spec.qemu = fake;
	kit_start(&kit);
	kit_run(&kit);
	ck_assert_msg(kit.end.cause == cause, "%s: cause %u %s", body, kit.end.cause,
		      kit.end.detail);
	ck_assert_msg(strstr(kit.end.detail, words) != NULL, "%s: %s", body, kit.end.detail);
	const bool logged = kit.log.data && strstr(kit.log.data, "QEMU says: ");
	ck_assert_int_eq(logged, strstr(body, ">&2") || strstr(body, "in 1 2"));
	for (const char *p = kit.end.detail; *p; p++)
		ck_assert((unsigned char)*p >= ' ');
	kit_free(&kit);
	free(fake);
	kit_remove_dir(dir);
	kit_check_usage(before);
}

START_TEST(a_qemu_that_fails)
{
	check_fake("echo 'qemu-system-x86_64: no way' >&2; exit 1", AVD_END_SPAWN_ERROR,
		   "QEMU exited with status 1: no way");
	check_fake("echo 'x: warning: beware' >&2; echo one; echo two >&2; exit 4",
		   AVD_END_SPAWN_ERROR, "QEMU exited with status 4: one; two");
	check_fake("printf 'a\\033[31mb\\000c\\n' >&2; exit 1", AVD_END_SPAWN_ERROR,
		   "a\\x1b[31mb\\x00c");
	check_fake("exit 0", AVD_END_SPAWN_ERROR, "QEMU exited with status 0");
	check_fake("kill -SEGV $$", AVD_END_SPAWN_ERROR, "QEMU was killed by signal 11");
	/* More noise than any buffer, on each stream. */
	check_fake("for fd in 1 2 5 6 8; do head -c 3000000 /dev/urandom >&$fd; done; exit 7",
		   AVD_END_SPAWN_ERROR, "QEMU exited with status 7");
	check_fake("head -c 3000000 /dev/urandom >&7; echo >&7; "
		   "echo '{\"error\": {\"desc\": \"QMP says no\"}}' >&7; exit 7",
		   AVD_END_SPAWN_ERROR, "QEMU exited with status 7: QMP says no");
	/* A position that no honest guest has, and the bell: the guest's doing, not the caller's.
	 */
	check_fake("printf '\\377\\377\\377\\377\\377' | "
		   "dd of=/proc/self/fd/9 bs=1 seek=64 conv=notrunc status=none; "
		   "printf '\\007' >&6; sleep 1000",
		   AVD_END_VCPU_ERROR, "the guest broke the window's positions");
	/* The monitor's words decide. */
	check_fake("echo '{\"event\": \"RESUME\"}' >&7; exit 1", AVD_END_MACHINE_KILLED,
		   "status 1");
	check_fake("echo '{\"event\": \"RESUME\"}' >&7; echo 'KVM internal error' >&2; "
		   "echo '{\"event\": \"STOP\"}' >&7; sleep 1000",
		   AVD_END_VCPU_ERROR, "KVM internal error");
	check_fake("echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}' >&7; "
		   "echo Triple >&8; echo 'Triple Triple fault' >&8",
		   AVD_END_TRIPLE_FAULT, "");
	check_fake("echo '{\"event\": \"SHUTDOWN\"}' >&7", AVD_END_MACHINE_KILLED, "unknown");
}
END_TEST

/* Never a word on the monitor, children in the background that hold every port: a stop ends it. */
START_TEST(a_qemu_that_hangs)
{
	const struct kit_usage before = kit_usage();
	char *dir = kit_make_dir();
	char *fake = kit_fake_qemu(dir, true, "sleep 1000 & echo started >&6; sleep 1000; true");
	struct kit kit;
	int status;
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	kit_init(&kit, "act=r");
	kit.spec.qemu = fake;
	kit_start(&kit);
	kit_wait_channel(&kit, 8);
	avd__qemu_ops.stop(kit.machine, AVD_END_WATCHDOG);
	kit_run(&kit);
	ck_assert_uint_eq(kit.end.cause, AVD_END_WATCHDOG);
	kit_free(&kit);
	while (waitpid(-1, &status, 0) > 0) /* hangs if one of them lives */
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	kit_check_usage(before);
	free(fake);
	kit_remove_dir(dir);
}
END_TEST

/* Every number of free file descriptors, from none to enough. */
START_TEST(file_descriptors_run_out)
{
	struct rlimit limit, old;
	struct kit kit;
	bool done = false;
	kit_init(&kit, "act=r");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	const struct kit_usage before = kit_usage();
	const int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(first);
	for (rlim_t n = (rlim_t)first; !done; n++) {
		limit = (struct rlimit){n, old.rlim_max};
		ck_assert_int_lt((int)n, first + 64);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		memset(&kit.error, 0, sizeof(kit.error));
		const int r = avd__qemu_ops.start(&kit.spec, &kit.machine, &kit.error);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
		if (r == 0) {
			/* QEMU inherits the limit, and may itself have too few */
			kit_run(&kit);
			ck_assert(kit.end.cause == AVD_END_GUEST_RESET ||
				  kit.end.cause == AVD_END_SPAWN_ERROR);
			done = kit.end.cause == AVD_END_GUEST_RESET;
			avd__qemu_ops.free(kit.machine);
		} else {
			ck_assert_msg(kit.error.text[0] && !strchr(kit.error.text, '\n'), "%d", r);
		}
		kit.machine = NULL;
		kit_check_usage(before);
	}
	kit_free(&kit);
}
END_TEST

/* RLIMIT_NPROC does not bind root, so as nobody; threads count too. */
START_TEST(processes_run_out)
{
	struct kit kit;
	kit_init(&kit, "act=r");
	if (geteuid() == 0)
		ck_assert_int_eq(setuid(65534), 0);
	prctl(PR_SET_DUMPABLE, 1); /* or LeakSanitizer can't look at us */
	const struct kit_usage before = kit_usage();
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &limit), 0);
	const struct rlimit none = {0, limit.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
	ck_assert_int_eq(avd__qemu_ops.start(&kit.spec, &kit.machine, &kit.error), -EAGAIN);
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "cannot start "));
	kit_check_usage(before);
	kit_free(&kit);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qemu-process");
	TCase *tc = tcase_create("process");
	tcase_set_timeout(tc, 4 * KIT_HANG_SECONDS);
	tcase_add_test(tc, nothing_survives_a_killed_caller);
	tcase_add_test(tc, a_machine_survives_its_callers_thread);
	tcase_add_test(tc, sigchld_is_the_callers);
	tcase_add_test(tc, what_the_child_inherits);
	tcase_add_test(tc, no_qemu);
	tcase_add_test(tc, a_qemu_that_is_none);
	tcase_add_test(tc, a_qemu_that_hangs_at_its_version);
	tcase_add_test(tc, a_qemu_that_fails);
	tcase_add_test(tc, a_qemu_that_hangs);
	tcase_add_test(tc, file_descriptors_run_out);
	tcase_add_test(tc, processes_run_out);
	suite_add_tcase(suite, tc);
	return kit_main(suite);
}
