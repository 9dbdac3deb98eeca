// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mounts.h"

/* fds of a child while it is held */
#define CHILD_REPORT 3
#define CHILD_HOLD 4
#define CHILD_FIRST_FREE 5

#define EXIT_CANNOT_EXEC 127 /* the shell's convention */

/* The ends that a child gets. */
struct child_ends {
	int out, err, report, hold;
};

/* What a child could not do, with its errno. */
struct failure {
	char step[AVD__STEP_MAX];
	int error;
};

_Noreturn static void give_up(const char *step)
{
	struct failure failure = {.error = errno};

	strncpy(failure.step, step, sizeof(failure.step) - 1);
	(void)!write(CHILD_REPORT, &failure, sizeof(failure)); /* or init is gone */
	_exit(EXIT_CANNOT_EXEC);
}

/* Moves the ends to their places and closes all else of init's, the channel first of all. */
static void arrange_fds(const struct child_ends *ends)
{
	/* The places may be taken by other ends: move those out of the way. */
	const int report = fcntl(ends->report, F_DUPFD, 64);
	const int hold = fcntl(ends->hold, F_DUPFD, 64);
	const int out = ends->out < 0 ? -1 : fcntl(ends->out, F_DUPFD, 64);
	const int err = ends->err < 0 ? -1 : fcntl(ends->err, F_DUPFD, 64);

	if (report < 0 || hold < 0 || dup3(report, CHILD_REPORT, O_CLOEXEC) < 0 ||
	    dup3(hold, CHILD_HOLD, O_CLOEXEC) < 0)
		_exit(EXIT_CANNOT_EXEC);
	/* 0 to 2 are /dev/null in init. */
	if ((out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    (err >= 0 && dup2(err, STDERR_FILENO) < 0))
		give_up("dup2");
	if (syscall(SYS_close_range, CHILD_FIRST_FREE, ~0u, 0) < 0)
		give_up("close_range");
}

static void default_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_oom_score(int score)
{
	char text[16];
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	const int n = snprintf(text, sizeof(text), "%d", score);

	/* A preference, not a need. */
	if (fd < 0)
		return;
	(void)!write(fd, text, (size_t)n);
	close(fd);
}

_Noreturn static void child_main(const struct avd__spawn *spawn, const struct child_ends *ends)
{
	const struct sched_param normal = {0};
	char go;

	arrange_fds(ends);
	default_signals();
	setsid();
	set_oom_score(spawn->oom_score_adj);
	if (sched_setscheduler(0, SCHED_OTHER, &normal) < 0)
		give_up("sched_setscheduler");
	if (avd__drop_privileges() < 0)
		give_up("dropping privileges");
	/* End of file: init does not need this one any more. */
	if (read(CHILD_HOLD, &go, 1) != 1)
		_exit(0);
	if (spawn->run) {
		spawn->run(spawn->userdata);
		_exit(0);
	}
	if (strchr(spawn->argv[0], '/'))
		execve(spawn->argv[0], spawn->argv, (char *const *)avd__environment);
	else
		execvpe(spawn->argv[0], spawn->argv, (char *const *)avd__environment);
	give_up("execve");
}

/* clone3() with a pidfd from the first moment, straight into the cgroup. */
static pid_t clone_child(const struct avd__spawn *spawn, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = spawn->cgroup >= 0 ? CLONE_PIDFD | CLONE_INTO_CGROUP : CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = spawn->cgroup >= 0 ? (unsigned)spawn->cgroup : 0,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int avd__child_spawn(const struct avd__spawn *spawn, struct avd__child *ret_child,
		     struct avd__text *why)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1}, hold[2] = {-1, -1};
	int *const pipes[] = {report, hold, out, err};
	int pidfd = -1;
	pid_t pid = -1;

	for (size_t i = 0; i < (spawn->output ? 4u : 2u); i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			goto out;
	pid = clone_child(spawn, &pidfd);
	if (pid == 0) {
		const struct child_ends ends = {
			.out = out[1], .err = err[1], .report = report[1], .hold = hold[0]};
		child_main(spawn, &ends);
	}
out:
	if (pid < 0)
		avd__text_add(why, "starting %s: %s", spawn->run ? "the probe" : spawn->argv[0],
			      strerror(errno));
	const int child_ends[] = {out[1], err[1], report[1], hold[0]};
	const int own_ends[] = {out[0], err[0], report[0], hold[1]};
	for (size_t i = 0; i < 4; i++) {
		if (child_ends[i] >= 0)
			close(child_ends[i]);
		if (own_ends[i] < 0)
			continue;
		if (pid < 0)
			close(own_ends[i]);
		else
			fcntl(own_ends[i], F_SETFL, O_NONBLOCK);
	}
	if (pid < 0)
		return -1;
	*ret_child = (struct avd__child){.pid = pid,
					 .pidfd = pidfd,
					 .out = {out[0], err[0]},
					 .hold = hold[1],
					 .report = report[0],
					 .exit = {.status = -1}};
	return 0;
}

void avd__child_release(struct avd__child *child)
{
	if (child->hold < 0)
		return;
	(void)!write(child->hold, "", 1); /* dead already: its pidfd tells */
	close(child->hold);
	child->hold = -1;
}

bool avd__child_alive(const struct avd__child *child)
{
	struct pollfd pollfd = {.fd = child->pidfd, .events = POLLIN};

	if (!child->pid || child->reaped)
		return false;
	/* Whatever goes wrong here must not look like life. */
	return poll(&pollfd, 1, 0) == 0;
}

static void take_report(struct avd__child *child)
{
	struct failure failure;

	if (child->report < 0)
		return;
	if (read(child->report, &failure, sizeof(failure)) == (ssize_t)sizeof(failure)) {
		child->exit.exec_failed = true;
		child->exit.error = (uint32_t)failure.error;
		memcpy(child->failed_step, failure.step, sizeof(child->failed_step));
	}
	close(child->report);
	child->report = -1;
}

void avd__child_reap(struct avd__child *child)
{
	siginfo_t info = {0};

	if (!child->pid || child->reaped)
		return;
	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) < 0 || !info.si_pid)
		return;
	child->reaped = true;
	if (info.si_code == CLD_EXITED)
		child->exit.status = info.si_status;
	else
		child->exit.signal = (uint32_t)info.si_status;
	take_report(child);
}

void avd__reap_orphans(struct avd__child *const *known, size_t count)
{
	/* Enough for a fork bomb's remains to go away over some turns of the loop. */
	for (int i = 0; i < 64; i++) {
		siginfo_t info = {0};
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid)
			return;
		for (size_t k = 0; k < count; k++)
			if (known[k]->pid == info.si_pid && !known[k]->reaped)
				avd__child_reap(known[k]);
		/* ECHILD if it was one of those: then it is reaped already. */
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
	}
}

void avd__child_signal(const struct avd__child *child, int number)
{
	/* The pid can't be another's as long as it was not reaped; its group may outlive it. */
	if (child->pid)
		kill(-child->pid, number);
}
