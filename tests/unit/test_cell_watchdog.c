// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "cell/limits.h"
#include "cell/watchdog.h"
#include "run_suite.h"

#define S AVD__SECOND

static const struct avd__watchdog_limits limits = {
	.boot_cpu = 120 * S,
	.silence_cpu = 60 * S,
	.idle_wall = 60 * S,
	.total_wall = 600 * S,
	.grace = 10 * S,
};
static struct avd__watchdog dog;

static struct avd__moment at(uint64_t wall, uint64_t cpu)
{
	return (struct avd__moment){.wall = 1000 * S + wall, .cpu = cpu, .wait = AVD__WAIT_UNKNOWN};
}

/* The same where the host tells for how long the machine was kept waiting. */
static struct avd__moment waited(uint64_t wall, uint64_t cpu, uint64_t wait)
{
	return (struct avd__moment){.wall = 1000 * S + wall, .cpu = cpu, .wait = wait};
}

static void start_dog(void)
{
	avd__watchdog_start(&dog, &limits, at(0, 0));
}

static void expect(enum avd__watchdog_rule rule, uint64_t wall, uint64_t cpu)
{
	const struct avd__moment now = at(wall, cpu);
	ck_assert_int_eq(avd__watchdog_check(&dog, now), rule);
	ck_assert_uint_ge(avd__watchdog_delay(&dog, now, 2), AVD__CELL_TICK_MIN);
	ck_assert_uint_le(avd__watchdog_delay(&dog, now, 2), AVD__CELL_TICK);
}

/* A busy machine: looks each second of wall time until a rule fires. Returns that time. */
static uint64_t run_until_fired(uint64_t from, uint64_t cpu, uint64_t permille,
				enum avd__watchdog_rule *ret_rule)
{
	for (uint64_t t = from; t < from + 700 * S; t += S) {
		*ret_rule = avd__watchdog_check(&dog, at(t, cpu + (t - from) / 1000 * permille));
		if (*ret_rule != AVD__RULE_NONE)
			return t;
	}
	ck_abort_msg("no rule ever fires");
	return 0;
}

START_TEST(boot_needs_cpu_and_wall)
{
	start_dog();
	expect(AVD__RULE_NONE, 60 * S, 119 * S);
	expect(AVD__RULE_NONE, 119 * S, 200 * S); /* two vCPUs burn it twice as fast */
	start_dog();
	expect(AVD__RULE_NONE, 30 * S, 30 * S);
	expect(AVD__RULE_NONE, 200 * S, 119 * S); /* a busy host */
	expect(AVD__RULE_BOOT, 201 * S, 120 * S);
}
END_TEST

/* An hour of which nothing is known: all that was counted stands still. */
START_TEST(a_pause_puts_off_all_rules)
{
	start_dog();
	avd__watchdog_frame(&dog, at(10 * S, 10 * S), 0);
	avd__watchdog_pause(&dog, 3600 * S);
	expect(AVD__RULE_NONE, 3669 * S, 10 * S);
	expect(AVD__RULE_IDLE, 3670 * S, 10 * S);
	start_dog();
	avd__watchdog_pause(&dog, 3600 * S);
	enum avd__watchdog_rule rule;
	ck_assert_uint_eq(run_until_fired(3600 * S, 0, 1000, &rule), 3720 * S);
	ck_assert_int_eq(rule, AVD__RULE_BOOT);
}
END_TEST

START_TEST(silence_starts_with_the_first_frame)
{
	start_dog();
	avd__watchdog_frame(&dog, at(10 * S, 10 * S), 0);
	expect(AVD__RULE_NONE, 69 * S, 69 * S);
	expect(AVD__RULE_SILENCE, 70 * S, 70 * S);
	avd__watchdog_frame(&dog, at(70 * S, 70 * S), 0);
	expect(AVD__RULE_NONE, 129 * S, 250 * S);
	avd__watchdog_console(&dog, at(129 * S, 129 * S)); /* text is no frame */
	expect(AVD__RULE_SILENCE, 130 * S, 130 * S);
}
END_TEST

START_TEST(idle_machine)
{
	start_dog();
	expect(AVD__RULE_NONE, 59 * S, 0);
	expect(AVD__RULE_IDLE, 60 * S, 0);
	start_dog();
	avd__watchdog_console(&dog, at(30 * S, 0));
	expect(AVD__RULE_NONE, 89 * S, 0);
	expect(AVD__RULE_IDLE, 90 * S, 0);
	start_dog(); /* the runner's own upkeep is no sign of life */
	enum avd__watchdog_rule rule;
	ck_assert_uint_eq(run_until_fired(0, 0, AVD__CELL_IDLE_CPU_PERMILLE - 1, &rule), 60 * S);
	ck_assert_int_eq(rule, AVD__RULE_IDLE);
}
END_TEST

/* A host that gives the machine a hundredth of a CPU kills nobody before the whole time is up. */
START_TEST(starved_host_is_not_a_dead_guest)
{
	enum avd__watchdog_rule rule;
	start_dog();
	ck_assert_uint_eq(run_until_fired(0, 0, 10, &rule), 600 * S);
	ck_assert_int_eq(rule, AVD__RULE_TIMEOUT);
}
END_TEST

/* Looks each second; `cpu` and `wait` in permille of the wall time. */
static uint64_t run_waiting(uint64_t cpu, uint64_t wait, enum avd__watchdog_rule *ret_rule)
{
	avd__watchdog_start(&dog, &limits, waited(0, 0, 0));
	for (uint64_t t = S; t < 700 * S; t += S) {
		*ret_rule = avd__watchdog_check(&dog, waited(t, t / 1000 * cpu, t / 1000 * wait));
		if (*ret_rule != AVD__RULE_NONE)
			return t;
	}
	ck_abort_msg("no rule ever fires");
	return 0;
}

START_TEST(idle_is_told_from_starved)
{
	enum avd__watchdog_rule rule;
	ck_assert_uint_eq(run_waiting(50, 20, &rule), 60 * S); /* polls for a root device */
	ck_assert_int_eq(rule, AVD__RULE_IDLE);
	ck_assert_uint_eq(run_waiting(90, 450, &rule), 60 * S); /* the same on a busy host */
	ck_assert_int_eq(rule, AVD__RULE_IDLE);
	ck_assert_uint_eq(run_waiting(50, 900, &rule), 600 * S); /* one of twenty on a CPU */
	ck_assert_int_eq(rule, AVD__RULE_TIMEOUT);
	for (uint64_t cpu = 0; cpu <= 1000; cpu += 10) { /* one that never sleeps */
		run_waiting(cpu, 1000 - cpu, &rule);
		ck_assert_int_ne(rule, AVD__RULE_IDLE);
	}
	ck_assert_uint_eq(run_waiting(0, 1000, &rule), 600 * S); /* never gets one */
	ck_assert_int_eq(rule, AVD__RULE_TIMEOUT);
	ck_assert_uint_eq(run_waiting(1000, 0, &rule), 120 * S);
	ck_assert_int_eq(rule, AVD__RULE_BOOT);
}
END_TEST

START_TEST(spinning_guest_is_found_by_its_cpu_time)
{
	enum avd__watchdog_rule rule;
	start_dog();
	ck_assert_uint_eq(run_until_fired(0, 0, 2000, &rule), 120 * S);
	ck_assert_int_eq(rule, AVD__RULE_BOOT);
	start_dog();
	avd__watchdog_frame(&dog, at(5 * S, 5 * S), 0);
	ck_assert_uint_eq(run_until_fired(5 * S, 5 * S, 500, &rule), 125 * S); /* half a CPU */
	ck_assert_int_eq(rule, AVD__RULE_SILENCE);
}
END_TEST

START_TEST(heartbeats_end_with_the_whole_time)
{
	start_dog();
	for (uint64_t t = S; t < 600 * S; t += S) {
		avd__watchdog_frame(&dog, at(t, t), 0);
		expect(AVD__RULE_NONE, t, t);
	}
	avd__watchdog_frame(&dog, at(600 * S, 600 * S), 0);
	expect(AVD__RULE_TIMEOUT, 600 * S, 600 * S);
}
END_TEST

START_TEST(done_leaves_a_short_grace)
{
	start_dog();
	avd__watchdog_frame(&dog, at(10 * S, 10 * S), 1);
	expect(AVD__RULE_NONE, 19 * S, 19 * S);
	expect(AVD__RULE_GRACE, 20 * S, 20 * S); /* spins */
	start_dog();
	avd__watchdog_frame(&dog, at(10 * S, 10 * S), 1);
	expect(AVD__RULE_GRACE, 20 * S, 10 * S); /* stands still */
	start_dog();
	avd__watchdog_frame(&dog, at(10 * S, 10 * S), 1);
	for (uint64_t t = 11; t < 70; t++) { /* frames after done buy nothing */
		avd__watchdog_frame(&dog, at(t * S, 10 * S + t * S / 10), 0);
		avd__watchdog_console(&dog, at(t * S, 10 * S + t * S / 10));
		expect(AVD__RULE_NONE, t * S, 10 * S + t * S / 10);
	}
	expect(AVD__RULE_GRACE, 70 * S, 17 * S);
}
END_TEST

START_TEST(limits_below_the_grace_hold)
{
	struct avd__watchdog_limits tight = limits;
	tight.silence_cpu = 2 * S;
	tight.idle_wall = 3 * S;
	avd__watchdog_start(&dog, &tight, at(0, 0));
	avd__watchdog_frame(&dog, at(S, S), 1);
	expect(AVD__RULE_NONE, 2 * S, 2 * S);
	expect(AVD__RULE_GRACE, 3 * S, 3 * S);
	avd__watchdog_start(&dog, &tight, at(0, 0));
	avd__watchdog_frame(&dog, at(S, S), 1);
	expect(AVD__RULE_GRACE, 4 * S, S);
}
END_TEST

START_TEST(clocks_that_step_back)
{
	start_dog();
	avd__watchdog_frame(&dog, at(10 * S, 50 * S), 0);
	expect(AVD__RULE_NONE, 9 * S, 40 * S);
	expect(AVD__RULE_NONE, 0, 0);
}
END_TEST

/* The next look is never later than the moment at which a rule may fire. */
START_TEST(delay_hits_the_moment)
{
	static const uint32_t cpus[] = {1, 2, 8, 252};
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		uint64_t t = 0, looks = 0;
		start_dog();
		while (avd__watchdog_check(&dog, at(t, t * cpus[i])) == AVD__RULE_NONE) {
			t += avd__watchdog_delay(&dog, at(t, t * cpus[i]), cpus[i]);
			ck_assert_uint_lt(++looks, 130);
		}
		ck_assert_uint_eq(t, 120 * S);
	}
}
END_TEST

static void check_text(enum avd__watchdog_rule rule, const char *phase, const char *option)
{
	char text[AVD__CELL_DETAIL];
	avd__watchdog_describe(&dog, rule, at(75 * S, 62 * S), phase, text, sizeof(text));
	ck_assert_msg(strstr(text, option), "%s: %s", option, text);
	ck_assert_msg(strstr(text, phase ? phase : "no phase"), "%s", text);
	ck_assert_uint_lt(strlen(text), sizeof(text) - 1); /* not cut */
}

START_TEST(each_rule_says_how_to_change_it)
{
	start_dog();
	check_text(AVD__RULE_BOOT, NULL, "boot_timeout_ms=120000");
	check_text(AVD__RULE_SILENCE, "dispatch", "silence_timeout_ms=60000");
	check_text(AVD__RULE_IDLE, "teardown", "idle_timeout_ms=60000");
	check_text(AVD__RULE_TIMEOUT, "payload", "timeout_ms=600000");
	check_text(AVD__RULE_GRACE, "teardown", "10000 ms");
	check_text(AVD__RULE_SILENCE, "gate", "62.0 s of machine CPU time (75.0 s wall)");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cell-watchdog");
	TCase *tc = tcase_create("watchdog");
	tcase_add_test(tc, boot_needs_cpu_and_wall);
	tcase_add_test(tc, a_pause_puts_off_all_rules);
	tcase_add_test(tc, silence_starts_with_the_first_frame);
	tcase_add_test(tc, idle_machine);
	tcase_add_test(tc, starved_host_is_not_a_dead_guest);
	tcase_add_test(tc, idle_is_told_from_starved);
	tcase_add_test(tc, spinning_guest_is_found_by_its_cpu_time);
	tcase_add_test(tc, heartbeats_end_with_the_whole_time);
	tcase_add_test(tc, done_leaves_a_short_grace);
	tcase_add_test(tc, limits_below_the_grace_hold);
	tcase_add_test(tc, clocks_that_step_back);
	tcase_add_test(tc, delay_hits_the_moment);
	tcase_add_test(tc, each_rule_says_how_to_change_it);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
