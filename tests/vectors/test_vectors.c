// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * test-vectors messages|frames|streams FILE...
 *
 * One test goes over all vectors: a process for each is what takes the time, above all
 * under sanitizers. The message of a failure names the vector.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/run_suite.h"
#include "codec/frame.h"
#include "codec_samples.h"
#include "vectors.h"
#include "verdict_kit.h"

static struct vector vectors[1024];
static int vector_count;

static const char *message_status(enum avd__message_status status)
{
	static const char *const names[] = {"ok", "unknown-kind", "malformed", "invalid"};
	return names[status];
}

static void check_message_vector(const struct vector *vector)
{
	struct avd_message message, again;
	uint8_t encoded[4096], untouched[sizeof(message)];
	memset(&message, 0x5a, sizeof(message));
	memset(untouched, 0x5a, sizeof(untouched));
	const enum avd__message_status status =
		avd__message_decode(vector->bytes, vector->size, &message);
	ck_assert_msg(strcmp(message_status(status), vector->expectation) == 0, "%s: %s, not %s",
		      vector->name, message_status(status), vector->expectation);
	if (status == AVD__MESSAGE_OK) {
		const size_t size = avd__message_encode(&message, encoded, sizeof(encoded));
		ck_assert_uint_gt(size, 0);
		ck_assert_int_eq(avd__message_decode(encoded, size, &again), AVD__MESSAGE_OK);
		ck_assert_msg(sample_equal(&message, &again), "%s", vector->name);
	} else if (status != AVD__MESSAGE_UNKNOWN_KIND) {
		ck_assert_mem_eq(&message, untouched, sizeof(untouched));
	}
}

/* No start of a sound message is one itself. */
static void check_message_vector_cut(const struct vector *vector)
{
	struct avd_message message;
	if (strcmp(vector->expectation, "ok") != 0 &&
	    strcmp(vector->expectation, "unknown-kind") != 0)
		return;
	for (size_t size = 0; size < vector->size; size++) {
		uint8_t *cut = malloc(size ? size : 1); /* exact: reading beyond shows */
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, vector->bytes, size);
		ck_assert_msg(avd__message_decode(cut, size, &message) == AVD__MESSAGE_MALFORMED,
			      "%s cut to %zu", vector->name, size);
		free(cut);
	}
}

static void check_frame_vector(const struct vector *vector)
{
	static const char *const names[] = {"ok", "need-more", "bad-mark", "bad-length", "bad-crc"};
	struct avd__frame frame = {0};
	const enum avd__frame_status status =
		avd__frame_decode(vector->bytes, vector->size, &frame);
	char got[64];
	if (status == AVD__FRAME_NEED_MORE)
		snprintf(got, sizeof(got), "need-more:%zu", frame.size);
	else
		snprintf(got, sizeof(got), "%s", names[status]);
	ck_assert_msg(strcmp(got, vector->expectation) == 0, "%s: %s, not %s", vector->name, got,
		      vector->expectation);
	if (status != AVD__FRAME_OK)
		return;
	uint8_t *again = malloc(frame.size);
	ck_assert_ptr_nonnull(again);
	memcpy(again + AVD__FRAME_HEAD_SIZE, frame.payload, frame.payload_size);
	ck_assert_uint_eq(avd__frame_seal(again, frame.seq, frame.payload_size), frame.size);
	ck_assert_mem_eq(again, vector->bytes, frame.size);
	free(again);
}

static void check_stream_vector(const struct vector *vector)
{
	const uint32_t flags =
		strncmp(vector->name, "recording", 9) == 0 ? AVD_STREAM_RECORDING : 0;
	for (size_t slice = 0; slice < 40; slice++) { /* 0: all at once */
		const struct avd_verdict verdict =
			kit_judge_bytes(vector->bytes, vector->size, flags, slice);
		char got[128];
		snprintf(got, sizeof(got), "%s/%s/%s/%s", avd_outcome_name(verdict.outcome),
			 avd_reason_code_name(verdict.reason_code), avd_result_name(verdict.result),
			 avd_reason_code_name(verdict.result_code));
		ck_assert_msg(strcmp(got, vector->expectation) == 0,
			      "%s in slices of %zu: %s, not %s", vector->name, slice, got,
			      vector->expectation);
	}
}

#define FOR_EACH_VECTOR(test, check)                   \
	START_TEST(test)                               \
	{                                              \
		for (int i = 0; i < vector_count; i++) \
			check(&vectors[i]);            \
	}                                              \
	END_TEST
FOR_EACH_VECTOR(messages, check_message_vector)
FOR_EACH_VECTOR(messages_cut, check_message_vector_cut)
FOR_EACH_VECTOR(frames, check_frame_vector)
FOR_EACH_VECTOR(streams, check_stream_vector)

static void read_vectors(const char *path)
{
	const int before = vector_count;
	struct vector_file file;
	int status = vectors_open(&file, path);
	if (status)
		exit(EXIT_FAILURE);
	while (vector_count < 1024 && (status = vectors_next(&file, &vectors[vector_count])) > 0)
		vector_count++;
	vectors_close(&file);
	if (status || vector_count == before) {
		fprintf(stderr, "%s: broken, no vectors, or too many\n", path);
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	for (int i = 2; i < argc; i++)
		read_vectors(argv[i]);
	Suite *suite = suite_create("vectors");
	TCase *tcase = tcase_create("vectors");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120); /* valgrind is 30 times slower */
	if (strcmp(argv[1], "messages") == 0) {
		tcase_add_test(tcase, messages);
		tcase_add_test(tcase, messages_cut);
	} else if (strcmp(argv[1], "streams") == 0) {
		tcase_add_test(tcase, streams);
	} else {
		tcase_add_test(tcase, frames);
	}
	const int status = run_suite(suite);
	for (int i = 0; i < vector_count; i++)
		vector_free(&vectors[i]);
	return status;
}
