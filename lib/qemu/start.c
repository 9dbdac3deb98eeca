// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "qemu/start.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qemu/args.h"
#include "qemu/find.h"
#include "qemu/topology.h"

/* Room for the console and the channel between two steps of the caller; the guest waits when it
 * is full. */
#define PORT_BUFFER_BYTES (1 << 20)

/* Both ends of each stream, ours first. */
struct ends {
	int ours[AVD__QEMU_STREAMS];
	int theirs[AVD__QEMU_STREAMS];
	int null_fd;
};

static void close_ends(struct ends *ends, bool ours)
{
	for (int i = 0; i < AVD__QEMU_STREAMS; i++) {
		avd__close(&ends->theirs[i]);
		if (ours)
			avd__close(&ends->ours[i]);
	}
	avd__close(&ends->null_fd);
}

static int open_ends(struct ends *ends, struct avd__error *error)
{
	/* channel, console and QMP talk both ways or are checked to be sockets by QEMU */
	static const bool is_socket[AVD__QEMU_STREAMS] = {true, true, true, false, false};

	for (int i = 0; i < AVD__QEMU_STREAMS; i++)
		ends->ours[i] = ends->theirs[i] = -1;
	ends->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool ok = ends->null_fd >= 0;
	for (int i = 0; ok && i < AVD__QEMU_STREAMS; i++) {
		int pair[2];
		if (is_socket[i])
			ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
		else
			ok = pipe2(pair, O_CLOEXEC) == 0;
		if (!ok)
			break;
		ends->ours[i] = pair[0];
		ends->theirs[i] = pair[1];
		ok = fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0;
		const int size = PORT_BUFFER_BYTES; /* a wish: net.core.wmem_max may cut it */
		if (is_socket[i])
			setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	if (ok)
		return 0;
	const int err = errno;
	close_ends(ends, true);
	return avd__fail(error, err, "cannot make QEMU's ports: %s", strerror(err));
}

static int write_file(const char *dir, const char *name, const struct avd__buf *text,
		      struct avd__error *error)
{
	char path[PATH_MAX];
	const int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return avd__fail(error, ENAMETOOLONG, "path too long: %s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : avd__write_all(fd, text->data, text->len);
	avd__close(&fd);
	if (r)
		return avd__fail(error, -r, "cannot write %s: %s", path, strerror(-r));
	return 0;
}

/* The file behind the descriptor if it has a name, else the name given. */
static void kernel_path(const struct avd__machine_spec *spec, char *out, size_t size)
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", spec->kernel_fd);
	const ssize_t n = readlink(link, out, size - 1);
	if (n > 0 && out[0] == '/') {
		out[n] = '\0';
		if (access(out, R_OK) == 0)
			return;
	}
	snprintf(out, size, "%s", spec->kernel_path ? spec->kernel_path : "KERNEL");
}

/* The same machine for a user's own hands. */
static int keep(const struct avd__machine_spec *spec, const struct avd__qemu_setup *setup,
		struct avd__error *error)
{
	char kernel[PATH_MAX], initramfs[PATH_MAX];
	struct avd__qemu_setup by_hand = *setup;
	struct avd__buf words = {0}, line = {0}, cmdline = {0};

	kernel_path(spec, kernel, sizeof(kernel));
	snprintf(initramfs, sizeof(initramfs), "%s/" AVD__KEEP_INITRAMFS, spec->keep_dir);
	by_hand.kernel_path = kernel;
	by_hand.initramfs_path = initramfs;
	int r = avd__qemu_args(&by_hand, &words);
	if (r == 0)
		r = avd__qemu_shell_line(&words, &line);
	if (r == 0)
		r = avd__buf_printf(&cmdline, "%s\n", setup->kernel_cmdline);
	if (r)
		avd__fail(error, -r, "out of memory");
	if (r == 0)
		r = write_file(spec->keep_dir, "qemu-cmdline", &line, error);
	if (r == 0)
		r = write_file(spec->keep_dir, "kernel-cmdline", &cmdline, error);
	avd__buf_free(&words);
	avd__buf_free(&line);
	avd__buf_free(&cmdline);
	return r;
}

/* Shared memory, mapped here and open for QEMU. */
static int make_window(struct avd__window *window, int *ret_fd, struct avd__error *error)
{
	int fd = memfd_create("attachverdict-window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory = MAP_FAILED;
	/* Sealed: a QEMU that went wrong must not be able to cut it under our feet. */
	if (fd >= 0 && ftruncate(fd, AVD__WINDOW_SIZE) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		memory = mmap(NULL, AVD__WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		const int err = errno;
		avd__close(&fd);
		return avd__fail(error, err, "cannot make the window: %s", strerror(err));
	}
	avd__window_format(window, memory);
	*ret_fd = fd;
	return 0;
}

static int spawn(const struct avd__machine_spec *spec, const struct avd__qemu_setup *setup,
		 struct avd__qemu_process *ret_process, struct avd__error *error)
{
	struct avd__buf words = {0};
	struct ends ends;
	struct avd__child *child;
	int window_fd = -1;

	if (avd__qemu_args(setup, &words))
		return avd__fail(error, ENOMEM, "out of memory");
	char **argv = avd__qemu_argv(&words);
	int r = argv ? 0 : avd__fail(error, ENOMEM, "out of memory");
	if (r == 0 && setup->window)
		r = make_window(&ret_process->window, &window_fd, error);
	if (r == 0)
		r = open_ends(&ends, error);
	if (r)
		goto out;
	const int fds[AVD__QEMU_FD_COUNT] = {
		[AVD__QEMU_FD_STDIN] = ends.null_fd,
		[AVD__QEMU_FD_STDOUT] = ends.theirs[4],
		[AVD__QEMU_FD_STDERR] = ends.theirs[4],
		[AVD__QEMU_FD_KERNEL] = spec->kernel_fd,
		[AVD__QEMU_FD_INITRAMFS] = spec->initramfs_fd,
		[AVD__QEMU_FD_CHANNEL] = ends.theirs[0],
		[AVD__QEMU_FD_CONSOLE] = ends.theirs[1],
		[AVD__QEMU_FD_QMP] = ends.theirs[2],
		[AVD__QEMU_FD_TRACE] = ends.theirs[3],
		[AVD__QEMU_FD_WINDOW] = window_fd,
	};
	r = avd__write_all(ends.ours[2], avd__qmp_hello, strlen(avd__qmp_hello));
	if (r)
		avd__fail(error, -r, "cannot write to QEMU's monitor: %s", strerror(-r));
	else
		r = avd__child_start(setup->program, argv, fds,
				     AVD__QEMU_FD_COUNT - (window_fd < 0), &child, error);
	close_ends(&ends, r != 0);
	if (r == 0) {
		ret_process->child = child;
		memcpy(ret_process->streams, ends.ours, sizeof(ends.ours));
	}
out:
	avd__close(&window_fd);
	if (r && ret_process->window.memory) {
		munmap(ret_process->window.memory, AVD__WINDOW_SIZE);
		ret_process->window.memory = NULL;
	}
	free(argv);
	avd__buf_free(&words);
	return r;
}

/* CPUID leaf 0: "AuthenticAMD", or its licensee's "HygonGenuine". */
static bool host_is_amd(void)
{
	unsigned int highest, b, c, d;
	char vendor[12];
	if (!__get_cpuid(0, &highest, &b, &c, &d))
		return false;
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	return !memcmp(vendor, "AuthenticAMD", 12) || !memcmp(vendor, "HygonGenuine", 12);
}

int avd__qemu_start(const struct avd__machine_spec *spec, struct avd__qemu_process *ret_process,
		    struct avd__error *error)
{
	struct avd__qemu qemu;
	struct avd__buf cmdline = {0};

	int r = avd__qemu_open(spec->qemu, &qemu, error);
	if (r)
		return r;
	r = spec->topology ? avd__qemu_check_topology(spec->topology, error) : 0;
	if (r)
		return r;
	r = avd__qemu_kernel_cmdline(spec->topology, spec->kernel_args, spec->args_only, &cmdline);
	if (r)
		return avd__fail(error, -r, "out of memory");
	const struct avd__qemu_setup setup = {
		.program = qemu.info.path,
		.major = qemu.info.major,
		.accel = spec->accel ? spec->accel : "tcg",
		.sandbox = spec->sandbox && qemu.info.sandbox,
		.amd = host_is_amd(),
		.cpus = spec->cpus,
		.topology = spec->topology,
		.memory_bytes = spec->memory_bytes,
		.window = !spec->serial,
		.kernel_cmdline = cmdline.data,
	};
	avd__log(&spec->log, AVD_LOG_INFO, "QEMU %u.%u.%u (%s), accelerator %s", qemu.info.major,
		 qemu.info.minor, qemu.info.micro, qemu.info.path, setup.accel);
	if (spec->sandbox && !qemu.info.sandbox)
		avd__log(&spec->log, AVD_LOG_WARNING,
			 "QEMU runs without a sandbox: it was built without seccomp");
	ret_process->sandbox = setup.sandbox;
	r = spec->keep_dir ? keep(spec, &setup, error) : 0;
	if (r == 0)
		r = spawn(spec, &setup, ret_process, error);
	avd__buf_free(&cmdline);
	return r;
}
