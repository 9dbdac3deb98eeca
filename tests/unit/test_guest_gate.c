// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The guest's gate: sequences of readings against decisions. A reading is one letter:
 *   .  nothing is there           e  enabling, ops there already
 *   E  the full proof             m  enabled, but enable_seq has not moved
 *   n  enabled, no root/ops       q  enabled, root/ops empty
 *   u  proof but for an unknown state
 *   F  proof of another ops       S  proof with a later enable_seq
 *   d  disabling                  g  disabled again, enable_seq moved
 *   k  disabled, enable_seq not moved, the kernel said that it disabled a scheduler
 *   x  dead before the reading of a proof         X  dead after it
 * and '!' before it: the budget is used up from here on.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "run_suite.h"

#define SEQ_BEFORE 7u
#define STEP 2000000u /* ns between two readings */
#define SETTLE (AVD__GATE_SETTLE_READINGS * STEP)

static struct avd__gate_reading reading_of(char letter)
{
	struct avd__gate_reading reading = {
		.alive_before = true,
		.alive_after = true,
		.scx = {.state = AVD__SCX_ENABLED,
			.ops_there = true,
			.enable_seq = SEQ_BEFORE + 1,
			.ops = "fifo"},
	};
	struct avd__scx_reading *scx = &reading.scx;

	switch (letter) {
	case 'E':
		break;
	case 'e':
		scx->state = AVD__SCX_ENABLING;
		scx->enable_seq = SEQ_BEFORE;
		break;
	case 'm':
		scx->enable_seq = SEQ_BEFORE;
		break;
	case 'n':
		scx->ops_there = false;
		scx->ops[0] = '\0';
		break;
	case 'q':
		scx->ops[0] = '\0';
		break;
	case 'u':
		scx->state = AVD__SCX_UNKNOWN;
		break;
	case 'F':
		strcpy(scx->ops, "other");
		break;
	case 'S':
		scx->enable_seq++;
		break;
	case 'd':
		scx->state = AVD__SCX_DISABLING;
		break;
	case 'x':
		reading.alive_before = false;
		break;
	case 'X':
		reading.alive_after = false;
		break;
	default: /* . g k */
		scx->state = AVD__SCX_DISABLED;
		scx->ops_there = false;
		scx->ops[0] = '\0';
		scx->enable_seq = letter == 'g' ? SEQ_BEFORE + 1 : SEQ_BEFORE;
		reading.kernel_disabled = letter == 'k';
	}
	return reading;
}

/* Feeds each letter `times` times; returns the first decision and where it was made. */
static enum avd__gate_decision feed(const char *letters, uint32_t times, size_t *ret_at)
{
	enum avd__gate_decision decision = AVD__GATE_WAIT;
	struct avd__gate gate;
	uint64_t now = 1000;
	bool used_up = false;

	avd__gate_init(&gate, SEQ_BEFORE, SETTLE);
	for (size_t i = 0; letters[i]; i++) {
		if (letters[i] == '!') {
			used_up = true;
			continue;
		}
		struct avd__gate_reading reading = reading_of(letters[i]);
		reading.budget_used_up = used_up;
		for (uint32_t k = 0; k < times; k++, now += STEP) {
			reading.now = now;
			decision = avd__gate_feed(&gate, &reading);
			if (decision) {
				*ret_at = i;
				return decision;
			}
		}
	}
	*ret_at = strlen(letters);
	return decision;
}

static const struct {
	const char *letters;
	enum avd__gate_decision want;
} cases[] = {
	/* the plain ways */
	{"..eemE", AVD__GATE_ATTACHED},
	{"....", AVD__GATE_WAIT},
	{"..x", AVD__GATE_DIED},
	{"..!.", AVD__GATE_TIMEOUT},
	{"E", AVD__GATE_ATTACHED},
	/* each part of the proof missing */
	{"mmmm!m", AVD__GATE_TIMEOUT},
	{"nnnn!n", AVD__GATE_TIMEOUT},
	{"qqqq!q", AVD__GATE_TIMEOUT},
	{"uuuu!u", AVD__GATE_TIMEOUT},
	{"eeee!e", AVD__GATE_TIMEOUT},
	/* death beats a stale `enabled` */
	{"ex", AVD__GATE_DIED},
	{"eX", AVD__GATE_DIED},
	{"!X", AVD__GATE_DIED},
	{"kx", AVD__GATE_DIED},
	/* an attach that is seen at the deadline counts, and may settle beyond it */
	{"..!E", AVD__GATE_ATTACHED},
	{"ee!E", AVD__GATE_ATTACHED},
	/* thrown out: seen by enable_seq, or by the kernel log alone */
	{"..edg!g", AVD__GATE_EJECTED},
	{"..edk!k", AVD__GATE_EJECTED},
	{"..ed.!.", AVD__GATE_TIMEOUT},
	/* a loader that attaches anew within the grace */
	{"..edggeE", AVD__GATE_ATTACHED},
	{"..edkkeE", AVD__GATE_ATTACHED},
};

START_TEST(table)
{
	size_t at;
	ck_assert_msg(feed(cases[_i].letters, AVD__GATE_SETTLE_READINGS + 1, &at) == cases[_i].want,
		      "%s", cases[_i].letters);
}
END_TEST

/* Single readings: shorter than the settling time. */
static const struct {
	const char *letters;
	enum avd__gate_decision want;
} settling[] = {
	{"EEEEEEEEEE", AVD__GATE_WAIT},
	{"EEEEEEEEEEE", AVD__GATE_ATTACHED},
	{"EEEEEEEEEEx", AVD__GATE_DIED},
	{"EEEEEEEEEEX", AVD__GATE_DIED},
	{"EEEEEEEEEEmEEEEEEEEEE", AVD__GATE_WAIT},
	{"EEEEEEEEEEgEEEEEEEEEE", AVD__GATE_WAIT},
	{"EEEEEEEEEEFFFFFFFFFF", AVD__GATE_WAIT},
	{"EEEEEEEEEEFFFFFFFFFFF", AVD__GATE_ATTACHED},
	{"EEEEEEEEEESSSSSSSSSS", AVD__GATE_WAIT},
	{"EEEEESEEEEESEEEEESEEEEE", AVD__GATE_WAIT},
	{"EEEEE!d", AVD__GATE_TIMEOUT},
	{"EEEEE!g", AVD__GATE_EJECTED},
	{"!EEEEEEEEEE", AVD__GATE_WAIT},
	{"!EEEEEEEEEEE", AVD__GATE_ATTACHED},
};

START_TEST(settling_time)
{
	size_t at;
	ck_assert_msg(feed(settling[_i].letters, 1, &at) == settling[_i].want, "%s",
		      settling[_i].letters);
}
END_TEST

/* Independent of the gate's code: with each letter held for exactly a settling time, the
 * first letter that decides, decides. */
static enum avd__gate_decision expect(const char *letters, size_t *ret_at)
{
	bool used_up = false;

	for (size_t i = 0; letters[i]; i++) {
		*ret_at = i;
		if (letters[i] == '!')
			used_up = true;
		else if (strchr("xX", letters[i]))
			return AVD__GATE_DIED;
		else if (strchr("EFS", letters[i]))
			return AVD__GATE_ATTACHED;
		else if (used_up)
			return strchr("gk", letters[i]) ? AVD__GATE_EJECTED : AVD__GATE_TIMEOUT;
	}
	*ret_at = strlen(letters);
	return AVD__GATE_WAIT;
}

START_TEST(every_sequence)
{
	static const char alphabet[] = ".eEmnquFSdgkxX!";
	enum { LETTERS = sizeof(alphabet) - 1, LENGTH = 5 };
	uint32_t total = 1;

	for (int i = 0; i < LENGTH; i++)
		total *= LETTERS;
	for (uint32_t n = 0; n < total; n++) {
		char letters[LENGTH + 1] = {0};
		uint32_t rest = n;
		size_t at, want_at;
		for (int i = 0; i < LENGTH; i++, rest /= LETTERS)
			letters[i] = alphabet[rest % LETTERS];
		const enum avd__gate_decision want = expect(letters, &want_at);
		const enum avd__gate_decision got =
			feed(letters, AVD__GATE_SETTLE_READINGS + 1, &at);
		if (got != want || at != want_at)
			ck_abort_msg("%s: %d at %zu, not %d at %zu", letters, got, at, want,
				     want_at);
	}
}
END_TEST

START_TEST(grace_after_an_ejection)
{
	struct avd__gate gate;
	struct avd__gate_reading reading = reading_of('g');

	avd__gate_init(&gate, SEQ_BEFORE, SETTLE);
	reading.now = 5;
	ck_assert_int_eq(avd__gate_feed(&gate, &reading), AVD__GATE_WAIT);
	reading.now += AVD__GATE_EJECT_GRACE - 1;
	ck_assert_int_eq(avd__gate_feed(&gate, &reading), AVD__GATE_WAIT);
	/* a new attempt starts the grace anew */
	struct avd__gate_reading again = reading_of('e');
	again.now = reading.now;
	ck_assert_int_eq(avd__gate_feed(&gate, &again), AVD__GATE_WAIT);
	reading.now += 1;
	ck_assert_int_eq(avd__gate_feed(&gate, &reading), AVD__GATE_WAIT);
	reading.now += AVD__GATE_EJECT_GRACE;
	ck_assert_int_eq(avd__gate_feed(&gate, &reading), AVD__GATE_EJECTED);
}
END_TEST

/* A guest that its host let sleep through the whole settling time has seen nothing of it. */
START_TEST(a_leap_of_the_clock_is_no_settling)
{
	struct avd__gate gate;
	struct avd__gate_reading reading = reading_of('E');

	avd__gate_init(&gate, SEQ_BEFORE, SETTLE);
	reading.now = 1;
	for (uint32_t i = 0; i < AVD__GATE_SETTLE_READINGS; i++) {
		ck_assert_int_eq(avd__gate_feed(&gate, &reading), AVD__GATE_WAIT);
		reading.now += 100 * SETTLE;
	}
	ck_assert_int_eq(avd__gate_feed(&gate, &reading), AVD__GATE_ATTACHED);
	ck_assert_uint_eq(gate.proof_at, 1);
}
END_TEST

START_TEST(still_the_same)
{
	struct avd__gate gate;
	struct avd__gate_reading reading = reading_of('E');

	avd__gate_init(&gate, SEQ_BEFORE, 0);
	for (uint32_t i = 0; i <= AVD__GATE_SETTLE_READINGS; i++)
		avd__gate_feed(&gate, &reading);
	ck_assert(avd__gate_still(&gate, &reading.scx));
	for (const char *other = ".emnquFSdgk"; *other; other++) {
		reading = reading_of(*other);
		ck_assert_msg(!avd__gate_still(&gate, &reading.scx), "%c", *other);
	}
}
END_TEST

START_TEST(state_names)
{
	ck_assert_int_eq(avd__scx_state_of("enabled"), AVD__SCX_ENABLED);
	ck_assert_int_eq(avd__scx_state_of("enabling"), AVD__SCX_ENABLING);
	ck_assert_int_eq(avd__scx_state_of("disabled"), AVD__SCX_DISABLED);
	ck_assert_int_eq(avd__scx_state_of("disabling"), AVD__SCX_DISABLING);
	ck_assert_int_eq(avd__scx_state_of(""), AVD__SCX_UNKNOWN);
	ck_assert_int_eq(avd__scx_state_of("enabled2"), AVD__SCX_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-gate");
	TCase *tc = tcase_create("gate");
	tcase_add_loop_test(tc, table, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(tc, settling_time, 0, sizeof(settling) / sizeof(settling[0]));
	tcase_add_test(tc, every_sequence);
	tcase_add_test(tc, grace_after_an_ejection);
	tcase_add_test(tc, a_leap_of_the_clock_is_no_settling);
	tcase_add_test(tc, still_the_same);
	tcase_add_test(tc, state_names);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
