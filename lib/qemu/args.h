/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* QEMU's and the kernel's command lines, as pure functions. */
#ifndef AVD_LIB_QEMU_ARGS_H
#define AVD_LIB_QEMU_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "qemu/qemu.h"
#include "topology/topology.h"

/* The file descriptors that QEMU is started with. */
enum avd__qemu_fd {
	AVD__QEMU_FD_STDIN = 0,
	AVD__QEMU_FD_STDOUT = 1,
	AVD__QEMU_FD_STDERR = 2,
	AVD__QEMU_FD_KERNEL = 3,
	AVD__QEMU_FD_INITRAMFS = 4,
	AVD__QEMU_FD_CONSOLE = 5,
	AVD__QEMU_FD_CHANNEL = 6,
	AVD__QEMU_FD_QMP = 7,
	AVD__QEMU_FD_TRACE = 8,
	AVD__QEMU_FD_WINDOW = 9, /* the last: not every machine has one */
	AVD__QEMU_FD_COUNT = 10,
};

struct avd__qemu_setup {
	const char *program;
	uint32_t major; /* QEMU's version */
	const char *accel; /* "tcg" or "kvm" */
	bool sandbox;
	bool window; /* not by hand: the guest falls back to serial then */
	bool amd; /* the host's CPU; of interest with KVM */
	uint32_t cpus;
	const struct avd__topology *topology; /* of as many CPUs; NULL: as QEMU likes */
	uint64_t memory_bytes;
	const char *kernel_cmdline;
	/* Both NULL: the numbered file descriptors. Else paths, and the ports go to files and the
	 * terminal: what a user can run by hand. */
	const char *kernel_path;
	const char *initramfs_path;
};

/* Append a word, or an option and its value, each ended by NUL. The buffer's error is sticky. */
void avd__qemu_word(struct avd__buf *words, const char *text);
void avd__qemu_add(struct avd__buf *words, const char *option, const char *fmt, ...)
	AVD_PRINTF(3, 4);

/* The words after another, NUL after each, an empty word at the end. 0 or -ENOMEM. */
int avd__qemu_args(const struct avd__qemu_setup *setup, struct avd__buf *ret_words);
/* A NULL-terminated argv into the words; free() it. NULL: out of memory. */
char **avd__qemu_argv(const struct avd__buf *words);
/* The same words as a line for the shell. 0 or -ENOMEM. */
int avd__qemu_shell_line(const struct avd__buf *words, struct avd__buf *ret_line);

/* The kernel's command line: ours and then `more`, or `more` only; `topology` and `more` may be
 * NULL. 0 or -ENOMEM. */
int avd__qemu_kernel_cmdline(const struct avd__topology *topology, const char *more, bool only,
			     struct avd__buf *ret_line);

/* "QEMU emulator version 7.2.22 (Debian ...)": 0, or -1 if `text` does not start so. */
int avd__qemu_parse_version(const char *text, struct avd__qemu_info *ret_info);

#endif
