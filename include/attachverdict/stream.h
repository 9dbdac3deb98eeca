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

/* Valid during the callback only. Each frame is told once, as sound or as a fault. An
 * end-cause frame is told by avd_stream_finish(): only the last frame can be one. */
struct avd_event {
	uint32_t type; /* enum avd_event_type */
	uint32_t seq; /* of a frame */
	uint64_t offset; /* in the stream, bytes */
	uint64_t skipped;
	const char *detail; /* what is wrong; NULL for a frame */
	const struct avd_message *message; /* NULL for a gap, or if the frame holds none */
};
/* Must not feed, finish or free the stream; may ask for its verdict. */
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
	const uint8_t *nonce; /* AVD_NONCE_SIZE bytes, copied; NULL exactly for a recording */
	size_t nonce_size;
	avd_event_fn on_event; /* may be NULL; runs inside avd_stream_feed() and _finish() */
	void *userdata; /* of on_event and log */
	avd_log_fn log; /* may be NULL; each step of the verdict's state machine, level debug */
};

/*
 * The rules, where the outcomes' own words leave room:
 *  - Precedence does not depend on the order: scheduler-died, then
 *    scheduler-not-attached, then ATTACHED. The two failures count if their own frame
 *    is sound, even after a gap or without a hello, but not after a hello with another
 *    boot's nonce or protocol; a later hello that is right makes them count again.
 *  - ATTACHED: hello, scheduler-started, scheduler-attached (with an ops name, and
 *    enable_seq above both what it was before and what scheduler-started said), then
 *    payload-starting, each exactly once, in this order, frames numbered from 0 without
 *    a gap. Anything else before payload-starting, such as a second hello, done or
 *    init-failed, makes ATTACHED impossible for good. phase, log, kernel-log, heartbeat,
 *    program, topology and unknown kinds may stand anywhere after hello; dispatch and
 *    scheduler-exit anywhere after scheduler-attached. After one of the two failures a
 *    scheduler-exit may follow: how the kernel threw it out at the attach; it changes nothing.
 *  - After payload-starting a fault leaves the outcome and fails the result. After done
 *    only the kinds that may stand anywhere are allowed.
 *  - A failure frame with a reason code that is none of the scheduler's (1..11) counts;
 *    its code is then exec-failed, killed-by-signal or exited by its other fields,
 *    or timeout.
 *  - channel-corrupt: the stream broke before the confirmation. A torn frame right before
 *    the end or before init-failed, and nothing else wrong, is explained by the guest's
 *    end: then that end is the reason code, or truncated if no frame tells of it.
 *  - A result is PASSED after avd_stream_finish() only: ATTACHED; dispatch ok (or the
 *    cell frame asked for none); no scheduler-exit; payload-exit, if a payload was asked
 *    for or if it came, with status 0; done with enabled_at_end; no gap and no fault; and
 *    in a recording an end-cause frame with guest-reset or guest-shutdown. Without a
 *    recording nobody says what was asked: dispatch is then required, a payload is not;
 *    done followed by nothing but output stands for the clean end.
 */
/* -EINVAL: bad options; -E2BIG: options from the future; -ENOMEM. The caller
 * owns *ret_stream and ends it with avd_stream_free(). Since 0.1. */
AVD_API int avd_stream_new(const struct avd_stream_options *options, avd_stream **ret_stream);
AVD_API void avd_stream_free(avd_stream *stream); /* NULL is ignored */

/* Takes all `size` bytes. Bad content is never an error here: it is what the
 * verdict judges. -EINVAL: after avd_stream_finish(). -ENOMEM: bytes were lost; that
 * breaks the stream like a gap, so it can no longer become ATTACHED, and every later
 * call fails the same way. Since 0.1. */
AVD_API int avd_stream_feed(avd_stream *stream, const void *bytes, size_t size);

/* The stream has ended: what was kept is judged as the end. 0; idempotent. Since 0.1. */
AVD_API int avd_stream_finish(avd_stream *stream);

/* The same for a guest's bytes alone, by who ran the machine and knows how it ended, which a
 * guest can't tell: `end` is an AVD_MSG_END_CAUSE message, copied, of which `cause` is enough.
 * It explains a missing verdict, and a result is then PASSED with guest-reset or guest-shutdown
 * only. -EINVAL: not such a message, a recording (which has its own), or after
 * avd_stream_finish(). Since 0.1. */
AVD_API int avd_stream_end(avd_stream *stream, const struct avd_message *end);

/* The verdict as of now: before the end of the stream its result is never PASSED. 0. Since 0.1. */
AVD_API int avd_stream_verdict(const avd_stream *stream, struct avd_verdict *ret_verdict);

#ifdef __cplusplus
}
#endif

#endif
