// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame.h"

START_TEST(sealed_frame_decodes)
{
	uint8_t bytes[AVD__FRAME_HEAD_SIZE + 3] = {0};
	struct avd__frame frame;
	memcpy(bytes + AVD__FRAME_HEAD_SIZE, "abc", 3);
	ck_assert_uint_eq(avd__frame_seal(bytes, 0x01020304, 3), sizeof(bytes));
	ck_assert_int_eq(avd__frame_decode(bytes, sizeof(bytes), &frame), AVD__FRAME_OK);
	ck_assert_uint_eq(frame.seq, 0x01020304);
	ck_assert_ptr_eq(frame.payload, bytes + AVD__FRAME_HEAD_SIZE);
	ck_assert_uint_eq(frame.payload_size, 3);
	ck_assert_uint_eq(frame.size, sizeof(bytes));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec-frame");
	TCase *tcase = tcase_create("frame");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, sealed_frame_decodes);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
