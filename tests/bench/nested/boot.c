// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * usage: boot unpack VMLINUZ VMLINUX
 *        boot kvm|QEMU VMLINUX INITRAMFS MEMORY_MIB [window|serial BYTES]
 *
 * Runs a machine of the library as cells do, its console to standard output, until it is killed.
 * With a carrier it prints the ns from the guest's mark to the last of BYTES on the channel.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "image/kernel.h"
#include "machine/machine.h"
#include "qemu/qemu.h"
#include "vmm/vmm.h"

struct run {
	uint64_t marked_ns, wanted, got;
	bool carries;
};

static struct avd__error error;

static void die(const char *what)
{
	fprintf(stderr, "boot: %s%s%s\n", what, error.text[0] ? ": " : "", error.text);
	exit(EXIT_FAILURE);
}

static void on_console(void *userdata, const void *bytes, size_t size)
{
	struct run *run = userdata;
	if (!run->marked_ns && memchr(bytes, BENCH_MARK, size))
		run->marked_ns = avd__now_ns();
	if (!run->carries && write(STDOUT_FILENO, bytes, size) < 0)
		die("standard output");
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	struct run *run = userdata;
	(void)bytes;
	run->got += size;
	if (!run->carries || run->got < run->wanted)
		return 0;
	if (!run->marked_ns)
		die("bytes on the channel before the mark");
	printf("%" PRIu64 "\n", avd__now_ns() - run->marked_ns);
	exit(EXIT_SUCCESS);
}

/* The machines take a sealed memory file, as cells make one. */
static int open_initramfs(const char *path, uint64_t *ret_size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	*ret_size = (uint64_t)st.st_size;
	return fd;
}

static int unpack(const char *from, const char *to)
{
	static char buffer[1 << 20];
	struct avd__kernel *kernel;
	int in = -1;
	if (avd__kernel_open(from, &kernel, &error) < 0 ||
	    avd__kernel_vmlinux(kernel, NULL, &in, &error) < 0)
		die(from);
	const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;
	if (out < 0)
		die(to);
	while ((n = read(in, buffer, sizeof(buffer))) > 0) {
		if (write(out, buffer, (size_t)n) != n)
			die(to);
	}
	return n < 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "unpack"))
		return unpack(argv[2], argv[3]);
	if (argc != 5 && argc != 7)
		die("wrong usage");
	const struct avd__machine_ops *ops =
		!strcmp(argv[1], "kvm") ? &avd__vmm_ops : &avd__qemu_ops;
	struct run run = {.carries = argc == 7};
	char arguments[128] = "";
	if (run.carries) {
		run.wanted = strtoull(argv[6], NULL, 10);
		snprintf(arguments, sizeof(arguments), "avd_bench=%s avd_bench_bytes=%s", argv[5],
			 argv[6]);
	}
	struct avd__machine_spec spec = {
		.kernel_fd = open(argv[2], O_RDONLY | O_CLOEXEC),
		.kernel_path = argv[2],
		.kernel_format = AVD_KERNEL_VMLINUX,
		.kernel_pvh = AVD_YES,
		.cpus = 1,
		.memory_bytes = strtoull(argv[4], NULL, 10) << 20,
		.serial = run.carries && !strcmp(argv[5], "serial"),
		.kernel_args = arguments,
		.qemu = argv[1],
	};
	spec.initramfs_fd = open_initramfs(argv[3], &spec.initramfs_bytes);
	const struct avd__machine_sink sink = {
		.userdata = &run, .console = on_console, .channel = on_channel};
	struct avd__machine *machine;
	struct avd__machine_end end = {0};
	if (spec.kernel_fd < 0 || ops->start(&spec, &machine, &error) < 0)
		die("cannot start the machine");
	for (int r = 1; r > 0;) {
		struct pollfd polled = {.fd = ops->fd(machine), .events = POLLIN};
		poll(&polled, 1, -1);
		r = ops->step(machine, &sink, &end);
	}
	fprintf(stderr, "boot: the machine ended: %s %s\n", avd_end_cause_name(end.cause),
		end.detail);
	return EXIT_FAILURE;
}
