/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* /etc/ld.so.cache of glibc (its sysdeps/generic/dl-cache.h), format "glibc-ld.so.cache1.1". */
#ifndef AVD_LIB_IMAGE_LDCACHE_H
#define AVD_LIB_IMAGE_LDCACHE_H

#include <stdbool.h>

#include "base/error.h"

/* One has 20 to 300 KB. */
#define AVD__LDCACHE_MAX ((size_t)16 << 20)

struct avd__ldcache {
	const uint8_t *data;
	size_t size; /* of all, strings included */
	size_t base; /* where the header stands; offsets count from there */
	uint32_t count;
};

/* -EBADMSG: not such a cache. The bytes stay the caller's. */
int avd__ldcache_parse(const uint8_t *data, size_t size, struct avd__ldcache *ret_cache);

/* The next path for a library name of x86_64, from *position (start with 0), NULL after the last. A
 * name may have several: variants for CPU levels (glibc-hwcaps) and the common one, which is
 * told by *ret_common. Points into the cache's bytes. */
const char *avd__ldcache_next(const struct avd__ldcache *cache, const char *name,
			      uint32_t *position, bool *ret_common);

#endif
