// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* /etc/ld.so.cache: sound, cut, damaged, and this machine's own. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run_suite.h"
#include "base/util.h"
#include "image/ldcache.h"
#include "image/search.h"
#include "image_kit.h"

#define X86_64 0x0303u
#define I386 0x0003u
#define HWCAPS (UINT64_C(1) << 62) /* DL_CACHE_HWCAP_EXTENSION */

static const struct {
	uint32_t flags;
	const char *name, *path;
	uint64_t hwcap;
} libraries[] = {
	{I386, "liba.so", "/lib32/liba.so", 0},
	{X86_64, "libm.so.6", "/lib/glibc-hwcaps/x86-64-v3/libm.so.6", HWCAPS},
	{X86_64, "libm.so.6", "/lib/x86_64-linux-gnu/libm.so.6", 0},
	{I386, "libm.so.6", "/lib32/libm.so.6", 0},
	{X86_64, "libbad.so", "relative/libbad.so", 0},
	{X86_64, "libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1", 0}, /* last: a cut shows */
};
#define LIBRARIES AVD__ARRAY_SIZE(libraries)

static void add(struct avd__buf *out, const void *bytes, size_t size)
{
	ck_assert_int_eq(avd__buf_append(out, bytes, size), 0);
}

static void add32(struct avd__buf *out, uint32_t value)
{
	add(out, &value, 4);
}

/* glibc's struct cache_file_new and its entries, behind an old-format cache if asked for. */
static struct avd__buf make_cache(bool old_first)
{
	struct avd__buf out = {0};
	if (old_first) {
		add(&out, "ld.so-1.7.0\0", 12);
		add32(&out, 2);
		for (int i = 0; i < 6; i++)
			add32(&out, 0);
		while (out.len % 8)
			add(&out, "", 1);
	}
	const size_t base = out.len;
	add(&out, "glibc-ld.so.cache1.1", 20);
	add32(&out, (uint32_t)LIBRARIES);
	add32(&out, 0); /* the strings' length: not looked at */
	add(&out, "\2\0\0\0", 4); /* little-endian */
	for (int i = 0; i < 4; i++)
		add32(&out, 0);
	uint32_t at = 48 + 24 * (uint32_t)LIBRARIES;
	for (size_t i = 0; i < LIBRARIES; i++) {
		add32(&out, libraries[i].flags);
		add32(&out, at);
		at += (uint32_t)strlen(libraries[i].name) + 1;
		add32(&out, at);
		at += (uint32_t)strlen(libraries[i].path) + 1;
		add32(&out, 0);
		add(&out, &libraries[i].hwcap, 8);
	}
	for (size_t i = 0; i < LIBRARIES; i++) {
		add(&out, libraries[i].name, strlen(libraries[i].name) + 1);
		add(&out, libraries[i].path, strlen(libraries[i].path) + 1);
	}
	ck_assert_uint_eq(out.len - base, at);
	return out;
}

/* Walks through all names, as the closure does. Returns how many were found. */
static unsigned int walk(const struct avd__ldcache *cache)
{
	unsigned int found = 0;
	for (size_t i = 0; i < LIBRARIES; i++) {
		uint32_t position = 0;
		bool common;
		const char *path;
		while ((path = avd__ldcache_next(cache, libraries[i].name, &position, &common)))
			found += path[0] == '/';
	}
	return found;
}

START_TEST(lookups)
{
	struct avd__buf bytes = make_cache(_i);
	struct avd__ldcache cache;
	uint32_t position = 0;
	bool common = false;
	ck_assert_int_eq(avd__ldcache_parse((uint8_t *)bytes.data, bytes.len, &cache), 0);
	ck_assert_str_eq(avd__ldcache_next(&cache, "libz.so.1", &position, &common),
			 "/lib/x86_64-linux-gnu/libz.so.1");
	ck_assert(common);
	ck_assert_ptr_null(avd__ldcache_next(&cache, "libz.so.1", &position, &common));
	position = 0;
	ck_assert_str_eq(avd__ldcache_next(&cache, "libm.so.6", &position, &common),
			 "/lib/glibc-hwcaps/x86-64-v3/libm.so.6");
	ck_assert(!common);
	ck_assert_str_eq(avd__ldcache_next(&cache, "libm.so.6", &position, &common),
			 "/lib/x86_64-linux-gnu/libm.so.6");
	ck_assert(common);
	ck_assert_ptr_null(avd__ldcache_next(&cache, "libm.so.6", &position, &common));
	static const char *const none[] = {"libz.so", "libz.so.10", "", "libbad.so", "liba.so"};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(none); i++) {
		position = 0;
		ck_assert_ptr_null(avd__ldcache_next(&cache, none[i], &position, &common));
	}
	ck_assert_uint_eq(walk(&cache), 1 + 2 + 2 + 2); /* libm three times asked for */
	avd__buf_free(&bytes);
}
END_TEST

START_TEST(cut_and_damaged)
{
	struct avd__buf bytes = make_cache(_i);
	struct avd__ldcache cache;
	for (size_t cut = 0; cut < bytes.len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1); /* exact, for sanitizers */
		KIT_CHECK(copy, "out of memory");
		memcpy(copy, bytes.data, cut);
		if (avd__ldcache_parse(copy, cut, &cache) == 0)
			KIT_CHECK(walk(&cache) < 7, "cut at %zu", cut);
		free(copy);
	}
	for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
		uint8_t *copy = malloc(bytes.len);
		KIT_CHECK(copy, "out of memory");
		memcpy(copy, bytes.data, bytes.len);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (avd__ldcache_parse(copy, bytes.len, &cache) == 0)
			KIT_CHECK(walk(&cache) <= 14, "bit %zu", bit);
		free(copy);
	}
	avd__buf_free(&bytes);
}
END_TEST

START_TEST(not_a_cache)
{
	struct avd__ldcache cache;
	struct avd__buf bytes = make_cache(false);
	ck_assert_int_eq(avd__ldcache_parse((const uint8_t *)"", 0, &cache), -EBADMSG);
	bytes.data[28] = 3; /* big-endian */
	ck_assert_int_eq(avd__ldcache_parse((uint8_t *)bytes.data, bytes.len, &cache), -EBADMSG);
	bytes.data[28] = 0; /* glibc before 2.32 did not tell */
	ck_assert_int_eq(avd__ldcache_parse((uint8_t *)bytes.data, bytes.len, &cache), 0);
	kit_put32(&bytes, 20, UINT32_MAX);
	ck_assert_int_eq(avd__ldcache_parse((uint8_t *)bytes.data, bytes.len, &cache), -EBADMSG);
	avd__buf_free(&bytes);
}
END_TEST

START_TEST(of_this_machine)
{
	struct avd__ldcache cache;
	uint32_t position = 0;
	bool common = false;
	if (access("/etc/ld.so.cache", R_OK) < 0) {
		printf("of_this_machine: not run, there is no /etc/ld.so.cache\n");
		return;
	}
	struct avd__buf bytes = kit_read("/etc/ld.so.cache");
	ck_assert_int_eq(avd__ldcache_parse((uint8_t *)bytes.data, bytes.len, &cache), 0);
	const char *path = avd__ldcache_next(&cache, "libc.so.6", &position, &common);
	ck_assert_ptr_nonnull(path);
	ck_assert(avd__search_usable(path));
	avd__buf_free(&bytes);
}
END_TEST

static void check_found(struct avd__found *found, const char *want)
{
	ck_assert_uint_eq(found->count, want ? 1 : 0);
	if (want)
		ck_assert_str_eq(found->paths[0], want);
	avd__found_free(found);
}

START_TEST(search_lists)
{
	struct avd__found found = {0};
	struct avd__buf library = kit_read("/proc/self/exe"); /* PIE: as good as a library here */
	char *dir = kit_make_dir();
	char list[8192];
	ck_assert_int_eq(avd__mkdirs(kit_path(dir, "lib64/x86_64"), NULL), 0);
	const char *path = kit_path(dir, "lib64/x86_64/libx.so");
	kit_write(path, library.data, library.len);
	ck_assert(avd__search_usable(path));
	snprintf(list, sizeof(list), "::relative:/nowhere:${ORIGIN}/$LIB/${PLATFORM}//");
	ck_assert_int_eq(avd__search_list(list, dir, "libx.so", true, &found), 0);
	ck_assert(found.common);
	check_found(&found, path);
	static const char *const misses[] = {
		"",  ":",   "$ORIGI/lib64/x86_64",    "${ORIGIN/lib64/x86_64", "$LIB",
		"$", "${}", "$ORIGIN/$LIB/$PLATFORN", "/proc/self/exe"};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(misses); i++) {
		ck_assert_int_eq(avd__search_list(misses[i], dir, "libx.so", true, &found), 0);
		check_found(&found, NULL);
	}
	kit_write(path, library.data, 63);
	ck_assert(!avd__search_usable(path));
	ck_assert(!avd__search_usable(dir));
	avd__buf_free(&library);
	kit_remove_dir(dir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-ldcache");
	TCase *tests = tcase_create("ldcache");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, lookups, 0, 2);
	tcase_add_loop_test(tests, cut_and_damaged, 0, 2);
	tcase_add_test(tests, not_a_cache);
	tcase_add_test(tests, of_this_machine);
	tcase_add_test(tests, search_lists);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
