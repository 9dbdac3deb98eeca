// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The verdict as a value, the texts of the codes, the stream's options. */
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "verdict_kit.h"

#define CODE_COUNT (AVD_REASON_LOST + 1)

static struct kit kit;

START_TEST(names)
{
	ck_assert_str_eq(avd_outcome_name(AVD_OUTCOME_UNCONFIRMED), "UNCONFIRMED");
	ck_assert_str_eq(avd_outcome_name(AVD_OUTCOME_ATTACHED), "ATTACHED");
	ck_assert_str_eq(avd_outcome_name(AVD_OUTCOME_DIED), "DIED");
	ck_assert_str_eq(avd_outcome_name(AVD_OUTCOME_NOT_ATTACHED), "NOT_ATTACHED");
	ck_assert_str_eq(avd_outcome_name(4), "UNCONFIRMED");
	ck_assert_str_eq(avd_result_name(AVD_RESULT_PASSED), "passed");
	ck_assert_str_eq(avd_result_name(AVD_RESULT_FAILED), "failed");
	ck_assert_str_eq(avd_result_name(2), "failed");
}
END_TEST

/* The names are an interface: written out once more here, so that none changes by accident. */
START_TEST(names_of_the_codes)
{
	static const char *const expected[CODE_COUNT] = {
		"none",
		"exec-failed",
		"exited",
		"killed-by-signal",
		"verifier-rejected",
		"missing-kfunc",
		"missing-member",
		"no-sched-ext",
		"busy",
		"init-failed",
		"ejected-at-attach",
		"timeout",
		"panic",
		"oops",
		"guest-reset",
		"triple-fault",
		"watchdog",
		"channel-corrupt",
		"machine-error",
		"guest-shutdown",
		"guest-init-failed",
		"host-stop",
		"truncated",
		"ejected",
		"no-dispatch",
		"payload-failed",
		"no-clean-end",
		"scheduler-exited",
		"topology-mismatch",
		"not-run",
		"lost",
	};
	for (uint32_t code = 0; code < CODE_COUNT; code++)
		ck_assert_str_eq(avd_reason_code_name(code), expected[code]);
	ck_assert_str_eq(avd_reason_code_name(CODE_COUNT), "unknown");
	ck_assert_str_eq(avd_reason_code_name(UINT32_MAX), "unknown");
}
END_TEST

static void check_line(const char *line)
{
	const size_t len = strlen(line);
	ck_assert_uint_gt(len, 20);
	ck_assert_uint_lt(len, 240); /* readable at a glance */
	ck_assert_msg(line[len - 1] == '.', "%s", line);
	for (size_t i = 0; i < len; i++)
		ck_assert_msg(isprint((unsigned char)line[i]), "%s", line);
}

START_TEST(each_code_is_explained)
{
	for (uint32_t code = 1; code < CODE_COUNT; code++) {
		check_line(avd_reason_code_explain(code));
		check_line(avd_reason_code_hint(code));
		for (uint32_t other = 1; other < code; other++) {
			ck_assert_str_ne(avd_reason_code_explain(code),
					 avd_reason_code_explain(other));
			ck_assert_str_ne(avd_reason_code_hint(code), avd_reason_code_hint(other));
		}
	}
	static const uint32_t none[] = {0, CODE_COUNT, UINT32_MAX};
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(avd_reason_code_explain(none[i]), "");
		ck_assert_str_eq(avd_reason_code_hint(none[i]), "");
	}
}
END_TEST

START_TEST(memory_nobody_filled_in_is_not_attached)
{
	const struct avd_verdict v = {0};
	ck_assert_ptr_nonnull(avd_verdict_failure_reason(&v));
	ck_assert_str_ne(avd_outcome_name(v.outcome), "ATTACHED");
	ck_assert_str_eq(avd_result_name(v.result), "failed");
}
END_TEST

START_TEST(a_verdict_is_a_value)
{
	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	struct avd_verdict a, b;
	memset(&a, 0xaa, sizeof(a)); /* no byte may stay what it was */
	memset(&b, 0x55, sizeof(b));
	avd_stream *const stream = kit_stream(kit.flags, NULL, NULL);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0);
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	ck_assert_int_eq(avd_stream_verdict(stream, &a), 0);
	ck_assert_int_eq(avd_stream_verdict(stream, &b), 0);
	avd_stream_free(stream);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_int_eq(avd_verdict_equal(&a, &b), 1);
	for (size_t i = strlen(a.reason); i < sizeof(a.reason); i++)
		ck_assert_int_eq(a.reason[i], 0);
	b.end_cause++;
	ck_assert_int_eq(avd_verdict_equal(&a, &b), 0);
	b = a;
	ck_assert_int_eq(avd_verdict_equal(&a, &b), 1);
	ck_assert_str_eq(avd_verdict_failure_reason(&b), b.reason);
	ck_assert_ptr_eq(avd_verdict_failure_reason(&b), b.reason);
}
END_TEST

START_TEST(words_of_a_reason)
{
	static const char *const expected[][2] = {
		{"cause=exited state=disabled ops=missing cpu_ms=76; exit status 3; last output: "
		 "\"x\"",
		 "exit status 3; last output: \"x\""},
		{"cause=busy ops=\"a; b\" cpu_ms=1; its process is alive", "its process is alive"},
		{"cause=busy ops=\"a; b\" cpu_ms=1", "cause=busy ops=\"a; b\" cpu_ms=1"},
		{"cause=busy ops=\"a; b", "cause=busy ops=\"a; b"},
		{"cause=busy; ", "cause=busy; "},
		{"the machine ended; it was told to", "the machine ended; it was told to"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		ck_assert_str_eq(avd_reason_words(expected[i][0]), expected[i][1]);
}
END_TEST

START_TEST(printed)
{
	char line[2048], cut[8];
	struct avd_verdict v = {.outcome = AVD_OUTCOME_DIED,
				.reason_code = AVD_REASON_EXEC_FAILED,
				.reason = "cause=x"};
	const int n = avd_verdict_print(&v, line, sizeof(line));
	ck_assert_str_eq(line, "DIED (exec-failed): cause=x");
	ck_assert_int_eq(n, (int)strlen(line));
	ck_assert_int_eq(avd_verdict_print(&v, NULL, 0), n);
	ck_assert_int_eq(avd_verdict_print(&v, cut, sizeof(cut)), n);
	ck_assert_str_eq(cut, "DIED (e");
	v = (struct avd_verdict){.outcome = AVD_OUTCOME_ATTACHED, .result = AVD_RESULT_PASSED};
	avd_verdict_print(&v, line, sizeof(line));
	ck_assert_str_eq(line, "ATTACHED (passed)");
	v.result = AVD_RESULT_FAILED;
	v.result_code = AVD_REASON_EJECTED;
	strcpy(v.result_reason, "stall");
	avd_verdict_print(&v, line, sizeof(line));
	ck_assert_str_eq(line, "ATTACHED (failed, ejected): stall");
	memset(&v, 'x', sizeof(v)); /* not even a NUL */
	v.outcome = AVD_OUTCOME_NOT_ATTACHED;
	ck_assert_int_lt(avd_verdict_print(&v, line, sizeof(line)), (int)sizeof(line));
}
END_TEST

/* The longest texts fit, are cut at a whole character and end with NUL. */
START_TEST(long_texts_are_cut)
{
	static char words[3000];
	for (size_t i = 0; i + 2 < sizeof(words); i += 2)
		memcpy(words + i, "\xc3\xa9", 2);
	struct avd_message message = {.kind = AVD_MSG_SCHEDULER_EXIT};
	message.u.scheduler_exit.reason = (struct avd_str){words, 2998};
	message.u.scheduler_exit.message = (struct avd_str){words, 2998};
	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add_message(&kit, &message);
	struct avd_verdict v = kit_judge(&kit);
	const size_t len = strlen(v.result_reason);
	ck_assert_uint_ge(len, AVD_VERDICT_REASON_MAX - 3);
	ck_assert_uint_lt(len, AVD_VERDICT_REASON_MAX);
	for (size_t i = 0; i < len; i++) { /* no half character */
		if ((uint8_t)v.result_reason[i] == 0xc3)
			ck_assert_int_eq((uint8_t)v.result_reason[++i], 0xa9);
		else
			ck_assert_int_lt((uint8_t)v.result_reason[i], 0x80);
	}
	kit_start(&kit, AVD_STREAM_RECORDING);
	struct avd_message end = kit_message(AVD_MSG_END_CAUSE);
	end.u.end_cause.detail = (struct avd_str){words, 2998};
	kit_add_seq(&kit, &end, AVD_HOST_SEQ_BASE + 1);
	v = kit_judge(&kit);
	ck_assert_uint_lt(strlen(v.reason), AVD_VERDICT_REASON_MAX);
}
END_TEST

static int make(struct avd_stream_options *options)
{
	avd_stream *stream = (avd_stream *)&kit; /* stays untouched on failure */
	const int r = avd_stream_new(options, &stream);
	if (r == 0)
		avd_stream_free(stream);
	else
		ck_assert_ptr_eq(stream, (avd_stream *)&kit);
	return r;
}

START_TEST(options)
{
	struct avd_stream_options o = {
		.size = sizeof(o), .nonce = kit_nonce, .nonce_size = sizeof(kit_nonce)};
	ck_assert_int_eq(make(&o), 0);
	ck_assert_int_eq(make(NULL), -EINVAL);
	o.nonce_size--;
	ck_assert_int_eq(make(&o), -EINVAL);
	o.nonce_size = sizeof(kit_nonce);
	o.nonce = NULL;
	ck_assert_int_eq(make(&o), -EINVAL);
	o.nonce = kit_nonce;
	o.flags = AVD_STREAM_RECORDING; /* the cell frame brings the nonce, nobody else */
	ck_assert_int_eq(make(&o), -EINVAL);
	o.nonce = NULL;
	o.nonce_size = 0;
	ck_assert_int_eq(make(&o), 0);
	o.flags |= 1u << 1;
	ck_assert_int_eq(make(&o), -EINVAL);
	o.flags = AVD_STREAM_RECORDING;
	o.reserved = 1;
	ck_assert_int_eq(make(&o), -EINVAL);
	o.reserved = 0;
	o.size = offsetof(struct avd_stream_options, nonce);
	ck_assert_int_eq(make(&o), 0);
	o.size = 8;
	ck_assert_int_eq(make(&o), -EINVAL);
	struct {
		struct avd_stream_options now;
		uint64_t later;
	} next = {.now = {.size = sizeof(next), .flags = AVD_STREAM_RECORDING}};
	ck_assert_int_eq(make(&next.now), 0);
	next.later = 1;
	ck_assert_int_eq(make(&next.now), -E2BIG);
	avd_stream_free(NULL);
}
END_TEST

/* A guest's whole stream, and how its machine ended by who ran it. */
static struct avd_verdict end_with(size_t size, uint32_t cause, uint32_t code)
{
	struct avd_message end = {.kind = AVD_MSG_END_CAUSE};
	struct avd_verdict v;
	end.u.end_cause.cause = cause;
	end.u.end_cause.code = code;
	end.u.end_cause.detail = (struct avd_str){"as told", 7};
	avd_stream *const stream = kit_stream(0, NULL, NULL);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, size), 0);
	ck_assert_int_eq(avd_stream_end(stream, &end), 0);
	ck_assert_int_eq(avd_stream_end(stream, &end), -EINVAL);
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	ck_assert_int_eq(avd_stream_verdict(stream, &v), 0);
	ck_assert_uint_eq(v.end_cause, cause);
	avd_stream_free(stream);
	return v;
}

START_TEST(an_end_that_the_caller_tells)
{
	kit_pass(&kit, 0);
	for (uint32_t cause = 0; cause <= AVD_END_MACHINE_KILLED; cause++) {
		const struct avd_verdict v = end_with(kit.size, cause, AVD_REASON_NONE);
		ck_assert_uint_eq(v.outcome, AVD_OUTCOME_ATTACHED);
		ck_assert_uint_eq(v.result,
				  cause == AVD_END_GUEST_RESET || cause == AVD_END_GUEST_SHUTDOWN);
	}
	/* The guest's hello alone: never ATTACHED, and the end is the reason. */
	struct avd_verdict v = end_with(kit.at[1], AVD_END_TRIPLE_FAULT, AVD_REASON_NONE);
	ck_assert_uint_eq(v.outcome, AVD_OUTCOME_UNCONFIRMED);
	ck_assert_uint_eq(v.reason_code, AVD_REASON_TRIPLE_FAULT);
	ck_assert_ptr_nonnull(strstr(v.reason, "as told"));
	v = end_with(kit.at[1], AVD_END_GUEST_RESET, AVD_REASON_PANIC);
	ck_assert_uint_eq(v.reason_code, AVD_REASON_PANIC);

	struct avd_message end = {.kind = AVD_MSG_DONE};
	avd_stream *stream = kit_stream(0, NULL, NULL);
	ck_assert_int_eq(avd_stream_end(stream, &end), -EINVAL);
	end.kind = AVD_MSG_END_CAUSE;
	end.u.end_cause.cause = AVD_END_MACHINE_KILLED + 1;
	ck_assert_int_eq(avd_stream_end(stream, &end), -EINVAL);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0); /* it goes on */
	avd_stream_free(stream);
	/* A recording has its own, and only as its last frame. */
	end.u.end_cause.cause = AVD_END_GUEST_SHUTDOWN;
	stream = kit_stream(AVD_STREAM_RECORDING, NULL, NULL);
	ck_assert_int_eq(avd_stream_end(stream, &end), -EINVAL);
	avd_stream_free(stream);
}
END_TEST

static void on_log(void *userdata, enum avd_log_level level, const char *text)
{
	ck_assert_int_eq(level, AVD_LOG_DEBUG);
	if (strstr(text, "proven -> confirmed on payload-starting"))
		++*(int *)userdata;
}

START_TEST(the_machines_steps_are_logged)
{
	int seen = 0;
	const struct avd_stream_options o = {
		.size = sizeof(o), .flags = AVD_STREAM_RECORDING, .userdata = &seen, .log = on_log};
	avd_stream *stream;
	kit_pass(&kit, AVD_STREAM_RECORDING);
	ck_assert_int_eq(avd_stream_new(&o, &stream), 0);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0);
	avd_stream_free(stream);
	ck_assert_int_eq(seen, 1);
}
END_TEST

KIT_MAIN(names, names_of_the_codes, each_code_is_explained, memory_nobody_filled_in_is_not_attached,
	 a_verdict_is_a_value, words_of_a_reason, printed, long_texts_are_cut, options,
	 an_end_that_the_caller_tells, the_machines_steps_are_logged)
