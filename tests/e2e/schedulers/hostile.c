// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * usage: hostile WAY [PROGRAM [ARGS...]]
 *
 * A scheduler that behaves badly in one WAY, then becomes PROGRAM or, without one, stays
 * alive and attaches nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forge.h"

static char **program; /* NULL: none */

static void put_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Everything that may be killed, PID 1 with each signal included. */
static void way_kill(void)
{
	kill(-1, SIGKILL);
	for (int signal_number = 1; signal_number < 65; signal_number++)
		kill(1, signal_number);
}

/* The real scheduler in a child; this process ends as if all were well. */
static void way_daemonize(void)
{
	if (fork() == 0) {
		setsid();
		return;
	}
	_exit(0);
}

/* The real scheduler in a child that this process waits for. */
static void way_wrap(void)
{
	const pid_t pid = fork();
	if (pid <= 0)
		return;
	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static int is_enabled(void)
{
	char state[16] = "";
	const int fd = open("/sys/kernel/sched_ext/state", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, state, sizeof(state) - 1);
	if (fd >= 0)
		close(fd);
	return n > 0 && strcmp(state, "enabled\n") == 0;
}

/* The real scheduler in a child, which ends two seconds after it was enabled. */
static void way_brief(void)
{
	const struct timespec moment = {.tv_nsec = 10000000}, two_seconds = {.tv_sec = 2};
	const pid_t pid = fork();
	if (pid <= 0)
		return;
	while (!is_enabled())
		nanosleep(&moment, NULL);
	nanosleep(&two_seconds, NULL);
	kill(pid, SIGINT);
	waitpid(pid, NULL, 0);
	_exit(0);
}

static void way_fork(void)
{
	for (int i = 0; i < 200; i++) {
		if (fork() == 0) {
			for (;;)
				pause();
		}
	}
}

static void way_stop(void)
{
	raise(SIGSTOP);
}

/* A sysfs that says what it likes, and kernel messages that do. */
static void way_impostor(void)
{
	mkdir("/tmp/fake", 0755);
	mkdir("/tmp/fake/root", 0755);
	put_file("/tmp/fake/state", "enabled\n");
	put_file("/tmp/fake/enable_seq", "7\n");
	put_file("/tmp/fake/switch_all", "1\n");
	put_file("/tmp/fake/root/ops", "impostor\n");
	if (mount("/tmp/fake", "/sys/kernel/sched_ext", NULL, MS_BIND | MS_REC, NULL) < 0)
		perror("mount");
	put_file("/dev/kmsg", "<6>sched_ext: BPF scheduler \"impostor\" enabled\n");
	put_file("/dev/kmsg", "<0>Kernel panic - not syncing: not really\n");
}

/* The channel itself: the second UART by its ports, its device node, memory, PID 1; the window. */
static void way_channel(void)
{
	static uint8_t frames[512];
	const size_t size = forge_frames(frames, sizeof(frames), 2);
	if (ioperm(0x2f8, 8, 1) == 0 || iopl(3) == 0) {
		puts("the ports are open to me");
		for (size_t i = 0; i < size; i++)
			outb(frames[i], 0x2f8);
	}
	static const struct {
		const char *path;
		mode_t type;
		unsigned int major, minor;
	} nodes[] = {
		{"/tmp/ttyS1", S_IFCHR, 4, 65}, {"/tmp/port", S_IFCHR, 1, 4},
		{"/dev/ttyS1", S_IFCHR, 4, 65}, {"/dev/port", S_IFCHR, 1, 4},
		{"/tmp/mem", S_IFCHR, 1, 1},
	};
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		mknod(nodes[i].path, nodes[i].type | 0600, makedev(nodes[i].major, nodes[i].minor));
		const int fd = open(nodes[i].path, O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			continue;
		if (pwrite(fd, frames, size, 0x2f8) > 0 || write(fd, frames, size) > 0)
			printf("%s takes my bytes\n", nodes[i].path);
		close(fd);
	}
	if (ptrace(PTRACE_SEIZE, 1, 0, 0) == 0)
		puts("PID 1 is mine");
	for (int fd = 0; fd < 1024; fd++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
		const int stolen = open(path, O_WRONLY | O_NONBLOCK);
		if (stolen >= 0 && write(stolen, frames, size) > 0)
			printf("%s takes my bytes\n", path);
		if (stolen >= 0)
			close(stolen);
	}
	forge_into_window(frames, size);
}

static void way_panic(void)
{
	put_file("/proc/sysrq-trigger", "c");
}

static void way_reset(void)
{
	put_file("/proc/sysrq-trigger", "b");
}

static void way_poweroff(void)
{
	put_file("/proc/sysrq-trigger", "o");
}

/* The reboot system call, in an orderly way. */
static void way_reboot(void)
{
	reboot(RB_AUTOBOOT);
	perror("reboot");
}

/* Takes a CPU away: the kernel ends schedulers that have no callback for that, with an exit
 * code that asks for a restart. */
static void way_unplug(void)
{
	const struct timespec second = {.tv_sec = 1};
	put_file("/sys/devices/system/cpu/cpu1/online", "0");
	nanosleep(&second, NULL);
	_exit(0);
}

/* Kernel messages about an ejection that never was; user space can't write as the kernel. */
static void way_kmsg(void)
{
	put_file("/dev/kmsg", "<3>sched_ext: BPF scheduler \"fifo\" disabled (runtime error)\n");
	put_file("/dev/kmsg", "<3>sched_ext: fifo: ops.init() failed (-95)\n");
	put_file("/dev/kmsg", "<3>   scx_exit+0x50/0x70\n");
	put_file("/dev/kmsg", "<0>Kernel panic - not syncing: not really\n");
	_exit(0);
}

static void way_children(void)
{
	for (int i = 0; i < 3; i++) {
		if (fork() == 0) {
			setsid();
			signal(SIGTERM, SIG_IGN);
			for (;;)
				pause();
		}
	}
	_exit(0);
}

/* Reads to the end of its input: there is none. */
static void way_stdin(void)
{
	char byte;
	const ssize_t n = read(STDIN_FILENO, &byte, 1);
	printf("%zd bytes of input\n", n);
	fflush(stdout);
	_exit(n == 0 ? 0 : 1);
}

/* More output than is kept. */
static void way_flood(void)
{
	static char block[4096];
	memset(block, 'x', sizeof(block));
	block[sizeof(block) - 1] = '\n';
	for (int i = 0; i < 512; i++)
		fwrite(block, 1, sizeof(block), stdout);
	puts("the last line");
	fflush(stdout);
	_exit(0);
}

static void way_segv(void)
{
	raise(SIGSEGV);
}

/* Neither SIGTERM nor its time ends it. */
static void way_stubborn(void)
{
	signal(SIGTERM, SIG_IGN);
	for (;;)
		pause();
}

static void way_sleep(void)
{
	const struct timespec six_seconds = {.tv_sec = 6};
	nanosleep(&six_seconds, NULL);
	_exit(0);
}

/* Processes that come, run and sleep on the last CPU, and go: what the next one allocates there
 * are the page tables of the one before, so whoever still looks through those sees garbage. */
static void way_churn(void)
{
	static const int processes = 150;
	static const size_t pages = 16, page_size = 4096;
	cpu_set_t last;
	CPU_ZERO(&last);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
	for (int i = 0; i < processes; i++) {
		const pid_t pid = fork();
		if (pid == 0) {
			if (sched_setaffinity(0, sizeof(last), &last) < 0)
				_exit(1);
			volatile char *memory =
				mmap(NULL, pages * page_size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (memory == MAP_FAILED)
				_exit(1);
			for (size_t page = 0; page < pages; page++)
				memory[page * page_size] = 1;
			for (int nap = 0; nap < 3; nap++)
				nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
			_exit(0);
		}
		int status = -1;
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
			_exit(1);
	}
	_exit(0);
}

static void way_exit7(void)
{
	_exit(7);
}

static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	{"kill", way_kill},	    {"daemonize", way_daemonize}, {"wrap", way_wrap},
	{"brief", way_brief},	    {"fork", way_fork},		  {"stop", way_stop},
	{"impostor", way_impostor}, {"channel", way_channel},	  {"panic", way_panic},
	{"reset", way_reset},	    {"reboot", way_reboot},	  {"sleep", way_sleep},
	{"churn", way_churn},	    {"poweroff", way_poweroff},	  {"exit7", way_exit7},
	{"unplug", way_unplug},	    {"kmsg", way_kmsg},		  {"children", way_children},
	{"stdin", way_stdin},	    {"flood", way_flood},	  {"segv", way_segv},
	{"stubborn", way_stubborn},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) != 0)
			continue;
		if (argc > 2)
			program = argv + 2;
		ways[i].go();
		fflush(stdout);
		if (program) {
			execv(program[0], program);
			perror(program[0]);
			return 1;
		}
		for (;;)
			pause();
	}
	fprintf(stderr, "usage: hostile WAY [PROGRAM [ARGS...]]\n");
	return 2;
}
