// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * What a frame is for the verdict: whether it stands in its place, belongs to this boot
 * and says what its kind must say. The state machine then decides what follows from it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cpus.h"
#include "codec/message.h"
#include "verdict/internal.h"

#define DETAIL_MAX 160u

struct detail {
	char text[DETAIL_MAX]; /* what is wrong; empty: nothing */
};

/* Says what is wrong, unless something was wrong already. */
static void AVD_PRINTF(2, 3) blame(struct detail *detail, const char *fmt, ...)
{
	if (detail->text[0])
		return;
	va_list args;
	va_start(args, fmt);
	vsnprintf(detail->text, sizeof(detail->text), fmt, args);
	va_end(args);
}

static void tell(avd_stream *stream, const struct avd_event *event)
{
	if (stream->on_event)
		stream->on_event(stream->userdata, event);
}

/* A frame is told once: as sound, or with what is wrong with it. */
static void tell_frame(avd_stream *stream, const struct avd__frame *frame, uint64_t offset,
		       const struct avd_message *message, const struct detail *detail)
{
	struct avd_event event = {
		.type = AVD_EVENT_FRAME, .seq = frame->seq, .offset = offset, .message = message};
	stream->evidence.frames++;
	if (detail->text[0]) {
		event.type = AVD_EVENT_FAULT;
		event.detail = detail->text;
		stream->evidence.faults++;
		avd__evidence_fault(&stream->evidence, detail->text, offset);
	}
	tell(stream, &event);
}

static const char *gap_text(enum avd__frame_status why)
{
	switch (why) {
	case AVD__FRAME_NEED_MORE:
		return "a frame is cut off";
	case AVD__FRAME_BAD_LENGTH:
		return "a frame claims more than the longest allowed";
	case AVD__FRAME_BAD_CRC:
		return "a frame's checksum is wrong";
	default:
		return "bytes that are no frame";
	}
}

static void judge_gap(avd_stream *stream, const struct avd__reader_item *item)
{
	stream->evidence.gaps++;
	stream->evidence.skipped_bytes += item->skipped;
	stream->torn = item->torn;
	const char *const detail =
		item->torn ? gap_text(AVD__FRAME_NEED_MORE) : gap_text(item->why);
	avd__evidence_fault(&stream->evidence, detail, item->skipped_offset);
	avd__state_take(&stream->machine, AVD__INPUT_FAULT);
	tell(stream, &(struct avd_event){.type = AVD_EVENT_GAP,
					 .offset = item->skipped_offset,
					 .skipped = item->skipped,
					 .detail = detail});
}

/* Something follows what looked like the end-cause frame: it was none. */
static void drop_held(avd_stream *stream)
{
	if (!stream->held)
		return;
	struct avd__frame frame;
	struct detail detail = {0};
	blame(&detail, "an end-cause frame that is not the end of the recording");
	avd__state_take(&stream->machine, AVD__INPUT_FAULT);
	if (avd__frame_decode(stream->held, stream->held_size, &frame) == AVD__FRAME_OK)
		tell_frame(stream, &frame, stream->held_offset, NULL, &detail);
	free(stream->held);
	stream->held = NULL;
}

static int hold(avd_stream *stream, const struct avd__reader_item *item)
{
	/* payload - head: the frame's own bytes */
	const uint8_t *const bytes = item->frame.payload - AVD__FRAME_HEAD_SIZE;
	stream->held = malloc(item->frame.size);
	if (!stream->held)
		return -ENOMEM;
	memcpy(stream->held, bytes, item->frame.size);
	stream->held_size = item->frame.size;
	stream->held_offset = item->offset;
	return 0;
}

/* The recording's first frame; what is wrong with it goes to `detail`. */
static void judge_cell(avd_stream *stream, const struct avd_message *message, struct detail *detail)
{
	const struct avd_msg_cell *const cell = &message->u.cell;
	if (message->kind != AVD_MSG_CELL) {
		blame(detail, "the recording does not start with a cell frame");
		return;
	}
	avd__evidence_take(&stream->evidence, message);
	if (cell->nonce.len != AVD_NONCE_SIZE) {
		blame(detail, "the cell frame has no nonce of %u bytes", AVD_NONCE_SIZE);
		return;
	}
	memcpy(stream->nonce, cell->nonce.data, AVD_NONCE_SIZE);
	stream->have_nonce = 1;
	if (cell->protocol != AVD_PROTOCOL_VERSION)
		blame(detail, "recorded with protocol %" PRIu32 ", this library reads %u",
		      cell->protocol, AVD_PROTOCOL_VERSION);
}

static int judge_host_frame(avd_stream *stream, const struct avd__reader_item *item,
			    const struct avd_message *message)
{
	struct detail detail = {0};
	const uint32_t seq = item->frame.seq;
	const int recording = (stream->flags & AVD_STREAM_RECORDING) != 0;
	if (recording && item->offset == 0 && seq == AVD_HOST_SEQ_BASE) {
		judge_cell(stream, message, &detail);
		avd__state_take(&stream->machine,
				detail.text[0] ? AVD__INPUT_FAULT : AVD__INPUT_CELL);
		tell_frame(stream, &item->frame, item->offset, message, &detail);
		return 0;
	}
	if (recording && seq == AVD_HOST_SEQ_BASE + 1 && message->kind == AVD_MSG_END_CAUSE)
		return hold(stream, item);
	stream->torn = 0;
	blame(&detail, "a frame with the host's number 0x%08" PRIx32 " where none can be", seq);
	avd__state_take(&stream->machine, AVD__INPUT_FAULT);
	tell_frame(stream, &item->frame, item->offset, message->kind ? message : NULL, &detail);
	return 0;
}

/* Returns 1 if the frame is a repeat. */
static int check_seq(avd_stream *stream, uint32_t seq, struct detail *detail)
{
	if (seq < stream->next_seq) {
		blame(detail, "frame %" PRIu32 " came again or too late, expected %" PRIu64, seq,
		      stream->next_seq);
		return 1;
	}
	if (seq == stream->next_seq + 1)
		blame(detail, "frame %" PRIu64 " is missing", stream->next_seq);
	else if (seq > stream->next_seq)
		blame(detail, "frames %" PRIu64 " to %" PRIu32 " are missing", stream->next_seq,
		      seq - 1);
	stream->next_seq = (uint64_t)seq + 1;
	return 0;
}

static enum avd__input judge_hello(avd_stream *stream, const struct avd_msg_hello *hello,
				   struct detail *detail)
{
	stream->foreign = 1;
	if (hello->protocol != AVD_PROTOCOL_VERSION) {
		blame(detail, "hello speaks protocol %" PRIu32 ", this library %u", hello->protocol,
		      AVD_PROTOCOL_VERSION);
		return AVD__INPUT_FAULT;
	}
	/* Without a cell frame nobody knows the nonce: the stream is broken, but nothing says
	 * that these frames are another boot's. */
	if (stream->have_nonce && (hello->nonce.len != AVD_NONCE_SIZE ||
				   memcmp(hello->nonce.data, stream->nonce, AVD_NONCE_SIZE) != 0)) {
		blame(detail, "hello with another boot's nonce");
		return AVD__INPUT_FAULT;
	}
	stream->foreign = 0;
	return AVD__INPUT_HELLO;
}

static enum avd__input judge_attached(avd_stream *stream, const struct avd_msg_attached *attached,
				      struct detail *detail)
{
	if (attached->ops.len == 0) {
		blame(detail, "scheduler-attached without an ops name");
		return AVD__INPUT_FAULT;
	}
	if (attached->enable_seq <= attached->enable_seq_before ||
	    attached->enable_seq <= stream->enable_seq) {
		blame(detail,
		      "scheduler-attached with enable_seq %" PRIu64 ", which is not above %" PRIu64,
		      attached->enable_seq,
		      attached->enable_seq_before > stream->enable_seq ? attached->enable_seq_before
								       : stream->enable_seq);
		return AVD__INPUT_FAULT;
	}
	return AVD__INPUT_ATTACHED;
}

/* Whole records, ascending, no more than there can be. */
static enum avd__input judge_topology(const struct avd_msg_topology *topology,
				      struct detail *detail)
{
	struct avd_bytes left = topology->cpus;
	struct avd_topology_cpu cpu;
	uint32_t count = 0, next = 0;
	while (count < AVD_TOPOLOGY_CPUS_MAX && avd_topology_next(&left, &cpu) && cpu.cpu >= next) {
		next = cpu.cpu + 1u;
		count++;
	}
	if (count && count * AVD__CPU_RECORD_SIZE == topology->cpus.len)
		return AVD__INPUT_INFO;
	blame(detail, "topology with a broken table of CPUs");
	return AVD__INPUT_FAULT;
}

static enum avd__input classify(avd_stream *stream, const struct avd_message *message,
				struct detail *detail)
{
	if (message->kind == AVD_MSG_HELLO)
		return judge_hello(stream, &message->u.hello, detail);
	if (stream->foreign) {
		blame(detail, "%s of another boot", avd_message_kind_name(message->kind));
		return AVD__INPUT_FAULT;
	}
	switch (message->kind) {
	case AVD_MSG_SCHEDULER_STARTED:
		return AVD__INPUT_STARTED;
	case AVD_MSG_SCHEDULER_ATTACHED:
		return judge_attached(stream, &message->u.attached, detail);
	case AVD_MSG_SCHEDULER_DIED:
		return AVD__INPUT_DIED;
	case AVD_MSG_SCHEDULER_NOT_ATTACHED:
		return AVD__INPUT_NOT_ATTACHED;
	case AVD_MSG_PAYLOAD_STARTING:
		return AVD__INPUT_PAYLOAD_STARTING;
	case AVD_MSG_DISPATCH:
		return AVD__INPUT_DISPATCH;
	case AVD_MSG_SCHEDULER_EXIT:
		return AVD__INPUT_SCHEDULER_EXIT;
	case AVD_MSG_PAYLOAD_EXIT:
		return AVD__INPUT_PAYLOAD_EXIT;
	case AVD_MSG_DONE:
		return AVD__INPUT_DONE;
	case AVD_MSG_INIT_FAILED:
		return AVD__INPUT_INIT_FAILED;
	case AVD_MSG_TOPOLOGY:
		return judge_topology(&message->u.topology, detail);
	case AVD_MSG_CELL:
	case AVD_MSG_END_CAUSE:
		blame(detail, "a %s frame from the guest", avd_message_kind_name(message->kind));
		return AVD__INPUT_FAULT;
	default:
		return AVD__INPUT_INFO; /* kinds from the future included */
	}
}

static void judge_guest_frame(avd_stream *stream, const struct avd__reader_item *item,
			      const struct avd_message *message)
{
	struct detail detail = {0};
	if (stream->machine.state == AVD__STATE_EMPTY)
		blame(&detail, "the recording does not start with a cell frame");
	const uint64_t missing = item->frame.seq - stream->next_seq;
	const int repeat = check_seq(stream, item->frame.seq, &detail);
	if (detail.text[0])
		avd__state_take(&stream->machine, AVD__INPUT_FAULT);
	enum avd__input input = AVD__INPUT_FAULT;
	if (message)
		input = classify(stream, message, &detail);
	else
		blame(&detail, "a frame whose payload is no message");
	const enum avd__state before = stream->machine.state;
	if (!avd__state_take(&stream->machine, input)) {
		blame(&detail, "%s out of order (state %s)", avd__input_name(input),
		      avd__state_name(before));
		input = AVD__INPUT_FAULT;
	}
	const int failure = input == AVD__INPUT_DIED || input == AVD__INPUT_NOT_ATTACHED;
	if (input != AVD__INPUT_FAULT && (failure || !repeat)) {
		if (input == AVD__INPUT_STARTED)
			stream->enable_seq = message->u.started.enable_seq;
		avd__evidence_take(&stream->evidence, message);
	}
	/* Init's crash handler speaks up in the middle of the frame that init was writing, with
	 * the number after that frame's. */
	if (stream->torn && input == AVD__INPUT_INIT_FAILED && missing <= 1)
		stream->excused += 1 + missing;
	stream->torn = 0;
	tell_frame(stream, &item->frame, item->offset, message, &detail);
}

int avd__judge_item(avd_stream *stream, const struct avd__reader_item *item)
{
	drop_held(stream);
	if (item->skipped)
		judge_gap(stream, item);
	if (!item->have_frame)
		return 0;
	struct avd_message message;
	const enum avd__message_status status =
		avd__message_decode(item->frame.payload, item->frame.payload_size, &message);
	const int sound = status == AVD__MESSAGE_OK || status == AVD__MESSAGE_UNKNOWN_KIND;
	if (item->frame.seq >= AVD_HOST_SEQ_BASE) {
		if (!sound)
			message = (struct avd_message){0}; /* kind 0: none that can stand here */
		return judge_host_frame(stream, item, &message);
	}
	judge_guest_frame(stream, item, sound ? &message : NULL);
	return 0;
}

void avd__judge_end(avd_stream *stream)
{
	struct avd__frame frame;
	struct avd_message message;
	struct detail detail = {0};
	if (stream->held &&
	    avd__frame_decode(stream->held, stream->held_size, &frame) == AVD__FRAME_OK &&
	    avd__message_decode(frame.payload, frame.payload_size, &message) == AVD__MESSAGE_OK) {
		avd__evidence_take(&stream->evidence, &message);
		tell_frame(stream, &frame, stream->held_offset, &message, &detail);
	}
	free(stream->held);
	stream->held = NULL;
	if (stream->torn)
		stream->excused++; /* the guest ended while it wrote the torn frame */
	stream->torn = 0;
	avd__state_take(&stream->machine, AVD__INPUT_END);
}

void avd__judge_lost(avd_stream *stream)
{
	stream->evidence.faults++;
	avd__evidence_fault(&stream->evidence, "bytes were lost: out of memory",
			    stream->evidence.bytes);
	avd__state_take(&stream->machine, AVD__INPUT_FAULT);
}
