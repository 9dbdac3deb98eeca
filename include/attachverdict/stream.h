/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Bytes of a channel or a recording in, verdict out. No clock, no I/O: the same
 * bytes give the same verdict, however they are sliced.
 */
#ifndef ATTACHVERDICT_STREAM_H
#define ATTACHVERDICT_STREAM_H

#include <attachverdict/message.h>
#include <attachverdict/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct avd_stream avd_stream;

enum avd_event_type {
	AVD_EVENT_FRAME = 1, /* a sound frame in its place */
	AVD_EVENT_GAP = 2, /* bytes that are no frame: `skipped` of them at `offset` */
	AVD_EVENT_FAULT = 3, /* a frame that breaks the sequence or the protocol */
};

/* Valid during the callback only. */
struct avd_event {
	uint32_t type; /* enum avd_event_type */
	uint32_t seq; /* of a frame */
	uint64_t offset; /* in the stream, bytes */
	uint64_t skipped;
	const char *detail; /* what is wrong; NULL for a frame */
	const struct avd_message *message; /* NULL for a gap */
};
typedef void (*avd_event_fn)(void *userdata, const struct avd_event *event);

enum avd_stream_flags {
	/* The stream is a recording: its first frame is the host's cell frame, which
	 * brings the nonce, and its last one the host's end-cause frame. Without this
	 * flag the bytes are a guest's alone and host frames in them are faults. */
	AVD_STREAM_RECORDING = 1u << 0,
};

struct avd_stream_options {
	size_t size;
	uint32_t flags; /* enum avd_stream_flags */
	uint32_t reserved;
	const uint8_t *nonce; /* AVD_NONCE_SIZE bytes, copied; required unless a recording */
	size_t nonce_size;
	avd_event_fn on_event; /* may be NULL; runs inside avd_stream_feed() */
	void *userdata;
};

/* -EINVAL: bad options; -E2BIG: options from the future; -ENOMEM. The caller
 * owns *ret_stream and ends it with avd_stream_free(). Since 0.1. */
AVD_API int avd_stream_new(const struct avd_stream_options *options, avd_stream **ret_stream);
AVD_API void avd_stream_free(avd_stream *stream); /* NULL is ignored */

/* Takes all `size` bytes. Bad content is never an error here: it is what the
 * verdict judges. -EINVAL: after avd_stream_finish(); -ENOMEM (the stream can
 * then no longer become ATTACHED). Since 0.1. */
AVD_API int avd_stream_feed(avd_stream *stream, const void *bytes, size_t size);

/* The stream has ended. Idempotent. Since 0.1. */
AVD_API int avd_stream_finish(avd_stream *stream);

/* The verdict as of now: before the end of the stream its result is never PASSED. Since 0.1. */
AVD_API int avd_stream_verdict(const avd_stream *stream, struct avd_verdict *ret_verdict);

#ifdef __cplusplus
}
#endif

#endif
