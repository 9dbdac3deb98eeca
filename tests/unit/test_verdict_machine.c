// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Every state x event, and every order of up to six events against the rule itself. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "verdict/machine.h"
#include "verdict_kit.h"

/* A letter for each state, in the order of enum avd__state; '.' is a breach of the protocol. */
static const char letters[] = ".esbtpcdxkBND";

/* What follows, by state and event, in the order of enum avd__input: cell, hello, started,
 * attached, payload-starting, dispatch, scheduler-exit, payload-exit, done, died,
 * not-attached, init-failed, info, fault, end. */
static const char *const expected[] = {
	"...............", /* not a state */
	"s........DNk.Be", /* e: empty */
	".b.......DNk.Bs", /* s: silent */
	"..t......DNkbBb", /* b: booted */
	"...p.....DNktBt", /* t: started */
	"....cpp..DNkpBp", /* p: proven */
	".....cccdDNxcxc", /* c: confirmed */
	".........DNxdxd", /* d: done */
	"xxxxxxxxxDNxxxx", /* x: spoiled */
	".........DNkkBk", /* k: crashed */
	"BBBBBBBBBDNBBBB", /* B: broken */
	"NNNNNNNNNDNNNNN", /* N: not attached */
	"DDDDDDDDDDDDDDD", /* D: died */
};

START_TEST(every_state_and_event)
{
	ck_assert_uint_eq(sizeof(expected) / sizeof(expected[0]), AVD__STATE_COUNT);
	for (unsigned int s = 1; s < AVD__STATE_COUNT; s++) {
		ck_assert_uint_eq(strlen(expected[s]), AVD__INPUT_COUNT);
		for (unsigned int i = 0; i < AVD__INPUT_COUNT; i++) {
			const char got = letters[avd__state_next(s, i)];
			ck_assert_msg(got == expected[s][i], "%s on %s: %c, expected %c",
				      avd__state_name(s), avd__input_name(i), got, expected[s][i]);
			struct avd__machine_state machine = {.state = s};
			const int taken = avd__state_take(&machine, i);
			ck_assert_int_eq(taken, expected[s][i] != '.');
			const char *const fault = &expected[s][AVD__INPUT_FAULT];
			ck_assert_int_eq(letters[machine.state], taken ? expected[s][i] : *fault);
		}
	}
}
END_TEST

START_TEST(outcomes_of_the_states)
{
	for (unsigned int s = 1; s < AVD__STATE_COUNT; s++) {
		uint32_t want = AVD_OUTCOME_UNCONFIRMED;
		if (strchr("cdx", letters[s]))
			want = AVD_OUTCOME_ATTACHED;
		else if (letters[s] == 'N')
			want = AVD_OUTCOME_NOT_ATTACHED;
		else if (letters[s] == 'D')
			want = AVD_OUTCOME_DIED;
		ck_assert_uint_eq(avd__state_outcome(s), want);
	}
}
END_TEST

#define LINE_MAX_TEXT 128

static void on_log(void *userdata, enum avd_log_level level, const char *text)
{
	ck_assert_int_eq(level, AVD_LOG_DEBUG);
	snprintf(userdata, LINE_MAX_TEXT, "%s", text);
}

START_TEST(changes_of_state_are_logged)
{
	char line[LINE_MAX_TEXT] = "";
	struct avd__machine_state machine = {
		.state = AVD__STATE_SILENT, .log = on_log, .userdata = line};
	avd__state_take(&machine, AVD__INPUT_HELLO);
	ck_assert_str_eq(line, "verdict: silent -> booted on hello");
	line[0] = '\0';
	avd__state_take(&machine, AVD__INPUT_INFO);
	ck_assert_str_eq(line, ""); /* nothing changed */
	avd__state_take(&machine, AVD__INPUT_DONE);
	ck_assert_str_eq(line, "verdict: booted -> broken on done");
}
END_TEST

/*
 * The rule, as predicates over the whole sequence; shares nothing with the table.
 */
struct sequence {
	uint8_t items[7];
	unsigned int count;
};

static unsigned int count_before(const struct sequence *seq, unsigned int end, unsigned int what)
{
	unsigned int n = 0;
	for (unsigned int i = 0; i < end; i++)
		n += seq->items[i] == what;
	return n;
}

/* Where `what` stands first, or far behind everything. */
static unsigned int first_of(const struct sequence *seq, unsigned int what)
{
	for (unsigned int i = 0; i < seq->count; i++) {
		if (seq->items[i] == what)
			return i;
	}
	return 100;
}

/* Whether the payload-starting at `at` confirms an attach. */
static int confirms(const struct sequence *seq, unsigned int at, int recording)
{
	static const uint8_t never[] = {
		AVD__INPUT_PAYLOAD_STARTING, AVD__INPUT_PAYLOAD_EXIT, AVD__INPUT_DONE,
		AVD__INPUT_INIT_FAILED,	     AVD__INPUT_FAULT,
	};
	for (size_t i = 0; i < sizeof(never); i++) {
		if (count_before(seq, at, never[i]))
			return 0;
	}
	const unsigned int hello = first_of(seq, AVD__INPUT_HELLO);
	const unsigned int started = first_of(seq, AVD__INPUT_STARTED);
	const unsigned int attached = first_of(seq, AVD__INPUT_ATTACHED);
	if (hello != (recording ? 1 : 0) || started < hello || attached < started || at < attached)
		return 0;
	if (count_before(seq, at, AVD__INPUT_HELLO) != 1 ||
	    count_before(seq, at, AVD__INPUT_STARTED) != 1 ||
	    count_before(seq, at, AVD__INPUT_ATTACHED) != 1)
		return 0;
	if (count_before(seq, at, AVD__INPUT_CELL) != (recording ? 1 : 0) ||
	    (recording && seq->items[0] != AVD__INPUT_CELL))
		return 0;
	return count_before(seq, attached, AVD__INPUT_DISPATCH) == 0 &&
	       count_before(seq, attached, AVD__INPUT_SCHEDULER_EXIT) == 0;
}

static uint32_t rule(const struct sequence *seq, int recording)
{
	if (count_before(seq, seq->count, AVD__INPUT_DIED))
		return AVD_OUTCOME_DIED;
	if (count_before(seq, seq->count, AVD__INPUT_NOT_ATTACHED))
		return AVD_OUTCOME_NOT_ATTACHED;
	for (unsigned int i = 0; i < seq->count; i++) {
		if (seq->items[i] == AVD__INPUT_PAYLOAD_STARTING && confirms(seq, i, recording))
			return AVD_OUTCOME_ATTACHED;
	}
	return AVD_OUTCOME_UNCONFIRMED;
}

static uint64_t judged, attached_count;

/* Every sequence that continues this one, up to `depth` events. */
static void go_on(struct sequence *seq, const struct avd__machine_state *machine,
		  unsigned int depth, int recording)
{
	struct avd__machine_state ended = *machine;
	avd__state_take(&ended, AVD__INPUT_END);
	const uint32_t outcome = avd__state_outcome(ended.state);
	if (outcome != rule(seq, recording))
		ck_abort_msg("%s, the rule says %s, last event %s", avd_outcome_name(outcome),
			     avd_outcome_name(rule(seq, recording)),
			     avd__input_name(seq->items[seq->count - 1]));
	judged++;
	attached_count += outcome == AVD_OUTCOME_ATTACHED;
	if (seq->count == depth)
		return;
	seq->count++;
	for (unsigned int i = 0; i < AVD__INPUT_END; i++) {
		struct avd__machine_state then = *machine;
		seq->items[seq->count - 1] = (uint8_t)i;
		avd__state_take(&then, i);
		go_on(seq, &then, depth, recording);
	}
	seq->count--;
}

static void judge_all(unsigned int depth, int recording)
{
	struct sequence seq = {.count = 0};
	const struct avd__machine_state machine = {.state = recording ? AVD__STATE_EMPTY
								      : AVD__STATE_SILENT};
	judged = attached_count = 0;
	go_on(&seq, &machine, depth, recording);
}

START_TEST(every_order_of_up_to_six_events)
{
	judge_all(6, 0);
	ck_assert_uint_eq(judged, 1 + 14 + 196 + 2744 + 38416 + 537824 + 7529536);
	/* hello, started, attached, payload-starting: 1. With one event more: 12 that are no
	 * failure at the end, 3 places for info and 2 events behind the attach. With two more:
	 * 12 * 12, 5 * 12, and 18 ways inside. */
	ck_assert_uint_eq(attached_count, 1 + (12 + 5) + (12 * 12 + 5 * 12 + 18));
}
END_TEST

START_TEST(every_order_of_up_to_six_events_of_a_recording)
{
	judge_all(6, 1);
	ck_assert_uint_eq(attached_count, 1 + (12 + 5));
}
END_TEST

KIT_MAIN(every_state_and_event, outcomes_of_the_states, changes_of_state_are_logged,
	 every_order_of_up_to_six_events, every_order_of_up_to_six_events_of_a_recording)
