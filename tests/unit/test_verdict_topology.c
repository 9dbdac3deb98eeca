// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* CPUs of another shape than the one asked for fail the result, never the outcome. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cpus.h"
#include "run_suite.h"
#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING
#define STR(text) ((struct avd_str){(text), strlen(text)})
#define MISMATCH AVD_REASON_TOPOLOGY_MISMATCH

static struct kit kit;
static uint8_t table[(AVD_TOPOLOGY_CPUS_MAX + 2) * AVD__CPU_RECORD_SIZE];

/* `count` CPUs of one node, package and LLC, one thread each. */
static struct avd_message flat(uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		const struct avd_topology_cpu cpu = {.cpu = i, .core = i};
		avd__cpus_put(table + i * AVD__CPU_RECORD_SIZE, &cpu);
	}
	return (struct avd_message){
		.kind = AVD_MSG_TOPOLOGY,
		.u.topology = {.cpus_possible = count,
			       .nodes = 1,
			       .cpus = {table, count * (size_t)AVD__CPU_RECORD_SIZE}}};
}

static void start(const char *text, uint32_t cpus)
{
	struct avd_msg_cell cell = kit_message(AVD_MSG_CELL).u.cell;
	cell.topology = STR(text);
	cell.cpus = cpus;
	kit_start_cell(&kit, &cell);
	kit_add(&kit, AVD_MSG_HELLO);
}

static void run(void)
{
	kit_add(&kit, AVD_MSG_SCHEDULER_STARTED);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
}

static void end(void)
{
	kit_add(&kit, AVD_MSG_DONE);
	kit_end(&kit, AVD_END_GUEST_SHUTDOWN, AVD_REASON_NONE, "");
}

static struct avd_verdict expect(enum avd_reason_code code, const char *words)
{
	const struct avd_verdict v = kit_judge(&kit);
	ck_assert_str_eq(avd_outcome_name(v.outcome), "ATTACHED");
	ck_assert_str_eq(avd_reason_code_name(v.result_code), avd_reason_code_name(code));
	ck_assert_msg(strstr(v.result_reason, words) != NULL, "'%s' is not in '%s'", words,
		      v.result_reason);
	return v;
}

static struct avd_verdict judge(const char *text, uint32_t cpus, const struct avd_message *seen)
{
	start(text, cpus);
	if (seen)
		kit_add_message(&kit, seen);
	run();
	end();
	return kit_judge(&kit);
}

START_TEST(what_was_asked_passes)
{
	const struct avd_message seen = flat(2);
	judge("2", 2, &seen);
	expect(AVD_REASON_NONE, "");
	judge("1n1l2c1t", 2, &seen);
	expect(AVD_REASON_NONE, "");
}
END_TEST

START_TEST(another_shape_fails_the_result)
{
	const struct avd_message seen = flat(2), one = flat(1);
	judge("2", 2, &one);
	expect(MISMATCH, "asked for 2 CPUs, the guest has 1 online");
	judge("2l", 2, &seen);
	expect(MISMATCH, "asked for 2 LLCs, the guest sees 1");
	judge("2n", 2, &seen);
	expect(MISMATCH, "asked for 2 NUMA nodes, the guest sees 1");
	judge("2t", 2, &seen);
	expect(MISMATCH, "asked for 2 threads, the guest sees 1");
}
END_TEST

/* An old guest, or one that died early; a text of another release. */
START_TEST(what_is_not_known_is_no_mismatch)
{
	const struct avd_message one = flat(1);
	judge("2n2l1c1t", 2, NULL);
	expect(AVD_REASON_NONE, "");
	judge("9d2q", 2, &one);
	expect(AVD_REASON_NONE, "");
	judge("4", 2, &one); /* text and number contradict each other */
	expect(AVD_REASON_NONE, "");
}
END_TEST

START_TEST(the_first_table_stands)
{
	const struct avd_message one = flat(1);
	start("2", 2);
	kit_add_message(&kit, &one);
	const struct avd_message two = flat(2);
	kit_add_message(&kit, &two);
	run();
	end();
	expect(MISMATCH, "1 online");
}
END_TEST

/* Of what went wrong beside it, the scheduler's and the machine's faults go first. */
START_TEST(an_ejection_goes_first)
{
	const struct avd_message one = flat(1);
	start("2", 2);
	kit_add_message(&kit, &one);
	kit_add(&kit, AVD_MSG_SCHEDULER_STARTED);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_SCHEDULER_EXIT);
	end();
	expect(AVD_REASON_EJECTED, "runnable task stall");
	start("2", 2);
	kit_add_message(&kit, &one);
	run(); /* and no end: less telling than the mismatch */
	kit_end(&kit, AVD_END_GUEST_SHUTDOWN, AVD_REASON_NONE, "");
	expect(MISMATCH, "1 online");
}
END_TEST

/* A scheduler that did not attach is judged by that alone. */
START_TEST(the_outcome_stays)
{
	const struct avd_message one = flat(1);
	start("2", 2);
	kit_add_message(&kit, &one);
	kit_add(&kit, AVD_MSG_SCHEDULER_STARTED);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	end();
	const struct avd_verdict v = kit_judge(&kit);
	ck_assert_str_eq(avd_outcome_name(v.outcome), "DIED");
	ck_assert_str_eq(avd_reason_code_name(v.result_code), "exited");
}
END_TEST

static void is_broken(const struct avd_message *seen)
{
	const struct avd_verdict v = judge("2", 2, seen);
	ck_assert_str_eq(avd_outcome_name(v.outcome), "UNCONFIRMED");
	ck_assert_str_eq(avd_reason_code_name(v.reason_code), "channel-corrupt");
	ck_assert_msg(strstr(v.reason, "broken table of CPUs") != NULL, "%s", v.reason);
}

START_TEST(a_broken_table_breaks_the_channel)
{
	struct avd_message seen = flat(2);
	seen.u.topology.cpus.len = 0;
	is_broken(&seen);
	for (size_t len = 1; len < 2 * (size_t)AVD__CPU_RECORD_SIZE; len++) {
		if (len == AVD__CPU_RECORD_SIZE)
			continue;
		seen.u.topology.cpus.len = len;
		is_broken(&seen);
	}
	seen = flat(AVD_TOPOLOGY_CPUS_MAX + 1);
	is_broken(&seen);
	seen = flat(2);
	memset(table, 0, AVD__CPU_RECORD_SIZE * 2); /* CPU 0 twice */
	is_broken(&seen);
	table[1] = 7; /* descending */
	is_broken(&seen);
}
END_TEST

/* Any numbers at all: a verdict comes out, and ATTACHED stays ATTACHED. */
START_TEST(hostile_numbers)
{
	uint64_t state = 4711;
	for (int turn = 0; turn < 300; turn++) {
		const uint16_t count = (uint16_t)(1 + kit_random(&state) % 16);
		struct avd_message seen = flat(count);
		for (size_t i = 0; i < seen.u.topology.cpus.len; i++) {
			if (i % AVD__CPU_RECORD_SIZE >= 2 && kit_random(&state) % 4 == 0)
				table[i] =
					kit_random(&state) % 2 ? 0xff : (uint8_t)kit_random(&state);
		}
		const struct avd_verdict v = judge("2n2l4c2t", 16, &seen);
		ck_assert_str_eq(avd_outcome_name(v.outcome), "ATTACHED");
		ck_assert_str_eq(avd_reason_code_name(v.result_code), "topology-mismatch");
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict-topology");
	TCase *tests = tcase_create("topology");
	tcase_add_test(tests, what_was_asked_passes);
	tcase_add_test(tests, another_shape_fails_the_result);
	tcase_add_test(tests, what_is_not_known_is_no_mismatch);
	tcase_add_test(tests, the_first_table_stands);
	tcase_add_test(tests, an_ejection_goes_first);
	tcase_add_test(tests, the_outcome_stays);
	tcase_add_test(tests, a_broken_table_breaks_the_channel);
	tcase_add_test(tests, hostile_numbers);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
