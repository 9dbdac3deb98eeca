/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What an uncompressed ELF kernel tells about itself. */
#ifndef AVD_LIB_IMAGE_VMLINUX_H
#define AVD_LIB_IMAGE_VMLINUX_H

#include <stdbool.h>

#include <attachverdict/kernel.h>

#include "base/error.h"
#include "image/file.h"

struct avd__vmlinux {
	char release[128]; /* empty if there is no banner */
	bool pvh; /* has XEN_ELFNOTE_PHYS32_ENTRY */
	enum avd_tristate btf; /* AVD_UNKNOWN: no section table to look in */
	bool btf_sched_ext; /* BTF knows struct sched_ext_ops */
	char *config; /* the embedded .config, NULL if none; free() */
};

/* -ENOEXEC: not an x86_64 kernel, told how; -EBADMSG: truncated or damaged; -ENOMEM. */
int avd__vmlinux_inspect(const struct avd__source *vmlinux, const char *path,
			 struct avd__vmlinux *ret_vmlinux, struct avd__error *error);

#endif
