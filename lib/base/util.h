/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Small things that every host room needs. */
#ifndef AVD_LIB_BASE_UTIL_H
#define AVD_LIB_BASE_UTIL_H

#include <attachverdict/base.h>

#include "base/error.h"

#define AVD__ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Copies a caller's sized options over `known` (known_size bytes, pre-set to zero).
 * -EINVAL: NULL or smaller than min_size; -E2BIG: larger than known with a nonzero rest. */
int avd__options_copy(void *known, size_t known_size, const void *given, size_t min_size);
/* The same with a message. */
int avd__options_take(void *known, size_t known_size, const void *given, size_t min_size,
		      struct avd__error *error);

/* Closes *fd unless it is -1 and sets it to -1; keeps errno. */
void avd__close(int *fd);

/* All bytes or a negative errno; EINTR is retried. */
int avd__write_all(int fd, const void *bytes, size_t size);
/* The number of bytes read up to the end of file or `size`, or a negative errno. */
int64_t avd__pread_all(int fd, void *bytes, size_t size, uint64_t offset);
/* The same of a file that has no offsets, such as a pipe: from where it stands. Waits. */
int64_t avd__read_all(int fd, void *bytes, size_t size);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t avd__now_ns(void);
/* CPU time of the calling thread in nanoseconds. */
uint64_t avd__thread_cpu_ns(void);

/* cache directory of the user: override, $XDG_CACHE_HOME/attachverdict, $HOME/.cache/attachverdict.
 * *ret_path is to be freed with free(). -ENOENT: neither variable is set. Creates nothing. */
int avd__cache_dir(const char *override_dir, char **ret_path, struct avd__error *error);
/* mkdir -p with mode 0700 for what is new. */
int avd__mkdirs(const char *path, struct avd__error *error);

struct avd__log {
	avd_log_fn fn; /* may be NULL */
	void *userdata;
};
void avd__log(const struct avd__log *log, enum avd_log_level level, const char *fmt, ...)
	AVD_PRINTF(3, 4);

#endif
