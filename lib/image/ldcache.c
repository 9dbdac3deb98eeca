// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/ldcache.h"

#include <errno.h>
#include <string.h>

static const char magic_new[] = "glibc-ld.so.cache1.1";
static const char magic_old[] = "ld.so-1.7.0";

#define HEADER_SIZE 48u /* struct cache_file_new */
#define ENTRY_SIZE 24u /* struct file_entry_new: flags, key, value, osversion, hwcap */
#define OLD_HEADER_SIZE 16u
#define OLD_ENTRY_SIZE 12u

#define FLAGS_X86_64 0x0303u /* FLAG_X8664_LIB64 | FLAG_ELF_LIBC6 */
#define ENDIAN_MASK 3u
#define ENDIAN_BIG 3u

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;
	memcpy(&n, p, sizeof(n));
	return n;
}

int avd__ldcache_parse(const uint8_t *data, size_t size, struct avd__ldcache *ret_cache)
{
	uint64_t base = 0;
	/* Until glibc 2.32 the new format could follow the old one, aligned to 8. */
	if (size >= OLD_HEADER_SIZE && !memcmp(data, magic_old, sizeof(magic_old) - 1)) {
		base = OLD_HEADER_SIZE + (uint64_t)get32(data + 12) * OLD_ENTRY_SIZE;
		base = (base + 7) & ~UINT64_C(7);
	}
	if (base > size || size - base < HEADER_SIZE)
		return -EBADMSG;
	const uint8_t *header = data + base;
	if (memcmp(header, magic_new, sizeof(magic_new) - 1) != 0)
		return -EBADMSG;
	if ((header[28] & ENDIAN_MASK) == ENDIAN_BIG)
		return -EBADMSG;
	const uint32_t count = get32(header + 20);
	if (count > (size - base - HEADER_SIZE) / ENTRY_SIZE)
		return -EBADMSG;
	*ret_cache = (struct avd__ldcache){
		.data = data, .size = size, .base = (size_t)base, .count = count};
	return 0;
}

static const char *get_string(const struct avd__ldcache *cache, uint32_t offset)
{
	const size_t left = cache->size - cache->base;
	if (offset >= left)
		return NULL;
	const char *text = (const char *)cache->data + cache->base + offset;
	return memchr(text, '\0', left - offset) ? text : NULL;
}

const char *avd__ldcache_next(const struct avd__ldcache *cache, const char *name,
			      uint32_t *position, bool *ret_common)
{
	while (*position < cache->count) {
		const uint8_t *entry =
			cache->data + cache->base + HEADER_SIZE + (size_t)*position * ENTRY_SIZE;
		++*position;
		if (get32(entry) != FLAGS_X86_64)
			continue;
		const char *key = get_string(cache, get32(entry + 4));
		const char *value = get_string(cache, get32(entry + 8));
		if (key && value && value[0] == '/' && !strcmp(key, name)) {
			uint64_t hwcap;
			memcpy(&hwcap, entry + 16, sizeof(hwcap));
			*ret_common = hwcap == 0;
			return value;
		}
	}
	return NULL;
}
