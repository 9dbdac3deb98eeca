// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Reason codes and texts of a cell without a verdict, and the frames of a recording. */
#include <check.h>
#include <string.h>

#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING
/* The first bytes of a frame that claims 100 bytes. */
#define TORN "\xd9\xd9\xf7\x83\x1a\x00\x00\x00\x04\x1a\x11\x22\x33\x44\x5a\x00\x00\x00\x64\xa3\x00"

static struct kit kit;

static struct avd_verdict expect(enum avd_reason_code code, const char *words)
{
	const struct avd_verdict v = kit_judge(&kit);
	ck_assert_str_eq(avd_outcome_name(v.outcome), "UNCONFIRMED");
	ck_assert_msg(v.reason_code == code && strstr(v.reason, words),
		      "%s, expected %s; '%s' should be in: %s", avd_reason_code_name(v.reason_code),
		      avd_reason_code_name(code), words, v.reason);
	return v;
}

START_TEST(the_end_cause_gives_the_code)
{
	static const struct {
		enum avd_end_cause cause;
		uint32_t code;
		enum avd_reason_code want;
		const char *words;
	} cases[] = {
		{AVD_END_GUEST_RESET, 0, AVD_REASON_GUEST_RESET, "the guest reset"},
		{AVD_END_GUEST_RESET, AVD_REASON_PANIC, AVD_REASON_PANIC, "panicked"},
		{AVD_END_GUEST_RESET, AVD_REASON_OOPS, AVD_REASON_OOPS, "oopsed"},
		{AVD_END_GUEST_RESET, AVD_REASON_EJECTED, AVD_REASON_GUEST_RESET, "reset"},
		{AVD_END_GUEST_RESET, AVD_REASON_TRUNCATED, AVD_REASON_GUEST_RESET, "reset"},
		{AVD_END_GUEST_RESET, 12345, AVD_REASON_GUEST_RESET, "reset"},
		{AVD_END_GUEST_SHUTDOWN, 0, AVD_REASON_GUEST_SHUTDOWN, "powered off"},
		{AVD_END_TRIPLE_FAULT, 0, AVD_REASON_TRIPLE_FAULT, "triple-faulted"},
		{AVD_END_WATCHDOG, 0, AVD_REASON_WATCHDOG, "watchdog"},
		{AVD_END_WATCHDOG, AVD_REASON_PANIC, AVD_REASON_PANIC, "panicked"},
		{AVD_END_VCPU_ERROR, 0, AVD_REASON_MACHINE_ERROR, "machine failed"},
		{AVD_END_SPAWN_ERROR, 0, AVD_REASON_MACHINE_ERROR, "machine failed"},
		{AVD_END_MACHINE_KILLED, 0, AVD_REASON_MACHINE_ERROR, "machine-killed"},
		{AVD_END_HOST_STOP, 0, AVD_REASON_HOST_STOP, "caller stopped"},
		{AVD_END_UNKNOWN, 0, AVD_REASON_MACHINE_ERROR, "machine failed"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int torn = 0; torn < 2; torn++) {
			kit_start(&kit, RECORDING);
			kit_boot(&kit);
			if (torn)
				kit_add_raw(&kit, TORN, sizeof(TORN) - 1);
			kit_end(&kit, cases[i].cause, cases[i].code, "host's words");
			expect(cases[i].want, cases[i].words);
			expect(cases[i].want, "host's words");
			const struct avd_verdict v =
				expect(cases[i].want, "last phase gate since 2.004 s");
			ck_assert_uint_eq(v.end_cause, cases[i].cause);
			ck_assert_int_eq(strstr(v.reason, "a frame is torn") != NULL, torn);
		}
	}
}
END_TEST

START_TEST(an_end_cause_from_the_future_is_unknown)
{
	kit_start(&kit, RECORDING);
	kit_end(&kit, 4711, 0, "");
	const struct avd_verdict v = expect(AVD_REASON_MACHINE_ERROR, "no frame came");
	ck_assert_uint_eq(v.end_cause, AVD_END_UNKNOWN);
}
END_TEST

START_TEST(an_end_cause_with_another_number_is_none)
{
	static const uint32_t seqs[] = {AVD_HOST_SEQ_BASE, AVD_HOST_SEQ_BASE + 2, UINT32_MAX};
	const struct avd_message end = kit_message(AVD_MSG_END_CAUSE);
	for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		kit_add_seq(&kit, &end, seqs[i]);
		const struct avd_verdict v =
			expect(AVD_REASON_CHANNEL_CORRUPT, "where none can be");
		ck_assert_uint_eq(v.end_cause, AVD_END_UNKNOWN);
	}
}
END_TEST

START_TEST(more_than_a_torn_frame_is_corrupt)
{
	/* A torn frame in the middle, two of them, a whole one with a bad sum, stray bytes. */
	for (int i = 0; i < 5; i++) {
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		if (i == 0 || i == 1)
			kit_add_raw(&kit, TORN, sizeof(TORN) - 1);
		if (i < 3)
			kit_add(&kit, AVD_MSG_HEARTBEAT);
		if (i == 1)
			kit_add_raw(&kit, TORN, sizeof(TORN) - 1);
		if (i == 2)
			kit.bytes[kit.size - 1] ^= 1;
		if (i == 3)
			kit_add_raw(&kit, "stray", 5);
		if (i == 4) {
			kit_add_raw(&kit, TORN, 18);
			kit_add_raw(&kit, "\x00\x00", 2); /* claims less than is there */
		}
		kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC, "Kernel panic: x");
		expect(AVD_REASON_CHANNEL_CORRUPT, "Kernel panic: x");
	}
}
END_TEST

START_TEST(every_torn_frame_leaves_the_end_cause)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_log(&kit, AVD_STREAM_SCHEDULER_STDOUT,
		"a line that is long enough for many places to be cut at\n");
	const struct kit whole = kit;
	for (size_t size = whole.at[whole.count - 1] + 1; size < whole.size; size++) {
		kit = whole;
		kit.size = size;
		kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC, "Kernel panic: x");
		expect(AVD_REASON_PANIC, "a frame is torn");
	}
}
END_TEST

/* It may claim a megabyte: the frames behind it are found all the same. */
START_TEST(a_claimed_length_swallows_nothing)
{
	static const uint8_t lengths[][4] = {
		{0, 0, 0, 200}, {0, 0, 16, 0}, {0, 16, 0, 0}, {0, 16, 0, 1}, {255, 255, 255, 255}};
	for (size_t i = 0; i < 5; i++) {
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		kit_add_raw(&kit, TORN, 15);
		kit_add_raw(&kit, lengths[i], 4);
		kit_add(&kit, AVD_MSG_HEARTBEAT);
		kit_add(&kit, AVD_MSG_SCHEDULER_NOT_ATTACHED);
		kit_end(&kit, AVD_END_GUEST_RESET, 0, "");
		const struct avd_verdict v = kit_judge(&kit);
		ck_assert_uint_eq(v.outcome, AVD_OUTCOME_NOT_ATTACHED);
		ck_assert_uint_eq(v.end_cause, AVD_END_GUEST_RESET);
	}
}
END_TEST

START_TEST(init_failed_gives_the_code)
{
	for (int i = 0; i < 4; i++) {
		kit_start(&kit, RECORDING);
		kit_boot(&kit);
		if (i >= 2) /* crashed in the middle of a frame, whose number is used up */
			kit_add_raw(&kit, TORN, sizeof(TORN) - 1);
		if (i == 3)
			kit.seq++;
		kit_add(&kit, AVD_MSG_INIT_FAILED);
		if (i >= 1)
			kit_end(&kit, AVD_END_GUEST_SHUTDOWN, 0, "");
		expect(AVD_REASON_GUEST_INIT_FAILED, "the guest's init failed: init gave up");
	}
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit.seq++; /* lost, but no torn frame */
	kit_add(&kit, AVD_MSG_INIT_FAILED);
	expect(AVD_REASON_CHANNEL_CORRUPT, "init gave up");
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add_raw(&kit, TORN, sizeof(TORN) - 1);
	kit.seq += 2; /* more is lost than the torn frame */
	kit_add(&kit, AVD_MSG_INIT_FAILED);
	expect(AVD_REASON_CHANNEL_CORRUPT, "init gave up");
	kit_start(&kit, RECORDING);
	kit_add(&kit, AVD_MSG_INIT_FAILED); /* before hello: init has read no nonce yet */
	expect(AVD_REASON_GUEST_INIT_FAILED, "init gave up");
}
END_TEST

START_TEST(a_failure_frame_beats_a_crash_of_init)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_INIT_FAILED);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	ck_assert_uint_eq(kit_judge(&kit).outcome, AVD_OUTCOME_DIED);
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_INIT_FAILED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	expect(AVD_REASON_CHANNEL_CORRUPT, "payload-starting out of order");
}
END_TEST

START_TEST(truncated_everywhere)
{
	struct kit whole;
	kit_pass(&whole, RECORDING);
	size_t confirmed = 0;
	for (size_t i = 0; i < whole.count; i++) {
		if (whole.kinds[i] == AVD_MSG_PAYLOAD_STARTING)
			confirmed = whole.at[i + 1];
	}
	ck_assert_uint_gt(confirmed, 0);
	for (size_t size = 0; size < whole.size; size++) {
		for (int recording = 0; recording < 2; recording++) {
			const size_t skip = recording ? 0 : whole.at[1];
			if (size < skip || (!recording && size >= whole.at[whole.count - 1]))
				continue;
			const struct avd_verdict v = kit_judge_bytes(
				whole.bytes + skip, size - skip, recording ? RECORDING : 0, 0);
			ck_assert_uint_eq(v.result, AVD_RESULT_FAILED);
			ck_assert_int_eq(v.outcome == AVD_OUTCOME_ATTACHED, size >= confirmed);
			if (size < confirmed || recording)
				ck_assert_msg(v.result_code == AVD_REASON_TRUNCATED, "%zu: %s",
					      size, v.result_reason);
		}
	}
}
END_TEST

START_TEST(a_stream_that_goes_on_says_so)
{
	struct avd_verdict v;
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	avd_stream *const stream = kit_stream(RECORDING, NULL, NULL);
	ck_assert_int_eq(avd_stream_verdict(stream, &v), 0);
	ck_assert_uint_eq(v.reason_code, AVD_REASON_TRUNCATED);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0);
	ck_assert_int_eq(avd_stream_verdict(stream, &v), 0);
	ck_assert_ptr_nonnull(strstr(v.reason, "has not ended yet"));
	avd_stream_free(stream);
}
END_TEST

/* Everything that a host's frame can be in the wrong place. */
START_TEST(host_frames_elsewhere_are_faults)
{
	struct kit whole;
	kit_pass(&whole, RECORDING);
	const struct avd_message cell = kit_message(AVD_MSG_CELL);
	const struct avd_message end = kit_message(AVD_MSG_END_CAUSE);
	const struct avd_message died = kit_message(AVD_MSG_SCHEDULER_DIED);
	for (int what = 0; what < 6; what++) {
		for (size_t before = 0; before <= whole.count; before++) {
			const uint32_t seqs[] = {AVD_HOST_SEQ_BASE,	AVD_HOST_SEQ_BASE + 1,
						 AVD_HOST_SEQ_BASE,	AVD_HOST_SEQ_BASE + 1,
						 AVD_HOST_SEQ_BASE + 2, UINT32_MAX};
			const struct avd_message *const frames[] = {&cell, &end, &died,
								    &died, &end, &died};
			kit_start(&kit, RECORDING);
			kit.size = kit.count = 0;
			kit_add_raw(&kit, whole.bytes, whole.at[before]);
			kit_add_seq(&kit, frames[what], seqs[what]);
			kit_add_raw(&kit, whole.bytes + whole.at[before],
				    whole.size - whole.at[before]);
			const struct avd_verdict v = kit_judge(&kit);
			ck_assert_uint_ne(v.outcome, AVD_OUTCOME_DIED);
			ck_assert_msg(v.result == AVD_RESULT_FAILED, "%d before frame %zu: %s",
				      what, before, v.result_reason);
			if (before < 6)
				ck_assert_uint_ne(v.outcome, AVD_OUTCOME_ATTACHED);
		}
	}
}
END_TEST

START_TEST(a_guests_stream_has_no_host_frames)
{
	struct kit whole;
	kit_pass(&whole, RECORDING);
	/* The same bytes as a guest's alone: the cell frame is a forgery then. */
	const struct avd_verdict v = kit_judge_bytes(whole.bytes, whole.size, 0, 0);
	ck_assert_uint_eq(v.outcome, AVD_OUTCOME_UNCONFIRMED);
	ck_assert_uint_eq(v.reason_code, AVD_REASON_CHANNEL_CORRUPT);
}
END_TEST

START_TEST(a_recording_starts_with_its_cell_frame)
{
	struct kit whole;
	kit_pass(&whole, RECORDING);
	const struct avd_verdict v =
		kit_judge_bytes(whole.bytes + whole.at[1], whole.size - whole.at[1], RECORDING, 0);
	ck_assert_uint_eq(v.reason_code, AVD_REASON_CHANNEL_CORRUPT);
	ck_assert_ptr_nonnull(strstr(v.reason, "does not start with a cell frame"));
	ck_assert_uint_eq(v.end_cause, AVD_END_GUEST_RESET);
}
END_TEST

START_TEST(a_recording_of_another_protocol)
{
	struct avd_message cell = kit_message(AVD_MSG_CELL);
	cell.u.cell.protocol = 2;
	kit_start_cell(&kit, &cell.u.cell);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	expect(AVD_REASON_CHANNEL_CORRUPT, "recorded with protocol 2, this library reads 1");
}
END_TEST

KIT_MAIN(an_end_cause_with_another_number_is_none, the_end_cause_gives_the_code,
	 an_end_cause_from_the_future_is_unknown, more_than_a_torn_frame_is_corrupt,
	 every_torn_frame_leaves_the_end_cause, a_claimed_length_swallows_nothing,
	 init_failed_gives_the_code, a_failure_frame_beats_a_crash_of_init, truncated_everywhere,
	 a_stream_that_goes_on_says_so, host_frames_elsewhere_are_faults,
	 a_guests_stream_has_no_host_frames, a_recording_starts_with_its_cell_frame,
	 a_recording_of_another_protocol)
