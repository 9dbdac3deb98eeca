// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/crc32c.h"
#include "run_suite.h"

/* By the definition, a bit at a time: what all ways are held against. */
static uint32_t by_bits(uint32_t crc, const uint8_t *bytes, size_t size)
{
	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

/* xorshift64: the same bytes on each run. */
static void fill(uint8_t *bytes, size_t size)
{
	uint64_t x = 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (uint8_t)x;
	}
}

/* RFC 3720 appendix B.4. */
START_TEST(rfc3720_vectors)
{
	const enum avd__crc32c_way way = (enum avd__crc32c_way)_i;
	if (way > avd__crc32c_best()) {
		printf("way %d: this CPU lacks it\n", _i);
		return;
	}
	uint8_t bytes[48];
	memset(bytes, 0, 32);
	ck_assert_uint_eq(avd__crc32c_by(way, 0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	ck_assert_uint_eq(avd__crc32c_by(way, 0, bytes, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	ck_assert_uint_eq(avd__crc32c_by(way, 0, bytes, 32), 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	ck_assert_uint_eq(avd__crc32c_by(way, 0, bytes, 32), 0x113fdb5c);
	/* an iSCSI Read (10) command PDU */
	static const uint8_t pdu[48] = {
		0x01,	     0xc0,	  [16] = 0x14, [22] = 0x04,
		[27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
	};
	ck_assert_uint_eq(avd__crc32c_by(way, 0, pdu, 48), 0xd9963a56);
	ck_assert_uint_eq(avd__crc32c_by(way, 0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(avd__crc32c_by(way, 0, "", 0), 0);
}
END_TEST

/* Every length up to 4096 and beyond the longest span, at every alignment to a word. */
START_TEST(all_ways_agree)
{
	static uint8_t bytes[3 * 2048 + 4096 + 16];
	fill(bytes, sizeof(bytes));
	for (size_t offset = 0; offset < 8; offset++) {
		uint32_t want = 0x12345678; /* continued byte by byte */
		for (size_t size = 0; size <= 4096; size++) {
			for (int way = AVD__CRC32C_PORTABLE; way <= (int)avd__crc32c_best(); way++)
				ck_assert_uint_eq(avd__crc32c_by((enum avd__crc32c_way)way,
								 0x12345678, bytes + offset, size),
						  want);
			want = by_bits(want, bytes + offset + size, 1);
		}
		const size_t large = sizeof(bytes) - offset;
		want = by_bits(0, bytes + offset, large);
		ck_assert_uint_eq(avd__crc32c(0, bytes + offset, large), want);
		ck_assert_uint_eq(avd__crc32c_portable(0, bytes + offset, large), want);
	}
}
END_TEST

START_TEST(continues_where_it_left_off)
{
	uint8_t bytes[300];
	fill(bytes, sizeof(bytes));
	const uint32_t want = avd__crc32c_portable(0, bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		const uint32_t first = avd__crc32c(0, bytes, cut);
		ck_assert_uint_eq(avd__crc32c(first, bytes + cut, sizeof(bytes) - cut), want);
		ck_assert_uint_eq(avd__crc32c_two(bytes, cut, bytes + cut, sizeof(bytes) - cut),
				  want);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec-crc32c");
	TCase *tcase = tcase_create("crc32c");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120); /* valgrind is 30 times slower */
	tcase_add_loop_test(tcase, rfc3720_vectors, AVD__CRC32C_PORTABLE, AVD__CRC32C_CLMUL + 1);
	tcase_add_test(tcase, all_ways_agree);
	tcase_add_test(tcase, continues_where_it_left_off);
	return run_suite(suite);
}
