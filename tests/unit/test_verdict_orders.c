// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Real frames in every order, and a passing cell with up to two changes, against the
 * rules of the outcome and of the result, stated over the sequence of tokens.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "verdict_kit.h"

enum token {
	HELLO,
	STARTED,
	ATTACHED,
	PAYLOAD,
	DISPATCH,
	PAYLOAD_EXIT,
	DONE,
	EXIT, /* scheduler-exit */
	DIED,
	NOT_ATTACHED,
	INIT_FAILED,
	HEARTBEAT,
	PROGRAM, /* information at any time, as a heartbeat is */
	FOREIGN, /* a hello with another boot's nonce */
	LOST, /* the next frame is missing */
	STRAY, /* a byte that is no frame */
	NO_PROOF, /* scheduler-attached with enable_seq where it was */
	HOST, /* an end-cause frame in the middle, or a cell frame */
	TOKEN_COUNT
};

static const uint32_t kinds[TOKEN_COUNT] = {
	[HELLO] = AVD_MSG_HELLO,
	[STARTED] = AVD_MSG_SCHEDULER_STARTED,
	[ATTACHED] = AVD_MSG_SCHEDULER_ATTACHED,
	[PAYLOAD] = AVD_MSG_PAYLOAD_STARTING,
	[DISPATCH] = AVD_MSG_DISPATCH,
	[PAYLOAD_EXIT] = AVD_MSG_PAYLOAD_EXIT,
	[DONE] = AVD_MSG_DONE,
	[EXIT] = AVD_MSG_SCHEDULER_EXIT,
	[DIED] = AVD_MSG_SCHEDULER_DIED,
	[NOT_ATTACHED] = AVD_MSG_SCHEDULER_NOT_ATTACHED,
	[INIT_FAILED] = AVD_MSG_INIT_FAILED,
	[HEARTBEAT] = AVD_MSG_HEARTBEAT,
	[PROGRAM] = AVD_MSG_PROGRAM,
	[FOREIGN] = AVD_MSG_HELLO,
	[NO_PROOF] = AVD_MSG_SCHEDULER_ATTACHED,
};

#define TOKENS_MAX 16u

struct sequence {
	uint8_t items[TOKENS_MAX];
	unsigned int count;
};

static struct kit kit;
static struct avd_message messages[TOKEN_COUNT];

static void prepare(void)
{
	static const uint8_t other[AVD_NONCE_SIZE];
	for (unsigned int i = 0; i < TOKEN_COUNT; i++)
		messages[i] = kit_message(kinds[i]);
	messages[FOREIGN].u.hello.nonce.data = other;
	messages[NO_PROOF].u.attached.enable_seq = 7;
}

static struct avd_verdict judge(const struct sequence *seq)
{
	static const struct avd_message end = {.kind = AVD_MSG_END_CAUSE,
					       .u.end_cause.cause = AVD_END_GUEST_RESET};
	kit_start(&kit, AVD_STREAM_RECORDING);
	for (unsigned int i = 0; i < seq->count; i++) {
		switch (seq->items[i]) {
		case LOST:
			kit.seq++;
			break;
		case STRAY:
			kit_add_raw(&kit, "\xd9", 1);
			break;
		case HOST:
			kit_add_seq(&kit, &end, AVD_HOST_SEQ_BASE + 1);
			break;
		default:
			kit_add_message(&kit, &messages[seq->items[i]]);
		}
	}
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	return kit_judge(&kit);
}

static unsigned int count_in(const struct sequence *seq, unsigned int from, unsigned int end,
			     unsigned int what)
{
	unsigned int n = 0;
	for (unsigned int i = from; i < end; i++)
		n += seq->items[i] == what;
	return n;
}

static int has(const struct sequence *seq, unsigned int what)
{
	return count_in(seq, 0, seq->count, what) > 0;
}

static unsigned int first_of(const struct sequence *seq, unsigned int what)
{
	unsigned int i = 0;
	while (i < seq->count && seq->items[i] != what)
		i++;
	return i;
}

/* A failure that this boot's guest told. */
static int failed_by(const struct sequence *seq, unsigned int what)
{
	int ours = 1;
	for (unsigned int i = 0; i < seq->count; i++) {
		if (seq->items[i] == HELLO || seq->items[i] == FOREIGN)
			ours = seq->items[i] == HELLO;
		if (seq->items[i] == what && ours)
			return 1;
	}
	return 0;
}

/* Numbers are missing only if a frame follows. */
static int lost_between(const struct sequence *seq, unsigned int end)
{
	for (unsigned int i = 0; i < end; i++) {
		for (unsigned int j = i + 1; seq->items[i] == LOST && j <= end; j++) {
			const unsigned int what = j < seq->count ? seq->items[j] : LOST;
			if (what != LOST && what != STRAY && what != HOST)
				return 1;
		}
	}
	return 0;
}

static int confirms(const struct sequence *seq, unsigned int at)
{
	static const uint8_t never[] = {PAYLOAD, PAYLOAD_EXIT, DONE,	 INIT_FAILED,
					FOREIGN, STRAY,	       NO_PROOF, HOST};
	for (size_t i = 0; i < sizeof(never); i++) {
		if (count_in(seq, 0, at, never[i]))
			return 0;
	}
	const unsigned int attached = first_of(seq, ATTACHED);
	return first_of(seq, HELLO) == 0 && first_of(seq, STARTED) < attached && attached < at &&
	       count_in(seq, 0, at, HELLO) == 1 && count_in(seq, 0, at, STARTED) == 1 &&
	       count_in(seq, 0, at, ATTACHED) == 1 && !count_in(seq, 0, attached, DISPATCH) &&
	       !count_in(seq, 0, attached, EXIT) && !lost_between(seq, at);
}

static uint32_t outcome_by_rule(const struct sequence *seq)
{
	if (failed_by(seq, DIED))
		return AVD_OUTCOME_DIED;
	if (failed_by(seq, NOT_ATTACHED))
		return AVD_OUTCOME_NOT_ATTACHED;
	for (unsigned int i = 0; i < seq->count; i++) {
		if (seq->items[i] == PAYLOAD && confirms(seq, i))
			return AVD_OUTCOME_ATTACHED;
	}
	return AVD_OUTCOME_UNCONFIRMED;
}

/* A passed cell is: every token of the good order, once where only once is right, nothing
 * bad anywhere, and only information after done. */
static int passes_by_rule(const struct sequence *seq)
{
	static const uint8_t bad[] = {EXIT,    DIED,  NOT_ATTACHED, INIT_FAILED,
				      FOREIGN, STRAY, NO_PROOF,	    HOST};
	const unsigned int done = first_of(seq, DONE);
	for (size_t i = 0; i < sizeof(bad); i++) {
		if (has(seq, bad[i]))
			return 0;
	}
	if (outcome_by_rule(seq) != AVD_OUTCOME_ATTACHED || done == seq->count)
		return 0;
	if (lost_between(seq, seq->count - 1))
		return 0;
	for (unsigned int i = done + 1; i < seq->count; i++) {
		if (seq->items[i] != HEARTBEAT && seq->items[i] != PROGRAM && seq->items[i] != LOST)
			return 0;
	}
	const unsigned int payload = first_of(seq, PAYLOAD);
	static const uint8_t once[] = {HELLO, STARTED, ATTACHED, PAYLOAD, DONE};
	for (size_t i = 0; i < sizeof(once); i++) {
		if (count_in(seq, 0, seq->count, once[i]) != 1)
			return 0;
	}
	return payload < done && has(seq, DISPATCH) && has(seq, PAYLOAD_EXIT);
}

static void print_sequence(const struct sequence *seq)
{
	for (unsigned int i = 0; i < seq->count; i++)
		fprintf(stderr, "%u ", seq->items[i]);
	fprintf(stderr, "\n");
}

static void check(const struct sequence *seq)
{
	const struct avd_verdict v = judge(seq);
	const uint32_t outcome = outcome_by_rule(seq);
	const int passes = passes_by_rule(seq);
	if (v.outcome != outcome || (v.result == AVD_RESULT_PASSED) != passes) {
		print_sequence(seq);
		ck_abort_msg("%s %s, the rule says %s %s; %s", avd_outcome_name(v.outcome),
			     avd_result_name(v.result), avd_outcome_name(outcome),
			     passes ? "passed" : "failed", v.result_reason);
	}
}

static void go_on(struct sequence *seq, unsigned int depth)
{
	check(seq);
	if (seq->count == depth)
		return;
	seq->count++;
	for (unsigned int i = 0; i < TOKEN_COUNT; i++) {
		seq->items[seq->count - 1] = (uint8_t)i;
		go_on(seq, depth);
	}
	seq->count--;
}

START_TEST(every_order_of_up_to_three_frames)
{
	struct sequence seq = {.count = 0};
	prepare();
	go_on(&seq, 3);
}
END_TEST

/* All that three more frames can make of a stream that is about to be confirmed. */
START_TEST(every_end_of_an_attach)
{
	struct sequence seq = {.items = {HELLO, STARTED}, .count = 2};
	prepare();
	go_on(&seq, 5);
	seq = (struct sequence){.items = {HELLO, STARTED, ATTACHED, PAYLOAD}, .count = 4};
	go_on(&seq, 7);
}
END_TEST

static const struct sequence passing = {.items = {HELLO, STARTED, HEARTBEAT, ATTACHED, PAYLOAD,
						  DISPATCH, PAYLOAD_EXIT, DONE},
					.count = 8};

static struct sequence without(const struct sequence *seq, unsigned int at)
{
	struct sequence out = *seq;
	memmove(out.items + at, out.items + at + 1, out.count - at - 1);
	out.count--;
	return out;
}

static struct sequence with(const struct sequence *seq, unsigned int at, unsigned int token)
{
	struct sequence out = *seq;
	memmove(out.items + at + 1, out.items + at, out.count - at);
	out.items[at] = (uint8_t)token;
	out.count++;
	return out;
}

static struct sequence swapped(const struct sequence *seq, unsigned int a, unsigned int b)
{
	struct sequence out = *seq;
	out.items[a] = seq->items[b];
	out.items[b] = seq->items[a];
	return out;
}

/* Every deletion, duplication, swap and insertion, `changes` of them one after another. */
static void change(const struct sequence *seq, unsigned int changes)
{
	check(seq);
	if (changes == 0)
		return;
	for (unsigned int i = 0; i <= seq->count; i++) {
		struct sequence next;
		for (unsigned int token = 0; token < TOKEN_COUNT; token++) {
			next = with(seq, i, token);
			change(&next, changes - 1);
		}
		if (i == seq->count)
			continue;
		next = without(seq, i);
		change(&next, changes - 1);
		for (unsigned int j = i + 1; j < seq->count; j++) {
			next = swapped(seq, i, j);
			change(&next, changes - 1);
		}
	}
}

START_TEST(a_passing_cell_with_up_to_two_changes)
{
	prepare();
	ck_assert_int_eq(passes_by_rule(&passing), 1);
	change(&passing, 2);
}
END_TEST

START_TEST(random_long_orders)
{
	uint64_t state = 2026;
	prepare();
	for (int i = 0; i < 20000; i++) {
		struct sequence seq = passing;
		/* Some near a passing cell, where the rules bite, some far from it. */
		const unsigned int keep = (unsigned int)(kit_random(&state) % 9);
		seq.count = 4 + (unsigned int)(kit_random(&state) % (TOKENS_MAX - 3));
		for (unsigned int j = keep; j < seq.count; j++)
			seq.items[j] = (uint8_t)(kit_random(&state) % TOKEN_COUNT);
		check(&seq);
	}
}
END_TEST

KIT_MAIN(every_order_of_up_to_three_frames, every_end_of_an_attach,
	 a_passing_cell_with_up_to_two_changes, random_long_orders)
