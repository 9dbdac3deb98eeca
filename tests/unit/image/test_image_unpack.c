// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Decompression within bounds, and the hash of the cache's keys. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run_suite.h"
#include "image/blake2b.h"
#include "image_kit.h"

#define PLAIN_SIZE ((size_t)3000)

static const enum avd__compression all[] = {AVD__COMPRESSION_ZSTD, AVD__COMPRESSION_XZ,
					    AVD__COMPRESSION_GZIP, AVD__COMPRESSION_LZ4,
					    AVD__COMPRESSION_LZMA, AVD__COMPRESSION_NONE};
static uint8_t plain[PLAIN_SIZE];
static struct avd__buf packed;

static void set_up(void)
{
	for (size_t i = 0; i < PLAIN_SIZE; i++)
		plain[i] = (uint8_t)(i * i / 31 % 23 + i % 3);
}

static void pack(enum avd__compression compression)
{
	packed = kit_pack(compression, plain, PLAIN_SIZE);
	ck_assert_int_eq(avd__compression_detect((const uint8_t *)packed.data, packed.len),
			 compression == AVD__COMPRESSION_NONE ? AVD__COMPRESSION_UNKNOWN
							      : compression);
}

/* Unpacks into memory of exactly `room` bytes, so that a sanitizer sees one more. */
static int unpack(enum avd__compression compression, size_t in_size, size_t room, uint8_t **ret_out,
		  size_t *ret_size)
{
	uint8_t *in = malloc(in_size ? in_size : 1);
	*ret_out = malloc(room ? room : 1);
	KIT_CHECK(in && *ret_out, "out of memory");
	memcpy(in, packed.data, in_size);
	const int r = avd__unpack(compression, in, in_size, *ret_out, room, ret_size);
	free(in);
	return r;
}

START_TEST(fits_exactly_or_not_at_all)
{
	const enum avd__compression compression = all[_i];
	uint8_t *out;
	size_t size = 0;
	pack(compression);
	ck_assert_int_eq(unpack(compression, packed.len, PLAIN_SIZE, &out, &size), 0);
	ck_assert_uint_eq(size, PLAIN_SIZE);
	ck_assert_mem_eq(out, plain, PLAIN_SIZE);
	free(out);
	ck_assert_int_eq(unpack(compression, packed.len, 2 * PLAIN_SIZE, &out, &size), 0);
	ck_assert_uint_eq(size, PLAIN_SIZE);
	free(out);
	for (size_t room = 0; room < PLAIN_SIZE; room += room < 16 ? 1 : 97) {
		const int r = unpack(compression, packed.len, room, &out, &size);
		/* An lz4 block does not tell why it does not fit. */
		ck_assert(r == -EFBIG || (compression == AVD__COMPRESSION_LZ4 && r == -EBADMSG));
		free(out);
	}
	avd__buf_free(&packed);
}
END_TEST

START_TEST(cut_or_longer)
{
	const enum avd__compression compression = all[_i];
	uint8_t *out;
	size_t size = 0;
	pack(compression);
	const size_t len = packed.len;
	for (size_t cut = 0; cut < len; cut++) {
		const int r = unpack(compression, cut, PLAIN_SIZE, &out, &size);
		/* Cut behind a whole block of lz4 is a shorter stream: its size tells. */
		if (r == 0)
			KIT_CHECK(compression == AVD__COMPRESSION_NONE ||
					  (compression == AVD__COMPRESSION_LZ4 &&
					   size < PLAIN_SIZE) ||
					  (compression == AVD__COMPRESSION_ZSTD && cut == 0),
				  "cut at %zu", cut);
		else
			KIT_CHECK(r == -EBADMSG, "cut at %zu: %d", cut, r);
		free(out);
	}
	avd__buf_append(&packed, "rest", 4);
	if (compression != AVD__COMPRESSION_NONE)
		ck_assert_int_lt(unpack(compression, packed.len, PLAIN_SIZE, &out, &size), 0);
	else
		ck_assert_int_eq(unpack(compression, packed.len, PLAIN_SIZE, &out, &size), -EFBIG);
	free(out);
	avd__buf_free(&packed);
}
END_TEST

/* zstd, xz and gzip carry a checksum: a wrong bit is noticed unless it changes nothing. */
START_TEST(one_bit_wrong)
{
	const enum avd__compression compression = all[_i];
	const bool checked = _i < 3;
	uint8_t *out;
	size_t size = 0;
	unsigned int refused = 0;
	pack(compression);
	for (size_t bit = 0; bit < 8 * packed.len; bit++) {
		packed.data[bit / 8] ^= (char)(1 << bit % 8);
		const int r = unpack(compression, packed.len, PLAIN_SIZE, &out, &size);
		packed.data[bit / 8] ^= (char)(1 << bit % 8);
		if (r == 0 && checked)
			KIT_CHECK(size == PLAIN_SIZE && !memcmp(out, plain, PLAIN_SIZE),
				  "bit %zu is not noticed", bit);
		KIT_CHECK(r <= 0, "bit %zu: %d", bit, r);
		refused += r < 0;
		free(out);
	}
	if (checked)
		ck_assert_uint_gt(refused, 4 * packed.len);
	avd__buf_free(&packed);
}
END_TEST

START_TEST(not_supported)
{
	uint8_t out[64];
	size_t size = 7;
	struct avd__buf lzo = kit_pack(AVD__COMPRESSION_LZO, "", 0);
	ck_assert_int_eq(avd__compression_detect((uint8_t *)lzo.data, lzo.len),
			 AVD__COMPRESSION_LZO);
	ck_assert_int_eq(avd__unpack(AVD__COMPRESSION_LZO, (uint8_t *)lzo.data, lzo.len, out, 64,
				     &size),
			 -EOPNOTSUPP);
	ck_assert_int_eq(avd__unpack(AVD__COMPRESSION_UNKNOWN, out, 1, out, 64, &size),
			 -EOPNOTSUPP);
	ck_assert_uint_eq(size, 7);
	avd__buf_free(&lzo);
}
END_TEST

static void check_hash(const void *bytes, size_t size, const char *want)
{
	uint8_t digest[AVD__BLAKE2B_SIZE];
	char hex[2 * AVD__BLAKE2B_SIZE + 1];
	avd__blake2b(bytes, size, digest);
	for (size_t i = 0; i < AVD__BLAKE2B_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	ck_assert_str_eq(hex, want);
}

/* As coreutils has them: printf ... | b2sum -l 256 */
START_TEST(blake2b_known_answers)
{
	uint8_t zeros[257] = {0};
	check_hash("", 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	check_hash("abc", 3, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	check_hash(zeros, 127, "0f2dfeb03485c703d0c8584a40d135192ecb150247e9377595ed718d84b08a85");
	check_hash(zeros, 128, "378d0caaaa3855f1b38693c1d6ef004fd118691c95c959d4efa950d6d6fcf7c1");
	check_hash(zeros, 129, "baadfb64c3bd2cd187b54accc5e61a0720ed86bf48c28017873536cf9015d1b8");
	check_hash(zeros, 256, "2b69702a889248a4d6620475a105dccd5e0d4230aca8a492aaf6510e55d55b02");
	check_hash(zeros, 257, "a93d82fe42c85b6eb1dab95d264706993f6bd903aee5a3ca4a01adbe807c4ca3");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-unpack");
	TCase *tests = tcase_create("unpack");
	const int count = (int)(sizeof(all) / sizeof(all[0]));
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, fits_exactly_or_not_at_all, 0, count);
	tcase_add_loop_test(tests, cut_or_longer, 0, count);
	tcase_add_loop_test(tests, one_bit_wrong, 0, count);
	tcase_add_test(tests, not_supported);
	tcase_add_test(tests, blake2b_known_answers);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
