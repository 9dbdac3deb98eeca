/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The archive's inside, for the files of this room that fill it. */
#ifndef AVD_LIB_IMAGE_ARCHIVE_H
#define AVD_LIB_IMAGE_ARCHIVE_H

#include <limits.h>

#include "image/initramfs.h"
#include "image/pathset.h"

struct avd__initramfs {
	int fd;
	uint64_t size; /* where the next header goes; a multiple of 4 */
	struct avd__pathset paths;
};

enum avd__follow { AVD__FOLLOW_PARENTS, AVD__FOLLOW_ALL };

/* Where a guest path really lies, past the archive's own symlinks, as the guest's kernel will
 * see it: without a leading slash, "" for the root. -EINVAL: relative or with ".."; -ELOOP,
 * -ENAMETOOLONG. The part that does not exist yet is taken as it is. */
int avd__archive_resolve(const struct avd__initramfs *archive, const char *guest_path,
			 enum avd__follow follow, char ret_path[PATH_MAX],
			 struct avd__error *error);

/* What stands at a resolved path, NULL if nothing. */
const struct avd__path_entry *avd__archive_find(const struct avd__initramfs *archive,
						const char *path);

/* The target of a symlink entry. */
int avd__archive_read_link(const struct avd__initramfs *archive,
			   const struct avd__path_entry *entry, char ret_target[PATH_MAX]);

/* A regular file of `size` bytes from a descriptor, whose position is not used. host_path is for
 * messages. */
int avd__archive_add_fd(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
			int fd, uint64_t size, const char *host_path, struct avd__error *error);

/* Places a host file at its own path: each symlink on the way (merged directories, library
 * versions, alternatives) becomes the same symlink in the archive, so that the path and all
 * other spellings of it mean in the guest what they mean here. `path` is absolute. If
 * ret_fd is not NULL, the file comes back opened. */
int avd__archive_add_host_file(struct avd__initramfs *archive, const char *path, const char *what,
			       int *ret_fd, struct avd__error *error);

#endif
