/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What a program or a shared library asks of the dynamic linker, read with libelf. */
#ifndef AVD_LIB_IMAGE_ELFDYN_H
#define AVD_LIB_IMAGE_ELFDYN_H

#include <stdbool.h>

#include "base/error.h"

/* A library that is needed by more than this many is no program for a small guest. */
#define AVD__NEEDED_MAX 1024u

struct avd__elf_dyn {
	unsigned int type; /* ET_EXEC, ET_DYN, ET_REL ... */
	unsigned int machine; /* EM_X86_64, EM_BPF ... */
	bool is64; /* ELFCLASS64 */
	bool nodeflib; /* DF_1_NODEFLIB: ld.so.cache and default directories don't count */
	char *interp; /* PT_INTERP, NULL if there is none */
	char *soname;
	char *rpath; /* NULL if there is a DT_RUNPATH, which makes it void */
	char *runpath;
	char **needed;
	size_t needed_count;
};

/* `path` is for messages. -ENOEXEC: not ELF; -EBADMSG: damaged; -ENOMEM. Free the result with
 * avd__elf_dyn_free(). */
int avd__elf_dyn_read(int fd, const char *path, struct avd__elf_dyn *ret_dyn,
		      struct avd__error *error);
void avd__elf_dyn_free(struct avd__elf_dyn *dyn);

/* "aarch64", "32-bit x86", ... for messages. */
const char *avd__elf_machine_name(unsigned int machine);

#endif
