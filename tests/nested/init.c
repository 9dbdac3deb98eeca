// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * PID 1 of the outer machine: mounts, loads the modules of /modules in the order of their
 * names, runs each line of /plan, and powers off.
 *
 * A line of the plan is NAME<TAB>COMMAND WORDS...; words are separated by single spaces, and a
 * unit separator (0x1f) in a word stands for a space.
 * What the commands print goes to the second serial port, a line at a time:
 *
 *     begin NAME
 *     out TEXT          (standard output)
 *     err TEXT          (standard error)
 *     end NAME STATUS   (exit status, or 128 + signal)
 *
 * and `finished` after the last one: without it the outer machine broke down.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 64
#define LINE_MAX_BYTES 65536

static FILE *results;

static void say(const char *what, const char *text)
{
	fprintf(results, "%s %s\n", what, text);
	fflush(results);
}

static void mounts(void)
{
	static const char *const points[][2] = {
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}};
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		mkdir(points[i][1], 0755);
		if (mount(points[i][0], points[i][1], points[i][0], 0, NULL) < 0 && errno != EBUSY)
			perror(points[i][1]);
	}
	/* No file system of its own on /tmp: the files of the plan may stand there. */
	mkdir("/tmp", 01777);
	mkdir("/dev/shm", 01777);
	mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_modules(void)
{
	struct dirent **entries;
	const int count = scandir("/modules", &entries, NULL, by_name);
	for (int i = 0; i < count; i++) {
		char path[512];
		snprintf(path, sizeof(path), "/modules/%s", entries[i]->d_name);
		free(entries[i]);
		if (!strstr(path, ".ko"))
			continue;
		const int fd = open(path, O_RDONLY | O_CLOEXEC);
		const char *options = strstr(path, "kvm-amd") ? "npt=1" : "";
		if (fd < 0 || syscall(SYS_finit_module, fd, options, 0) < 0) {
			char text[600];
			snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
			say("err", text);
		}
		if (fd >= 0)
			close(fd);
	}
	if (count >= 0)
		free(entries);
}

struct source {
	int fd;
	const char *what;
	size_t len;
	char line[LINE_MAX_BYTES];
};

/* Passes whole lines on; 0 at the end of the stream. */
static int forward(struct source *source)
{
	const size_t room = sizeof(source->line) - 1 - source->len;
	const ssize_t n = read(source->fd, source->line + source->len, room);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n > 0)
		source->len += (size_t)n;
	source->line[source->len] = '\0';
	char *start = source->line;
	for (char *end; (end = strchr(start, '\n')); start = end + 1) {
		*end = '\0';
		say(source->what, start);
	}
	source->len = strlen(start);
	if (source->len && (n <= 0 || source->len == sizeof(source->line) - 1)) {
		say(source->what, start);
		source->len = 0;
	}
	memmove(source->line, start, source->len);
	return n > 0;
}

static int run(char **words)
{
	static struct source sources[2];
	struct pollfd polled[2];
	int pipes[2][2];
	for (int i = 0; i < 2; i++) {
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return 127;
	}
	const pid_t pid = fork();
	if (pid == 0) {
		dup2(pipes[0][1], STDOUT_FILENO);
		dup2(pipes[1][1], STDERR_FILENO);
		execv(words[0], words);
		perror(words[0]);
		_exit(127);
	}
	for (int i = 0; i < 2; i++) {
		close(pipes[i][1]);
		sources[i].fd = pipes[i][0];
		sources[i].what = i ? "err" : "out";
		sources[i].len = 0;
		polled[i] = (struct pollfd){.fd = pipes[i][0], .events = POLLIN};
	}
	while (polled[0].fd >= 0 || polled[1].fd >= 0) {
		if (poll(polled, 2, -1) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			if (polled[i].fd >= 0 && polled[i].revents && !forward(&sources[i])) {
				close(polled[i].fd);
				polled[i].fd = -1;
			}
		}
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_line(char *line)
{
	char *words[WORDS_MAX + 1];
	int count = 0;
	char *rest = strchr(line, '\t');
	if (!rest)
		return;
	*rest++ = '\0';
	for (char *word; count < WORDS_MAX && (word = strsep(&rest, " "));) {
		words[count++] = word;
		for (; *word; word++)
			*word = *word == '\x1f' ? ' ' : *word;
	}
	words[count] = NULL;
	say("begin", line);
	const int status = run(words);
	fprintf(results, "end %s %d\n", line, status);
	fflush(results);
}

int main(void)
{
	/* On a slow host the kernel's second look at the rate of its TSC, a second after the
	 * first, may be due by now: tsc.py wants KVM to be loaded before. */
	const struct sched_param first = {.sched_priority = 1}, as_others = {0};
	if (sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		perror("SCHED_FIFO");
	mounts();
	results = fopen("/dev/ttyS1", "we");
	if (!results)
		results = stderr;
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/tmp", 1);
	load_modules();
	if (sched_setscheduler(0, SCHED_OTHER, &as_others) < 0)
		perror("SCHED_OTHER");
	FILE *plan = fopen("/plan", "re");
	static char line[LINE_MAX_BYTES];
	while (plan && fgets(line, sizeof(line), plan)) {
		line[strcspn(line, "\n")] = '\0';
		run_line(line);
	}
	say("finished", "");
	fclose(results);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
