// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The rules of the outcome, each by itself. */
#include <check.h>
#include <string.h>

#include "codec/frame.h"
#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING

static struct kit kit;

/* What holds for every verdict, whatever it says. */
static void check_value(const struct avd_verdict *v)
{
	const int attached = v->outcome == AVD_OUTCOME_ATTACHED;
	const int passed = v->result == AVD_RESULT_PASSED;
	ck_assert_int_eq(avd_verdict_failure_reason(v) == NULL, attached);
	ck_assert_int_eq(v->reason_code == AVD_REASON_NONE, attached);
	ck_assert_int_eq(v->reason[0] == '\0', attached);
	ck_assert_int_eq(v->result_code == AVD_REASON_NONE, passed);
	ck_assert_int_eq(v->result_reason[0] == '\0', passed);
	if (!attached) {
		ck_assert_uint_eq(v->result_code, v->reason_code);
		ck_assert_str_eq(v->result_reason, v->reason);
	}
}

static struct avd_verdict expect(enum avd_outcome outcome, enum avd_reason_code code)
{
	const struct avd_verdict v = kit_judge(&kit);
	check_value(&v);
	ck_assert_str_eq(avd_outcome_name(v.outcome), avd_outcome_name(outcome));
	ck_assert_str_eq(avd_reason_code_name(v.reason_code), avd_reason_code_name(code));
	return v;
}

static void expect_says(const struct avd_verdict *v, const char *words)
{
	ck_assert_msg(strstr(v->reason, words) != NULL, "'%s' is not in '%s'", words, v->reason);
}

START_TEST(a_whole_cell_is_attached_and_passed)
{
	kit_pass(&kit, RECORDING);
	struct avd_verdict v = expect(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(v.result, AVD_RESULT_PASSED);
	ck_assert_uint_eq(v.end_cause, AVD_END_GUEST_RESET);
	kit_pass(&kit, 0);
	v = expect(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(v.result, AVD_RESULT_PASSED);
	ck_assert_uint_eq(v.end_cause, AVD_END_UNKNOWN);
}
END_TEST

START_TEST(payload_starting_alone_is_no_evidence)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	kit_add(&kit, AVD_MSG_DONE);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
}
END_TEST

START_TEST(attached_alone_is_no_confirmation)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC, "Kernel panic - not syncing: x");
	const struct avd_verdict v = expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_PANIC);
	expect_says(&v, "Kernel panic - not syncing: x");
	expect_says(&v, "last phase gate since 2.004 s, last frame at 2.005 s of guest time");
	expect_says(&v, "payload-starting did not follow");
	expect_says(&v, "guest-reset after 6.700 s");
}
END_TEST

START_TEST(precedence_does_not_depend_on_the_order)
{
	static const uint32_t died_first[] = {AVD_MSG_SCHEDULER_DIED,
					      AVD_MSG_SCHEDULER_NOT_ATTACHED, 0};
	static const uint32_t died_last[] = {AVD_MSG_SCHEDULER_NOT_ATTACHED, AVD_MSG_SCHEDULER_DIED,
					     0};
	for (int place = 0; place < 4; place++) {
		for (int order = 0; order < 2; order++) {
			const uint32_t *const kinds = order ? died_first : died_last;
			kit_start(&kit, RECORDING);
			for (int at = 0; at < 4; at++) {
				if (at == place) {
					kit_add(&kit, kinds[0]);
					kit_add(&kit, kinds[1]);
				}
				if (at == 0)
					kit_boot(&kit);
				if (at == 1)
					kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
				if (at == 2)
					kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
			}
			kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC, "");
			const struct avd_verdict v = expect(AVD_OUTCOME_DIED, AVD_REASON_EXITED);
			ck_assert_str_eq(v.reason, "cause=exited status=1");
		}
	}
}
END_TEST

START_TEST(not_attached_beats_attached)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_SCHEDULER_NOT_ATTACHED);
	kit_add(&kit, AVD_MSG_DONE);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	const struct avd_verdict v = expect(AVD_OUTCOME_NOT_ATTACHED, AVD_REASON_INIT_FAILED);
	ck_assert_str_eq(v.reason, "cause=init-failed");
	ck_assert_uint_eq(v.result, AVD_RESULT_FAILED);
}
END_TEST

START_TEST(a_gap_before_the_confirmation_is_corrupt)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit.seq++; /* one frame was lost: it may have been a failure */
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	const struct avd_verdict v = expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
	expect_says(&v, "frame 5 is missing");
}
END_TEST

START_TEST(stray_bytes_before_the_confirmation_are_corrupt)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add_raw(&kit, "x", 1);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
}
END_TEST

START_TEST(a_repeat_before_the_confirmation_is_corrupt)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	const struct avd_message attached = kit_message(AVD_MSG_SCHEDULER_ATTACHED);
	kit_add_message(&kit, &attached);
	const struct avd_message log = kit_message(AVD_MSG_LOG);
	kit_add_seq(&kit, &log, 0);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
}
END_TEST

START_TEST(failures_stand_after_a_gap_and_without_hello)
{
	for (int recording = 0; recording < 2; recording++) {
		kit_start(&kit, recording ? RECORDING : 0);
		kit_add_raw(&kit, "garbage", 7);
		kit.seq = 40;
		kit_add(&kit, AVD_MSG_SCHEDULER_NOT_ATTACHED);
		expect(AVD_OUTCOME_NOT_ATTACHED, AVD_REASON_INIT_FAILED);
		kit_add_raw(&kit, "more garbage", 12);
		kit.seq = 3; /* and late */
		kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
		expect(AVD_OUTCOME_DIED, AVD_REASON_EXITED);
	}
}
END_TEST

/* `wrong` is a hello that is not this boot's. */
static void check_foreign(const struct avd_message *wrong)
{
	for (int died = 0; died < 2; died++) {
		kit_start(&kit, RECORDING);
		kit_add_message(&kit, wrong);
		kit_add(&kit, AVD_MSG_SCHEDULER_STARTED);
		kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
		kit_add(&kit, died ? AVD_MSG_SCHEDULER_DIED : AVD_MSG_PAYLOAD_STARTING);
		kit_add(&kit, AVD_MSG_SCHEDULER_NOT_ATTACHED);
		expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
		kit_add(&kit, AVD_MSG_HELLO); /* now it is this boot's */
		kit_add(&kit, AVD_MSG_SCHEDULER_STARTED);
		kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
		kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
		expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
		kit_add(&kit, AVD_MSG_SCHEDULER_NOT_ATTACHED);
		expect(AVD_OUTCOME_NOT_ATTACHED, AVD_REASON_INIT_FAILED);
		kit_add_message(&kit, wrong);
		kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
		expect(AVD_OUTCOME_NOT_ATTACHED, AVD_REASON_INIT_FAILED);
	}
}

START_TEST(another_boots_frames_count_for_nothing)
{
	uint8_t nonce[AVD_NONCE_SIZE];
	memcpy(nonce, kit_nonce, sizeof(nonce));
	nonce[AVD_NONCE_SIZE - 1] ^= 1;
	struct avd_message wrong = kit_message(AVD_MSG_HELLO);
	wrong.u.hello.nonce.data = nonce;
	check_foreign(&wrong);
	wrong = kit_message(AVD_MSG_HELLO);
	wrong.u.hello.protocol++;
	check_foreign(&wrong);
}
END_TEST

START_TEST(the_options_nonce_counts_without_a_recording)
{
	uint8_t nonce[AVD_NONCE_SIZE] = {0};
	struct avd_message wrong = kit_message(AVD_MSG_HELLO);
	wrong.u.hello.nonce.data = nonce;
	kit_start(&kit, 0);
	kit_add_message(&kit, &wrong);
	kit_add(&kit, AVD_MSG_SCHEDULER_STARTED);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
}
END_TEST

static void attach_with(const struct avd_message *attached)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add_message(&kit, attached);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
}

START_TEST(an_attach_without_proof_is_a_fault)
{
	struct avd_message attached = kit_message(AVD_MSG_SCHEDULER_ATTACHED);
	attached.u.attached.ops.len = 0;
	attach_with(&attached);
	attached = kit_message(AVD_MSG_SCHEDULER_ATTACHED);
	attached.u.attached.enable_seq = attached.u.attached.enable_seq_before;
	attach_with(&attached);
	attached.u.attached.enable_seq_before = attached.u.attached.enable_seq = 9;
	attach_with(&attached); /* moved since the start, but not by this scheduler */
	attached.u.attached.enable_seq = 7;
	attach_with(&attached);
	attached.u.attached.enable_seq_before = 6; /* moved since then, but not since the start */
	attach_with(&attached);
}
END_TEST

/* Each breaks the order; the rest of the cell is sound. */
START_TEST(order_violations_make_attached_impossible)
{
	static const uint32_t orders[][6] = {
		{AVD_MSG_SCHEDULER_STARTED, AVD_MSG_HELLO, AVD_MSG_SCHEDULER_ATTACHED,
		 AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_SCHEDULER_STARTED,
		 AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED,
		 AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_PAYLOAD_STARTING,
		 AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED,
		 AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_ATTACHED,
		 AVD_MSG_HELLO, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_STARTED,
		 AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_ATTACHED,
		 AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_DONE,
		 AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_CELL,
		 AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_ATTACHED,
		 AVD_MSG_END_CAUSE, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_HELLO, AVD_MSG_DISPATCH, AVD_MSG_SCHEDULER_STARTED,
		 AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING},
		{AVD_MSG_LOG, AVD_MSG_HELLO, AVD_MSG_SCHEDULER_STARTED, AVD_MSG_SCHEDULER_ATTACHED,
		 AVD_MSG_PAYLOAD_STARTING},
	};
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		kit_start(&kit, RECORDING);
		for (size_t j = 0; j < 6 && orders[i][j]; j++)
			kit_add(&kit, orders[i][j]);
		kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
		expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
	}
}
END_TEST

/* A sound frame around these bytes. */
static void add_payload(const void *payload, size_t size)
{
	uint8_t frame[64];
	memcpy(frame + AVD__FRAME_HEAD_SIZE, payload, size);
	kit_add_raw(&kit, frame, avd__frame_seal(frame, kit.seq++, size));
}

START_TEST(a_malformed_message_is_a_fault)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	add_payload("\xa2\x00\x01\x01", 4); /* a map that ends too early */
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	const struct avd_verdict v = expect(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
	expect_says(&v, "payload is no message");
}
END_TEST

START_TEST(unknown_kinds_are_skipped_but_numbered)
{
	kit_pass(&kit, RECORDING);
	const struct avd_verdict sound = kit_judge(&kit);
	for (int lost = 0; lost < 2; lost++) {
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		if (lost)
			kit.seq++;
		else
			add_payload("\xa2\x00\x18\x7f\x01\x01", 6); /* kind 127 */
		kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
		kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
		kit_add(&kit, AVD_MSG_DISPATCH);
		kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
		kit_add(&kit, AVD_MSG_DONE);
		kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
		const struct avd_verdict v = kit_judge(&kit);
		ck_assert_int_eq(avd_verdict_equal(&v, &sound), !lost);
	}
}
END_TEST

START_TEST(failure_codes_out_of_range_fall_back)
{
	static const uint32_t codes[] = {0, 12, 17, 22, 28, 1000, UINT32_MAX};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct avd_message died = kit_message(AVD_MSG_SCHEDULER_DIED);
		died.u.failure.code = codes[i];
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		kit_add_message(&kit, &died);
		expect(AVD_OUTCOME_DIED, AVD_REASON_EXITED);
		died.u.failure.signal = 11;
		kit_start(&kit, RECORDING);
		kit_add_message(&kit, &died);
		expect(AVD_OUTCOME_DIED, AVD_REASON_KILLED_BY_SIGNAL);
		died.u.failure.error = 2;
		kit_start(&kit, RECORDING);
		kit_add_message(&kit, &died);
		expect(AVD_OUTCOME_DIED, AVD_REASON_EXEC_FAILED);
		died.kind = AVD_MSG_SCHEDULER_NOT_ATTACHED;
		kit_start(&kit, RECORDING);
		kit_add_message(&kit, &died);
		expect(AVD_OUTCOME_NOT_ATTACHED, AVD_REASON_TIMEOUT);
	}
}
END_TEST

START_TEST(the_guests_words_are_escaped_and_bounded)
{
	static char words[60000];
	memset(words, '\x1b', sizeof(words));
	struct avd_message died = kit_message(AVD_MSG_SCHEDULER_DIED);
	died.u.failure.reason = (struct avd_str){words, sizeof(words)};
	kit_start(&kit, RECORDING);
	kit_add_message(&kit, &died);
	const struct avd_verdict v = expect(AVD_OUTCOME_DIED, AVD_REASON_EXITED);
	ck_assert_uint_eq(strlen(v.reason), (AVD_VERDICT_REASON_MAX - 1) / 4 * 4);
	ck_assert_ptr_null(strchr(v.reason, '\x1b'));
	died.u.failure.reason.len = 0;
	kit_start(&kit, RECORDING);
	kit_add_message(&kit, &died);
	expect(AVD_OUTCOME_DIED, AVD_REASON_EXITED); /* check_value(): the text is not empty */
}
END_TEST

KIT_MAIN(a_whole_cell_is_attached_and_passed, payload_starting_alone_is_no_evidence,
	 attached_alone_is_no_confirmation, precedence_does_not_depend_on_the_order,
	 not_attached_beats_attached, a_gap_before_the_confirmation_is_corrupt,
	 stray_bytes_before_the_confirmation_are_corrupt,
	 a_repeat_before_the_confirmation_is_corrupt, failures_stand_after_a_gap_and_without_hello,
	 another_boots_frames_count_for_nothing, the_options_nonce_counts_without_a_recording,
	 an_attach_without_proof_is_a_fault, order_violations_make_attached_impossible,
	 a_malformed_message_is_a_fault, unknown_kinds_are_skipped_but_numbered,
	 failure_codes_out_of_range_fall_back, the_guests_words_are_escaped_and_bounded)
