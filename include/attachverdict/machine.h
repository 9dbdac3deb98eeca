/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The machines that a cell can run in, and whether they can be used here.
 */
#ifndef ATTACHVERDICT_MACHINE_H
#define ATTACHVERDICT_MACHINE_H

#include <attachverdict/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avd_machine_kind {
	AVD_MACHINE_AUTO = 0,
	AVD_MACHINE_QEMU = 1,
	AVD_MACHINE_KVM = 2,
};

/* Fixed layout; unused bytes are zero. */
struct avd_machine_info {
	uint32_t kind; /* enum avd_machine_kind: the one that a cell would use, never AUTO */
	uint32_t version[3]; /* of the program that runs it: major, minor, micro; zero: none */
	char accel[16]; /* how it runs the guest's instructions: "kvm", "tcg" (emulation) */
	char program[256]; /* absolute path of that program; empty: the library itself */
	char note[256]; /* one line worth knowing, or empty */
	uint64_t reserved[8];
};

/* "auto", "qemu", "kvm"; "unknown" for other values. Static storage. Thread-safe. Since 0.1. */
AVD_API const char *avd_machine_kind_name(uint32_t kind);

/* Says whether a cell with these options could run here, and how, by looking and
 * by trying, within seconds; starts no kernel. `qemu`: its path, NULL: the one in
 * $PATH. On failure writes one line with what is missing and the remedy to `error`
 * (if error_size > 0). -EINVAL: no such kind; -ENOENT, -EACCES: it can't be used;
 * -ENOTSUP: this library does not have that machine. Thread-safe. Since 0.1. */
AVD_API int avd_machine_probe(uint32_t kind, const char *qemu, struct avd_machine_info *ret_info,
			      char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
