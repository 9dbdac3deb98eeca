// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame.h"
#include "codec/message.h"

static const uint8_t nonce[AVD_NONCE_SIZE] = "0123456789abcdef";

START_TEST(hello_round_trip)
{
	const struct avd_message hello = {
		.kind = AVD_MSG_HELLO,
		.time_ns = UINT64_MAX,
		.u.hello = {.protocol = 1,
			    .nonce = {nonce, 16},
			    .release = {"7.2.12", 6},
			    .cpus_online = 2,
			    .slowness_permille = 1000},
	};
	uint8_t bytes[256];
	const size_t size = avd__message_frame(&hello, 7, bytes, sizeof(bytes));
	ck_assert_uint_gt(size, AVD__FRAME_HEAD_SIZE);
	struct avd__frame frame;
	ck_assert_int_eq(avd__frame_decode(bytes, size, &frame), AVD__FRAME_OK);
	struct avd_message got;
	ck_assert_int_eq(avd__message_decode(frame.payload, frame.payload_size, &got),
			 AVD__MESSAGE_OK);
	ck_assert_uint_eq(got.kind, AVD_MSG_HELLO);
	ck_assert_uint_eq(got.time_ns, UINT64_MAX);
	ck_assert_uint_eq(got.u.hello.protocol, 1);
	ck_assert_mem_eq(got.u.hello.nonce.data, nonce, 16);
	ck_assert_mem_eq(got.u.hello.release.data, "7.2.12", 6);
	ck_assert_uint_eq(got.u.hello.cpus_online, 2);
}
END_TEST

START_TEST(strv_round_trip)
{
	uint8_t items[64], bytes[512];
	size_t len = 0;
	uint32_t count = 0;
	ck_assert_int_eq(avd__strv_put(items, sizeof(items), &len, &count, "/bin/true", 9), 0);
	ck_assert_int_eq(avd__strv_put(items, sizeof(items), &len, &count, "\xff", 1), 0);
	ck_assert_int_eq(avd__strv_put(items, sizeof(items), &len, &count, "", 0), 0);
	ck_assert_int_eq(avd__strv_put(items, len + 2, &len, &count, "ab", 2), -1);
	ck_assert_uint_eq(count, 3);
	struct avd_message message = {.kind = AVD_MSG_CELL};
	message.u.cell.nonce = (struct avd_bytes){nonce, 16};
	message.u.cell.scheduler = (struct avd_strv){{items, len}, count};
	const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
	ck_assert_uint_gt(size, 0);
	struct avd_message got;
	ck_assert_int_eq(avd__message_decode(bytes, size, &got), AVD__MESSAGE_OK);
	struct avd_strv strv = got.u.cell.scheduler;
	struct avd_str item;
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_uint_eq(item.len, 9);
	ck_assert_mem_eq(item.data, "/bin/true", 9);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_mem_eq(item.data, "\xff", 1);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_uint_eq(item.len, 0);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(avd_message_kind_name(AVD_MSG_SCHEDULER_NOT_ATTACHED),
			 "scheduler-not-attached");
	ck_assert_str_eq(avd_message_kind_name(AVD_MSG_END_CAUSE), "end-cause");
	ck_assert_str_eq(avd_message_kind_name(0), "unknown");
	ck_assert_str_eq(avd_message_kind_name(127), "unknown");
	ck_assert_str_eq(avd_message_kind_name(UINT32_MAX), "unknown");
	ck_assert_str_eq(avd_phase_name(AVD_PHASE_GATE), "gate");
	ck_assert_str_eq(avd_phase_name(7), "unknown");
	ck_assert_str_eq(avd_log_stream_name(AVD_STREAM_INIT), "init");
	ck_assert_str_eq(avd_log_stream_name(0), "unknown");
	ck_assert_str_eq(avd_end_cause_name(AVD_END_GUEST_RESET), "guest-reset");
	ck_assert_str_eq(avd_end_cause_name(AVD_END_UNKNOWN), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec-message");
	TCase *tcase = tcase_create("message");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, hello_round_trip);
	tcase_add_test(tcase, strv_round_trip);
	tcase_add_test(tcase, names);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
