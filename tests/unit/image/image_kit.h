/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Small kernels made in memory, and files for the tests of lib/image. */
#ifndef AVD_TESTS_IMAGE_KIT_H
#define AVD_TESTS_IMAGE_KIT_H

#include <attachverdict/kernel.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "image/unpack.h"

/* Where a kit bzImage's payload begins. */
#define KIT_PAYLOAD_AT 0xa00u
#define KIT_RELEASE "6.16.12+kit-amd64"

/* For loops: Check's own macros send a message through a pipe each time. */
#define KIT_CHECK(condition, ...)                  \
	do {                                       \
		if (!(condition))                  \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

/* An ELF file that looks like a kernel; zero means: x86_64, ET_EXEC, 64 bits. */
struct kit_vmlinux {
	const char *release; /* in the banner; NULL: no banner */
	const char *config; /* embedded as IKCONFIG; NULL: none */
	bool pvh;
	bool btf;
	bool btf_sched_ext;
	bool interp; /* a PT_INTERP: a user's program */
	bool no_sections;
	unsigned int machine;
	unsigned int type;
	bool is32;
	bool big_endian;
	size_t padding; /* bytes that don't compress, at the end */
};

/* All of these abort the test when they fail. Free the results with avd__buf_free(). */
struct avd__buf kit_make_vmlinux(const struct kit_vmlinux *what);
struct avd__buf kit_pack(enum avd__compression compression, const void *bytes, size_t size);
struct avd__buf kit_make_bzimage(const char *release, enum avd__compression compression,
				 const struct avd__buf *vmlinux);
/* A bzImage of a full kernel (PVH, BTF with sched_ext, no IKCONFIG). */
struct avd__buf kit_bzimage(enum avd__compression compression);

void kit_put16(struct avd__buf *image, size_t offset, unsigned int value);
void kit_put32(struct avd__buf *image, size_t offset, uint32_t value);

/* A new directory; kit_remove_dir() removes it with all in it. */
char *kit_make_dir(void);
void kit_remove_dir(char *dir);
/* dir/name, in a static ring of buffers */
const char *kit_path(const char *dir, const char *name);
void kit_write(const char *path, const void *bytes, size_t size);
struct avd__buf kit_read(const char *path);
struct avd__buf kit_read_fd(int fd);
unsigned int kit_count_files(const char *dir);
unsigned int kit_count_fds(void);

/* Runs `body` in a child whose mount namespace is its own, with an empty file system over each of
 * the directories (NULL ends). What it returns, 128 and the signal's number where one ended it, or
 * KIT_SKIP where that is not permitted here. */
#define KIT_SKIP 77
int kit_in_namespace(const char *const *covered, int (*body)(void));
/* How a child ended, in the same way. */
int kit_wait(pid_t child);

/* A message is one line, names the file and ends without a full stop or newline. */
void kit_check_message(const char *message, const char *path);

#endif
