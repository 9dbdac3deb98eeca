// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Bytes as a guest's stream and as a recording. Two things must hold, whatever they are:
 * the verdict does not depend on how the bytes are sliced, and it is ATTACHED only if
 * the plain reading of the rule below, which shares nothing with lib/verdict, agrees.
 */
#include <attachverdict/report.h>
#include <attachverdict/stream.h>
#include <string.h>

#include "codec/crc32c.h"
#include "codec/frame.h"
#include "codec/message.h"
#include "fuzz.h"

#define SIZE_MAX_FUZZED 65536u
/* One in so many inputs is also printed: that is slow, and there is less to find. */
#define PRINT_ONE_IN 16u

/* As in tests/unit/verdict_kit.c, so that the vectors are sound streams here too. */
static const uint8_t guest_nonce[AVD_NONCE_SIZE] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
						    0xd9, 0xd9, 0xf7, 0x83, 0x1a, 0x00, 0x5a, 0xff};

/* -- the rule, read plainly: frame after frame until payload-starting -- */

struct proof {
	unsigned int steps; /* hello, scheduler-started, scheduler-attached */
	uint64_t enable_seq; /* before the start */
	struct avd_bytes nonce;
};

static bool same_nonce(struct avd_bytes a, struct avd_bytes b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Whether a message may stand here; the four that count move the proof on. */
static bool may_stand(struct proof *proof, const struct avd_message *message)
{
	const struct avd_msg_attached *attached = &message->u.attached;
	switch (message->kind) {
	case AVD_MSG_HELLO:
		return proof->steps++ == 0 && message->u.hello.protocol == AVD_PROTOCOL_VERSION &&
		       same_nonce(message->u.hello.nonce, proof->nonce);
	case AVD_MSG_SCHEDULER_STARTED:
		proof->enable_seq = message->u.started.enable_seq;
		return proof->steps++ == 1;
	case AVD_MSG_SCHEDULER_ATTACHED:
		return proof->steps++ == 2 && attached->ops.len > 0 &&
		       attached->enable_seq > attached->enable_seq_before &&
		       attached->enable_seq > proof->enable_seq;
	case AVD_MSG_PAYLOAD_STARTING:
		return proof->steps++ == 3;
	case AVD_MSG_DISPATCH:
	case AVD_MSG_SCHEDULER_EXIT:
		return proof->steps >= 3;
	case AVD_MSG_SCHEDULER_DIED:
	case AVD_MSG_SCHEDULER_NOT_ATTACHED:
	case AVD_MSG_PAYLOAD_EXIT:
	case AVD_MSG_DONE:
	case AVD_MSG_INIT_FAILED:
	case AVD_MSG_CELL:
	case AVD_MSG_END_CAUSE:
		return false;
	default:
		return proof->steps >= 1;
	}
}

static bool next_message(const uint8_t **bytes, size_t *size, uint32_t seq,
			 struct avd_message *ret_message)
{
	struct avd__frame frame;
	if (avd__frame_decode(*bytes, *size, &frame) || frame.seq != seq)
		return false;
	*bytes += frame.size;
	*size -= frame.size;
	return avd__message_decode(frame.payload, frame.payload_size, ret_message) <=
	       AVD__MESSAGE_UNKNOWN_KIND;
}

static bool is_proven(const uint8_t *bytes, size_t size, bool recording)
{
	struct proof proof = {.nonce = {guest_nonce, sizeof(guest_nonce)}};
	struct avd_message message;
	if (recording) {
		if (!next_message(&bytes, &size, AVD_HOST_SEQ_BASE, &message) ||
		    message.kind != AVD_MSG_CELL)
			return false;
		proof.nonce = message.u.cell.nonce;
	}
	for (uint32_t seq = 0; next_message(&bytes, &size, seq, &message); seq++) {
		if (!may_stand(&proof, &message))
			return false;
		if (message.kind == AVD_MSG_PAYLOAD_STARTING)
			return true;
	}
	return false;
}

/* Whether a frame that tells of a failure stands anywhere, in its place or not. */
static bool has_failure(const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++) {
		struct avd__frame frame;
		struct avd_message message;
		if (avd__frame_decode(bytes + at, size - at, &frame) == AVD__FRAME_OK &&
		    avd__message_decode(frame.payload, frame.payload_size, &message) == 0 &&
		    (message.kind == AVD_MSG_SCHEDULER_DIED ||
		     message.kind == AVD_MSG_SCHEDULER_NOT_ATTACHED))
			return true;
	}
	return false;
}

/* -- the library -- */

static avd_stream *judged(const uint8_t *bytes, size_t size, bool recording, uint32_t slices)
{
	const struct avd_stream_options options = {
		.size = sizeof(options),
		.flags = recording ? AVD_STREAM_RECORDING : 0,
		.nonce = recording ? NULL : guest_nonce,
		.nonce_size = recording ? 0 : sizeof(guest_nonce),
	};
	avd_stream *stream;
	FUZZ_CHECK(avd_stream_new(&options, &stream) == 0);
	while (size) {
		size_t slice = size;
		if (slices) { /* xorshift32: any number but 0 gives a slicing of its own */
			slices ^= slices << 13;
			slices ^= slices >> 17;
			slices ^= slices << 5;
			slice = 1 + (slices >> 8) % (slices & 1 ? 8 : 200);
		}
		if (slice > size)
			slice = size;
		uint8_t *exact = malloc(slice); /* what was fed may be gone afterwards */
		FUZZ_CHECK(exact);
		memcpy(exact, bytes, slice);
		FUZZ_CHECK(avd_stream_feed(stream, exact, slice) == 0);
		free(exact);
		bytes += slice;
		size -= slice;
	}
	FUZZ_CHECK(avd_stream_finish(stream) == 0);
	return stream;
}

static void check_text(const char *text, size_t size, bool lines)
{
	FUZZ_CHECK(strlen(text) == size);
	for (size_t i = 0; i < size; i++)
		FUZZ_CHECK((uint8_t)text[i] >= ' ' || (lines && text[i] == '\n'));
}

static void check_verdict(const struct avd_verdict *verdict)
{
	const bool attached = verdict->outcome == AVD_OUTCOME_ATTACHED;
	const bool passed = verdict->result == AVD_RESULT_PASSED;
	FUZZ_CHECK(verdict->outcome <= AVD_OUTCOME_NOT_ATTACHED);
	FUZZ_CHECK(!passed || attached);
	FUZZ_CHECK(attached == (verdict->reason_code == AVD_REASON_NONE));
	FUZZ_CHECK(attached == (verdict->reason[0] == '\0'));
	FUZZ_CHECK(attached == (avd_verdict_failure_reason(verdict) == NULL));
	FUZZ_CHECK(passed == (verdict->result_code == AVD_REASON_NONE));
	FUZZ_CHECK(passed == (verdict->result_reason[0] == '\0'));
	FUZZ_CHECK(memchr(verdict->reason, '\0', sizeof(verdict->reason)));
	FUZZ_CHECK(memchr(verdict->result_reason, '\0', sizeof(verdict->result_reason)));
	check_text(verdict->reason, strlen(verdict->reason), false);
	check_text(verdict->result_reason, strlen(verdict->result_reason), false);
}

static void check_reports(const avd_stream *stream)
{
	char *text;
	size_t size;
	FUZZ_CHECK(avd_report_text(stream, AVD_REPORT_VERBOSE, &text, &size) == 0);
	check_text(text, size, true);
	avd_free(text);
	FUZZ_CHECK(avd_report_json(stream, AVD_REPORT_VERBOSE, &text, &size) == 0);
	check_text(text, size, true);
	avd_free(text);
}

static void check(const uint8_t *bytes, size_t size, bool recording, uint32_t random)
{
	struct avd_verdict verdict, sliced;
	avd_stream *stream = judged(bytes, size, recording, 0);
	FUZZ_CHECK(avd_stream_verdict(stream, &verdict) == 0);
	if (random % PRINT_ONE_IN == 0)
		check_reports(stream);
	avd_stream_free(stream);
	check_verdict(&verdict);

	stream = judged(bytes, size, recording, random | 1);
	FUZZ_CHECK(avd_stream_verdict(stream, &sliced) == 0);
	avd_stream_free(stream);
	FUZZ_CHECK(avd_verdict_equal(&verdict, &sliced));

	const bool proven = is_proven(bytes, size, recording);
	if (verdict.outcome == AVD_OUTCOME_ATTACHED)
		FUZZ_CHECK(proven);
	else if (proven)
		FUZZ_CHECK(has_failure(bytes, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size > SIZE_MAX_FUZZED)
		return 0;
	const uint32_t random = avd__crc32c(0, bytes, size);
	check(bytes, size, false, random);
	check(bytes, size, true, random);
	return 0;
}
