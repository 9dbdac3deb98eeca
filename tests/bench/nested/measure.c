// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * usage: measure BOOT QEMU VMLINUX STUB INITRAMFS
 *
 * In the outer machine, as bench.py says: the library's KVM machine (a program that starts it:
 * BOOT) against QEMU's microvm and q35 under KVM, each a child of this process, in turn. STUB is
 * VMLINUX with both its entry points overwritten by an OUT of BENCH_MARK to the console's port:
 * the guest's first instruction, after all of the same file was loaded.
 *
 * Prints "sample PEER MARK VALUES": MARK is first (the first instruction) or init; VALUES are
 *   wall, ns    from right before exec() to the mark
 *   cpu, ns     the process's CPU clock meanwhile: its threads, with what kernel and guest run in
 * them exits       KVM's tracepoints kvm_userspace_exit and kvm_exit until the mark, all threads
 *   KiB         Rss of all mappings but the guest's RAM (the one that is as large), in
 *               /proc/PID/smaps, at the mark
 * Before and after, "clock": bench.py then reads how much CPU time the emulator has used, which,
 * unlike the clocks in here, does not count what else the host does. Nothing runs here for a
 * moment then, so that it need not hurry.
 * Then "carrier kvm CARRIER BYTES NS".
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS 5
#define CARRIER_ROUNDS 3
#define MEMORY_MIB "512"
#define MEMORY_KIB (UINT64_C(512) << 10)
/* A machine that says nothing for so long does not work. */
#define PATIENCE_S 120
#define WORDS_MAX 32
/* A byte costs 0.3 ms there, since KVM exits for each one of a string: a part has to do. */
#define WINDOW_BYTES "4194304"
#define SERIAL_BYTES "32768"

/* For bench.py to notice a line and read a clock. */
#define PAUSE_US 200000

/* What lib/vmm gives its kernels; what QEMU's machines need is the same. */
#define CMDLINE                                                                            \
	"console=ttyS0 quiet panic=-1 reboot=k pci=off nokaslr mitigations=off "           \
	"tsc=reliable no_timer_check i8042.noaux random.trust_cpu=on cryptomgr.notests=1 " \
	"8250.nr_uarts=1 rdinit=/init"

enum { FIRST, INIT, MARKS };
static const char *const mark_names[] = {"first", "init"};

struct peer {
	const char *name, *machine; /* machine: QEMU's, NULL: ours */
};

/* Each of QEMU's with all off that the kernel does without. But an RTC: to look for one that is not
 * there costs microvm 40,000 exits. */
#define MICROVM \
	"microvm,x-option-roms=off,pit=off,pic=off,rtc=on,isa-serial=on,auto-kernel-cmdline=off"
#define Q35 "q35,smm=off,sata=off,usb=off,vmport=off,hpet=off"
static const struct peer peers[] = {
	{.name = "kvm"}, {.name = "microvm", .machine = MICROVM}, {.name = "q35", .machine = Q35}};
#define PEERS (sizeof(peers) / sizeof(peers[0]))

static const char *boot_program, *qemu, *vmlinux, *stub, *initramfs;

static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	if (clock_gettime(clock, &t) < 0)
		die("clock_gettime");
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Counts a tracepoint of KVM in a process and all that it will start; -1: not available. */
static int count_events(const char *name, pid_t pid)
{
	char path[128], text[16] = "";
	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/kvm/%s/id", name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
				       .size = sizeof(attr),
				       .config = strtoull(text, NULL, 10),
				       .disabled = 1,
				       .inherit = 1,
				       .enable_on_exec = 1};
	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t counted(int fd)
{
	uint64_t n = 0;
	if (fd < 0 || read(fd, &n, sizeof(n)) != sizeof(n))
		return 0;
	close(fd);
	return n;
}

/* KiB. */
static uint64_t beyond_ram(pid_t pid)
{
	char path[64], line[512];
	uint64_t size = 0, rss, sum = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "Size: %" SCNu64, &size);
		if (sscanf(line, "Rss: %" SCNu64, &rss) == 1 && size < MEMORY_KIB)
			sum += rss;
	}
	fclose(file);
	return sum;
}

/* Starts a program that is held back until a byte comes; *ret_out is its standard output. */
static pid_t start(char *const *words, int *ret_go, int *ret_out)
{
	int go[2], out[2];
	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	const pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		char byte;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		if (read(go[0], &byte, 1) == 1)
			execv(words[0], words);
		_exit(127);
	}
	close(go[0]);
	close(out[1]);
	*ret_go = go[1];
	*ret_out = out[0];
	return pid;
}

/* What a machine says before its mark is of interest if none comes. */
static void wait_for_mark(int out, const char *name)
{
	static char said[65536];
	size_t len = 0;
	for (;;) {
		if (len == sizeof(said))
			len = 0;
		const ssize_t n = read(out, said + len, sizeof(said) - len);
		if (n <= 0) {
			fprintf(stderr, "measure: %s ended before its mark: %.*s\n", name, (int)len,
				said);
			exit(EXIT_FAILURE);
		}
		if (memchr(said + len, BENCH_MARK, (size_t)n))
			return;
		len += (size_t)n;
	}
}

static void end(pid_t pid, int out)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(out);
}

static void tell_clock(void)
{
	printf("clock\n");
	usleep(PAUSE_US);
}

static void run(const struct peer *peer, int mark)
{
	const char *kernel = mark == FIRST ? stub : vmlinux;
	const char *const ours[] = {boot_program, "kvm", kernel, initramfs, MEMORY_MIB, NULL};
	const char *const theirs[] = {
		qemu, "-M", peer->machine, "-accel", "kvm", "-cpu", "host", "-m", MEMORY_MIB,
		"-smp", "1", "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot",
		"-serial", "stdio", "-kernel", kernel, "-initrd", initramfs, "-append",
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one word */
		CMDLINE, NULL};
	const char *words[WORDS_MAX];
	if (peer->machine)
		memcpy(words, theirs, sizeof(theirs));
	else
		memcpy(words, ours, sizeof(ours));
	int go, out;
	clockid_t clock;
	const pid_t pid = start((char *const *)words, &go, &out);
	const int user_exits = count_events("kvm_userspace_exit", pid);
	const int kvm_exits = count_events("kvm_exit", pid);
	if (clock_getcpuclockid(pid, &clock) != 0)
		die("clock_getcpuclockid");
	tell_clock();
	alarm(PATIENCE_S);
	const uint64_t cpu = clock_ns(clock), wall = clock_ns(CLOCK_MONOTONIC);
	if (write(go, "", 1) != 1)
		die("write");
	close(go);
	wait_for_mark(out, peer->name);
	const uint64_t wall_end = clock_ns(CLOCK_MONOTONIC), cpu_end = clock_ns(clock);
	tell_clock();
	printf("sample %s %s %" PRIu64 " %" PRIu64, peer->name, mark_names[mark], wall_end - wall,
	       cpu_end - cpu);
	printf(" %" PRIu64, counted(user_exits));
	printf(" %" PRIu64 " %" PRIu64 "\n", counted(kvm_exits), beyond_ram(pid));
	alarm(0);
	end(pid, out);
}

static void machines(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (int mark = FIRST; mark < MARKS; mark++) {
			for (size_t i = 0; i < PEERS; i++)
				run(&peers[i], mark);
		}
	}
}

static void carry(const char *carrier, const char *bytes)
{
	const char *const words[] = {boot_program, "kvm",   vmlinux, initramfs,
				     MEMORY_MIB,   carrier, bytes,   NULL};
	int go, out;
	char text[64] = "";
	const pid_t pid = start((char *const *)words, &go, &out);
	alarm(PATIENCE_S);
	if (write(go, "", 1) != 1)
		die("write");
	close(go);
	if (read(out, text, sizeof(text) - 1) <= 0) {
		fprintf(stderr, "measure: the carrier %s ended early\n", carrier);
		exit(EXIT_FAILURE);
	}
	alarm(0);
	end(pid, out);
	printf("carrier kvm %s %s %s", carrier, bytes, text);
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "measure: wrong usage\n");
		return EXIT_FAILURE;
	}
	boot_program = argv[1];
	qemu = argv[2];
	vmlinux = argv[3];
	stub = argv[4];
	initramfs = argv[5];
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	machines();
	for (int round = 0; round < CARRIER_ROUNDS; round++) {
		carry("window", WINDOW_BYTES);
		carry("serial", SERIAL_BYTES);
	}
	return EXIT_SUCCESS;
}
