// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/stream.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "verdict/internal.h"

int avd_stream_new(const struct avd_stream_options *given, avd_stream **ret_stream)
{
	struct avd_stream_options options = {0};
	/* size and flags are enough for a recording. */
	const int r = avd__options_copy(&options, sizeof(options), given,
					offsetof(struct avd_stream_options, nonce));
	if (r < 0)
		return r;
	if ((options.flags & ~(uint32_t)AVD_STREAM_RECORDING) || options.reserved)
		return -EINVAL;
	const int recording = (options.flags & AVD_STREAM_RECORDING) != 0;
	if (recording ? options.nonce != NULL || options.nonce_size != 0
		      : options.nonce == NULL || options.nonce_size != AVD_NONCE_SIZE)
		return -EINVAL;
	avd_stream *const stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->flags = options.flags;
	stream->on_event = options.on_event;
	stream->userdata = options.userdata;
	stream->machine.log = options.log;
	stream->machine.userdata = options.userdata;
	stream->machine.state = recording ? AVD__STATE_EMPTY : AVD__STATE_SILENT;
	if (!recording) {
		memcpy(stream->nonce, options.nonce, AVD_NONCE_SIZE);
		stream->have_nonce = 1;
	}
	*ret_stream = stream;
	return 0;
}

void avd_stream_free(avd_stream *stream)
{
	if (!stream)
		return;
	avd__reader_free(&stream->reader);
	free(stream->held);
	free(stream);
}

static int drain(avd_stream *stream)
{
	struct avd__reader_item item;
	int r;
	while ((r = avd__reader_next(&stream->reader, &item)) > 0) {
		r = avd__judge_item(stream, &item);
		if (r < 0)
			break;
	}
	if (r < 0) {
		stream->out_of_memory = 1;
		avd__judge_lost(stream);
	}
	return r;
}

int avd_stream_feed(avd_stream *stream, const void *bytes, size_t size)
{
	if (stream->finished)
		return -EINVAL;
	if (stream->out_of_memory)
		return -ENOMEM;
	if (size == 0)
		return 0;
	stream->evidence.bytes += size;
	avd__reader_input(&stream->reader, bytes, size);
	return drain(stream);
}

int avd_stream_finish(avd_stream *stream)
{
	if (stream->finished)
		return 0;
	/* A reader that lost bytes would tell of gaps that are none. */
	if (!stream->out_of_memory) {
		avd__reader_end(&stream->reader);
		drain(stream);
	}
	avd__judge_end(stream);
	stream->finished = 1;
	return 0;
}

int avd_stream_end(avd_stream *stream, const struct avd_message *end)
{
	if (stream->finished || stream->flags & AVD_STREAM_RECORDING)
		return -EINVAL;
	if (end->kind != AVD_MSG_END_CAUSE || end->u.end_cause.cause > AVD_END_MACHINE_KILLED)
		return -EINVAL;
	avd__evidence_take(&stream->evidence, end);
	return avd_stream_finish(stream);
}

int avd_stream_verdict(const avd_stream *stream, struct avd_verdict *ret_verdict)
{
	struct avd_verdict verdict;
	avd__conclude(stream, &verdict);
	*ret_verdict = verdict;
	return 0;
}
