// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The result of a cell that attached, and the reason codes of one without a verdict. */
#include <check.h>
#include <string.h>

#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING

static struct kit kit;

/* Up to the confirmation. */
static void confirm(uint32_t flags)
{
	kit_start(&kit, flags);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
}

static void finish(void)
{
	kit_add(&kit, AVD_MSG_DONE);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
}

static void expect(enum avd_reason_code code, const char *words)
{
	const struct avd_verdict v = kit_judge(&kit);
	ck_assert_str_eq(avd_outcome_name(v.outcome), "ATTACHED");
	ck_assert_ptr_null(avd_verdict_failure_reason(&v));
	ck_assert_str_eq(avd_reason_code_name(v.result_code), avd_reason_code_name(code));
	ck_assert_msg(strstr(v.result_reason, words) != NULL, "'%s' is not in '%s'", words,
		      v.result_reason);
	ck_assert_uint_eq(v.result,
			  code == AVD_REASON_NONE ? AVD_RESULT_PASSED : AVD_RESULT_FAILED);
}

START_TEST(ejected_fails)
{
	confirm(RECORDING);
	kit_add(&kit, AVD_MSG_SCHEDULER_EXIT);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	finish();
	expect(AVD_REASON_EJECTED, "the kernel ejected the scheduler in phase payload: runnable "
				   "task stall: task 1 stalled (exit kind 1026)");
}
END_TEST

/* The kernel's exit code is told where something knew it. */
START_TEST(the_exit_code_is_told_if_it_is_known)
{
	struct avd_message gone = kit_message(AVD_MSG_SCHEDULER_EXIT);
	gone.u.scheduler_exit.source = AVD_EXIT_FROM_PROBE;
	gone.u.scheduler_exit.exit_code = -7;
	confirm(RECORDING);
	kit_add_message(&kit, &gone);
	finish();
	expect(AVD_REASON_EJECTED, "task 1 stalled (exit kind 1026, code -7)");
}
END_TEST

/* An ejection during the dispatch probe names whom the scheduler starved until then. */
START_TEST(ejected_in_dispatch_names_the_starved)
{
	struct avd_message gone = kit_message(AVD_MSG_SCHEDULER_EXIT);
	struct avd_message dispatch = kit_message(AVD_MSG_DISPATCH);
	gone.u.scheduler_exit.phase = AVD_PHASE_DISPATCH;
	gone.u.scheduler_exit.phase_ns = UINT64_C(3250000000);
	dispatch.u.dispatch.ok = 0;
	dispatch.u.dispatch.reason = (struct avd_str){"CPU 1 made no progress in 3250 ms", 33};
	confirm(RECORDING);
	kit_add_message(&kit, &gone);
	kit_add_message(&kit, &dispatch);
	finish();
	expect(AVD_REASON_EJECTED,
	       "in phase dispatch, 3.250 s after it began: runnable task stall: task 1 stalled "
	       "(exit kind 1026); CPU 1 made no progress in 3250 ms");
}
END_TEST

START_TEST(ejected_before_the_payload_fails_but_is_attached)
{
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_SCHEDULER_EXIT);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	finish();
	expect(AVD_REASON_EJECTED, "runnable task stall");
}
END_TEST

START_TEST(the_first_exit_is_the_cause)
{
	struct avd_message gone = kit_message(AVD_MSG_SCHEDULER_EXIT);
	confirm(RECORDING);
	kit_add_message(&kit, &gone);
	gone.u.scheduler_exit.code = AVD_REASON_SCHEDULER_EXITED;
	kit_add_message(&kit, &gone);
	finish();
	expect(AVD_REASON_EJECTED, "runnable task stall");
}
END_TEST

START_TEST(exit_codes_fall_back_on_the_kind)
{
	static const struct {
		uint64_t kind;
		uint32_t code;
		enum avd_reason_code want;
	} cases[] = {
		{1024, AVD_REASON_SCHEDULER_EXITED, AVD_REASON_SCHEDULER_EXITED},
		{64, AVD_REASON_EJECTED, AVD_REASON_EJECTED},
		{64, 0, AVD_REASON_SCHEDULER_EXITED},
		{65, 0, AVD_REASON_SCHEDULER_EXITED},
		{67, 0, AVD_REASON_EJECTED},
		{1025, 999, AVD_REASON_EJECTED},
		{0, 0, AVD_REASON_SCHEDULER_EXITED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct avd_message gone = kit_message(AVD_MSG_SCHEDULER_EXIT);
		gone.u.scheduler_exit.code = cases[i].code;
		gone.u.scheduler_exit.exit_kind = cases[i].kind;
		confirm(RECORDING);
		kit_add_message(&kit, &gone);
		finish();
		expect(cases[i].want, "in phase payload");
	}
}
END_TEST

START_TEST(dispatch_must_be_ok)
{
	struct avd_message bad = kit_message(AVD_MSG_DISPATCH);
	bad.u.dispatch.ok = 0;
	for (int i = 0; i < 4; i++) {
		static const char words[] = "CPU 1 made no progress";
		bad.u.dispatch.reason = (struct avd_str){words, i ? sizeof(words) - 1 : 0};
		confirm(RECORDING);
		if (i == 2) /* neither order hides the failure */
			kit_add(&kit, AVD_MSG_DISPATCH);
		kit_add_message(&kit, &bad);
		if (i == 3)
			kit_add(&kit, AVD_MSG_DISPATCH);
		kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
		finish();
		expect(AVD_REASON_NO_DISPATCH, i ? words : "not every CPU");
	}
	confirm(RECORDING);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	finish();
	expect(AVD_REASON_NO_DISPATCH, "did not tell");
	confirm(0); /* nobody said that it was not asked for */
	kit_add(&kit, AVD_MSG_DONE);
	expect(AVD_REASON_NO_DISPATCH, "did not tell");
}
END_TEST

START_TEST(dispatch_is_not_missed_when_it_was_not_asked_for)
{
	const struct avd_message cell = kit_message(AVD_MSG_CELL);
	struct avd_msg_cell off = cell.u.cell;
	off.dispatch = 0;
	for (int bad = 0; bad < 2; bad++) {
		kit_start_cell(&kit, &off);
		kit_boot(&kit);
		kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
		kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
		kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
		if (bad) { /* but if it comes it counts */
			struct avd_message dispatch = kit_message(AVD_MSG_DISPATCH);
			dispatch.u.dispatch.ok = 0;
			kit_add_message(&kit, &dispatch);
		}
		finish();
		expect(bad ? AVD_REASON_NO_DISPATCH : AVD_REASON_NONE, "");
	}
}
END_TEST

START_TEST(the_payload_must_succeed)
{
	static const struct {
		struct avd_msg_payload_exit gone;
		const char *words;
	} cases[] = {
		{{.exit_status = 3}, "exited with status 3"},
		{{.exit_status = -1, .signal = 9}, "killed by signal 9"},
		{{.exit_status = -1, .error = 2}, "could not be started (errno 2)"},
		{{.exit_status = -1}, "status -1"},
		{{.exit_status = -1, .error = 8, .reason = {"\"/x\" is no program", 18}},
		 "could not be started: \"/x\" is no program"},
		{{.exit_status = 0, .ended_by = AVD_PAYLOAD_TIME_LIMIT}, "its time limit of"},
		{{.exit_status = -1, .signal = 15, .ended_by = AVD_PAYLOAD_TIME_LIMIT},
		 "was still running when its time limit of"},
		{{.exit_status = 0, .ended_by = AVD_PAYLOAD_SCHEDULER_GONE}, "scheduler was gone"},
	};
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct avd_message gone = kit_message(AVD_MSG_PAYLOAD_EXIT);
		gone.u.payload_exit = cases[i / 2].gone;
		confirm(i % 2 ? RECORDING : 0);
		kit_add(&kit, AVD_MSG_DISPATCH);
		kit_add_message(&kit, &gone);
		kit_add(&kit, AVD_MSG_PAYLOAD_EXIT); /* a second, good one hides nothing */
		kit_add(&kit, AVD_MSG_DONE);
		if (i % 2)
			kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
		expect(AVD_REASON_PAYLOAD_FAILED, cases[i / 2].words);
	}
	confirm(RECORDING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	finish();
	expect(AVD_REASON_PAYLOAD_FAILED, "did not tell how the payload ended");
}
END_TEST

START_TEST(no_payload_is_missed_when_none_was_asked_for)
{
	struct avd_message cell = kit_message(AVD_MSG_CELL);
	cell.u.cell.payload = (struct avd_strv){0};
	kit_start_cell(&kit, &cell.u.cell);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	finish();
	expect(AVD_REASON_NONE, "");
}
END_TEST

START_TEST(done_must_say_that_it_was_still_enabled)
{
	struct avd_message done = kit_message(AVD_MSG_DONE);
	done.u.done.enabled_at_end = 0;
	confirm(RECORDING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	kit_add_message(&kit, &done);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	expect(AVD_REASON_NO_CLEAN_END, "no longer enabled");
}
END_TEST

START_TEST(an_end_without_done_is_not_clean)
{
	static const struct {
		enum avd_end_cause cause;
		enum avd_reason_code code, want;
	} cases[] = {
		{AVD_END_GUEST_RESET, AVD_REASON_NONE, AVD_REASON_NO_CLEAN_END},
		{AVD_END_GUEST_SHUTDOWN, AVD_REASON_NONE, AVD_REASON_NO_CLEAN_END},
		{AVD_END_GUEST_RESET, AVD_REASON_PANIC, AVD_REASON_PANIC},
		{AVD_END_GUEST_RESET, AVD_REASON_OOPS, AVD_REASON_OOPS},
		{AVD_END_TRIPLE_FAULT, AVD_REASON_NONE, AVD_REASON_TRIPLE_FAULT},
		{AVD_END_WATCHDOG, AVD_REASON_WATCHDOG, AVD_REASON_WATCHDOG},
		{AVD_END_VCPU_ERROR, AVD_REASON_NONE, AVD_REASON_MACHINE_ERROR},
		{AVD_END_MACHINE_KILLED, AVD_REASON_NONE, AVD_REASON_MACHINE_ERROR},
		{AVD_END_HOST_STOP, AVD_REASON_HOST_STOP, AVD_REASON_HOST_STOP},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int torn = 0; torn < 2; torn++) {
			confirm(RECORDING);
			kit_add(&kit, AVD_MSG_DISPATCH);
			kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
			if (torn) /* the guest ended while it wrote: the end explains it */
				kit_add_raw(&kit, "\xd9\xd9\xf7\x83\x1a\x00", 6);
			kit_end(&kit, cases[i].cause, cases[i].code, "the host's words");
			expect(cases[i].want, "the host's words");
		}
	}
}
END_TEST

START_TEST(after_done_the_machine_must_end_as_it_should)
{
	confirm(RECORDING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	kit_add(&kit, AVD_MSG_DONE);
	const struct kit done = kit;
	kit_end(&kit, AVD_END_WATCHDOG, AVD_REASON_WATCHDOG, "silence");
	expect(AVD_REASON_WATCHDOG, "silence");
	kit = done;
	kit_end(&kit, AVD_END_GUEST_SHUTDOWN, AVD_REASON_NONE, "");
	expect(AVD_REASON_NONE, "");
	kit = done;
	/* A scheduler may print what looks like a panic; the guest's done is sound. */
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC, "Kernel panic");
	expect(AVD_REASON_NONE, "");
	kit = done;
	expect(AVD_REASON_TRUNCATED, "without the machine's end-cause");
}
END_TEST

START_TEST(what_breaks_after_the_confirmation_fails_the_result)
{
	static const uint32_t after_done[] = {AVD_MSG_DISPATCH, AVD_MSG_PAYLOAD_STARTING,
					      AVD_MSG_HELLO, AVD_MSG_DONE, AVD_MSG_PAYLOAD_EXIT};
	for (size_t i = 0; i < sizeof(after_done) / sizeof(after_done[0]); i++) {
		kit_pass(&kit, 0);
		kit_add(&kit, after_done[i]);
		expect(AVD_REASON_CHANNEL_CORRUPT, "out of order");
	}
	for (int recording = 0; recording < 2; recording++) {
		confirm(recording ? RECORDING : 0);
		kit_add(&kit, AVD_MSG_DISPATCH);
		kit.seq++;
		kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
		kit_add(&kit, AVD_MSG_DONE);
		if (recording)
			kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
		expect(AVD_REASON_CHANNEL_CORRUPT, "frame 7 is missing");
	}
	/* What is missing may be what was lost: the broken channel is the better reason. */
	for (int end = 0; end < 2; end++) {
		confirm(RECORDING);
		kit_add_raw(&kit, "stray", 5);
		kit_add(&kit, AVD_MSG_DISPATCH);
		if (end)
			kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
		expect(AVD_REASON_CHANNEL_CORRUPT, "bytes that are no frame at byte");
	}
	kit_pass(&kit, 0);
	kit_add_raw(&kit, "\xd9\xd9", 2);
	expect(AVD_REASON_CHANNEL_CORRUPT, "cut off");
}
END_TEST

START_TEST(output_may_follow_done)
{
	for (int recording = 0; recording < 2; recording++) {
		kit_pass(&kit, 0);
		kit_start(&kit, recording ? RECORDING : 0);
		kit_boot(&kit);
		kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
		kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
		kit_add(&kit, AVD_MSG_DISPATCH);
		kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
		kit_add(&kit, AVD_MSG_DONE);
		kit_log(&kit, AVD_STREAM_SCHEDULER_STDERR, "bye\n");
		kit_add(&kit, AVD_MSG_KERNEL_LOG);
		kit_add(&kit, AVD_MSG_HEARTBEAT);
		if (recording)
			kit_end(&kit, AVD_END_GUEST_SHUTDOWN, AVD_REASON_NONE, "");
		expect(AVD_REASON_NONE, "");
	}
}
END_TEST

START_TEST(init_failed_after_the_confirmation)
{
	confirm(RECORDING);
	kit_add(&kit, AVD_MSG_INIT_FAILED);
	kit_end(&kit, AVD_END_GUEST_SHUTDOWN, AVD_REASON_NONE, "");
	expect(AVD_REASON_GUEST_INIT_FAILED, "init gave up");
}
END_TEST

START_TEST(nothing_passes_before_the_end)
{
	kit_pass(&kit, RECORDING);
	for (int recording = 0; recording < 2; recording++) {
		struct avd_verdict v;
		kit_pass(&kit, recording ? RECORDING : 0);
		avd_stream *const stream = kit_stream(kit.flags, NULL, NULL);
		ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0);
		ck_assert_int_eq(avd_stream_verdict(stream, &v), 0);
		ck_assert_uint_eq(v.outcome, AVD_OUTCOME_ATTACHED);
		ck_assert_uint_eq(v.result, AVD_RESULT_FAILED);
		ck_assert_uint_eq(v.result_code, AVD_REASON_TRUNCATED);
		ck_assert_ptr_nonnull(strstr(v.result_reason, "has not ended yet"));
		ck_assert_int_eq(avd_stream_finish(stream), 0);
		ck_assert_int_eq(avd_stream_verdict(stream, &v), 0);
		ck_assert_uint_eq(v.result, AVD_RESULT_PASSED);
		avd_stream_free(stream);
	}
}
END_TEST

KIT_MAIN(ejected_fails, the_exit_code_is_told_if_it_is_known, ejected_in_dispatch_names_the_starved,
	 ejected_before_the_payload_fails_but_is_attached, the_first_exit_is_the_cause,
	 exit_codes_fall_back_on_the_kind, dispatch_must_be_ok,
	 dispatch_is_not_missed_when_it_was_not_asked_for, the_payload_must_succeed,
	 no_payload_is_missed_when_none_was_asked_for, done_must_say_that_it_was_still_enabled,
	 an_end_without_done_is_not_clean, after_done_the_machine_must_end_as_it_should,
	 what_breaks_after_the_confirmation_fails_the_result, output_may_follow_done,
	 init_failed_after_the_confirmation, nothing_passes_before_the_end)
