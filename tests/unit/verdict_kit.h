/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Builds streams frame by frame and judges them, for the tests of lib/verdict. */
#ifndef AVD_TESTS_UNIT_VERDICT_KIT_H
#define AVD_TESTS_UNIT_VERDICT_KIT_H

#include <attachverdict/stream.h>
#include <stdint.h>
#include <stdlib.h>

#include "run_suite.h"

#define KIT_BYTES_MAX 65536u
#define KIT_FRAMES_MAX 64u

extern const uint8_t kit_nonce[AVD_NONCE_SIZE];

struct kit {
	uint8_t bytes[KIT_BYTES_MAX];
	size_t size;
	uint32_t seq; /* of the guest's next frame */
	uint64_t time_ns; /* of the next frame; a millisecond more for each */
	size_t count;
	size_t at[KIT_FRAMES_MAX + 1]; /* where each frame starts; at[count] is the end */
	uint32_t kinds[KIT_FRAMES_MAX];
	uint32_t flags; /* of the stream that judges it */
};

/* A sound message of this kind. Views point to static storage. */
struct avd_message kit_message(uint32_t kind);
/* Empty; a recording gets its cell frame at once (a payload and dispatch asked for). */
void kit_start(struct kit *kit, uint32_t flags);
/* As kit_start() for a recording, with the cell given. */
void kit_start_cell(struct kit *kit, const struct avd_msg_cell *cell);
void kit_add(struct kit *kit, uint32_t kind);
void kit_add_message(struct kit *kit, const struct avd_message *message);
void kit_add_seq(struct kit *kit, const struct avd_message *message, uint32_t seq);
void kit_add_raw(struct kit *kit, const void *bytes, size_t size);
/* The end-cause frame. */
void kit_end(struct kit *kit, uint32_t cause, uint32_t code, const char *detail);
void kit_log(struct kit *kit, uint32_t stream, const char *text);
/* hello, phases, scheduler-started. */
void kit_boot(struct kit *kit);
/* A whole cell that passes: ATTACHED, payload, dispatch, done, end cause if a recording. */
void kit_pass(struct kit *kit, uint32_t flags);

/* Feeds in slices of `slice` bytes (0: all at once) and finishes. */
struct avd_verdict kit_judge_bytes(const uint8_t *bytes, size_t size, uint32_t flags, size_t slice);
struct avd_verdict kit_judge(const struct kit *kit);
avd_stream *kit_stream(uint32_t flags, avd_event_fn on_event, void *userdata);

/* xorshift64*: the same numbers everywhere; state must not be 0. */
uint64_t kit_random(uint64_t *state);

#define KIT_MAIN(...)                                                                 \
	int main(void)                                                                \
	{                                                                             \
		Suite *suite = suite_create("verdict");                               \
		TCase *tc = tcase_create("verdict");                                  \
		const TTest *const tests[] = {__VA_ARGS__};                           \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)         \
			tcase_add_test(tc, tests[i]);                                 \
		tcase_set_timeout(tc, 300); /* a hang is a failure; under valgrind */ \
		suite_add_tcase(suite, tc);                                           \
		return run_suite(suite);                                              \
	}

#endif
