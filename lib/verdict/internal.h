/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What a stream is made of; for this room alone. */
#ifndef AVD_LIB_VERDICT_INTERNAL_H
#define AVD_LIB_VERDICT_INTERNAL_H

#include <attachverdict/stream.h>

#include "verdict/evidence.h"
#include "verdict/machine.h"
#include "verdict/reader.h"

struct avd_stream {
	uint32_t flags;
	avd_event_fn on_event;
	void *userdata;
	struct avd__machine_state machine;
	int finished;
	int out_of_memory; /* bytes were lost: nothing more is taken */
	int have_nonce;
	uint8_t nonce[AVD_NONCE_SIZE];
	int foreign; /* the last hello was not this boot's: nor is what follows it */
	uint64_t next_seq; /* that the guest's next frame must carry */
	uint64_t enable_seq; /* of scheduler-started */
	/* A frame that looks like the end-cause frame is judged when the stream has ended,
	 * because only the last frame can be it. */
	uint8_t *held;
	size_t held_size;
	uint64_t held_offset;
	int torn; /* the last gap is a torn frame, and nothing has followed it yet */
	uint64_t excused; /* torn frames that the guest's own end explains */
	struct avd__reader reader;
	struct avd__evidence evidence;
};

/* judge.c: what the reader found, in order. -ENOMEM from the first. */
int avd__judge_item(avd_stream *stream, const struct avd__reader_item *item);
/* The stream ends here. */
void avd__judge_end(avd_stream *stream);
/* Bytes were lost for want of memory. */
void avd__judge_lost(avd_stream *stream);

/* conclude.c */
void avd__conclude(const avd_stream *stream, struct avd_verdict *ret_verdict);

/* evidence.c: takes what an accepted frame tells. */
void avd__evidence_take(struct avd__evidence *evidence, const struct avd_message *message);
void avd__evidence_fault(struct avd__evidence *evidence, const char *detail, uint64_t offset);

#endif
