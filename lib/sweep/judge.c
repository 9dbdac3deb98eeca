// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A recording's verdict, and the few facts beside it that an index keeps. */
#include <attachverdict/stream.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "codec/crc32c.h"
#include "sweep/store.h"

#define PIECE ((size_t)256 << 10)

struct facts {
	bool cell; /* the host's first frame was there */
	uint64_t wall_ns, cpu_ns, started_ns;
};

static void on_event(void *userdata, const struct avd_event *event)
{
	struct facts *facts = userdata;
	const struct avd_message *message = event->message;
	if (event->type != AVD_EVENT_FRAME || !message)
		return;
	if (message->kind == AVD_MSG_CELL) {
		facts->cell = true;
		facts->started_ns = message->u.cell.started_unix_ns;
	} else if (message->kind == AVD_MSG_END_CAUSE) {
		facts->wall_ns = message->u.end_cause.wall_ns;
		facts->cpu_ns = message->u.end_cause.machine_cpu_ns;
	}
}

/* Feeds the whole file; sums it up in *came. */
static int feed(int fd, avd_stream *stream, struct avd__came *came)
{
	uint8_t *piece = malloc(PIECE);
	int64_t n = piece ? 0 : -ENOMEM;
	while (piece && (n = avd__pread_all(fd, piece, PIECE, came->recording_bytes)) > 0) {
		came->recording_crc = avd__crc32c(came->recording_crc, piece, (size_t)n);
		came->recording_bytes += (uint64_t)n;
		const int r = avd_stream_feed(stream, piece, (size_t)n);
		if (r < 0) {
			n = r;
			break;
		}
	}
	free(piece);
	return n < 0 ? (int)n : avd_stream_finish(stream);
}

static const char *keep(struct avd__table *table, const char *text)
{
	return avd__table_text(table, text, strlen(text));
}

static int judge(int fd, const char *name, struct avd__table *table, struct avd__came *came)
{
	struct facts facts = {0};
	struct avd_stream_options options = AVD_OPTIONS_INIT(struct avd_stream_options);
	options.flags = AVD_STREAM_RECORDING;
	options.on_event = on_event;
	options.userdata = &facts;
	avd_stream *stream;
	struct avd_verdict verdict = {0};
	int r = avd_stream_new(&options, &stream);
	if (r < 0)
		return r;
	*came = (struct avd__came){0};
	r = feed(fd, stream, came);
	if (r == 0 && !facts.cell)
		r = -EBADMSG;
	if (r == 0)
		r = avd_stream_verdict(stream, &verdict);
	avd_stream_free(stream);
	if (r < 0)
		return r;
	came->outcome = verdict.outcome;
	came->reason_code = verdict.reason_code;
	came->result = verdict.result;
	came->result_code = verdict.result_code;
	came->end_cause = verdict.end_cause;
	came->reason = keep(table, verdict.reason);
	came->result_reason = keep(table, verdict.result_reason);
	came->recording = keep(table, name);
	came->wall_ns = facts.wall_ns;
	came->machine_cpu_ns = facts.cpu_ns;
	came->ended_unix_ns = facts.started_ns + facts.wall_ns;
	return came->reason && came->result_reason && came->recording ? 0 : -ENOMEM;
}

int avd__judge_file(int fd, const char *name, struct avd__table *table, struct avd__came *ret_came,
		    struct avd__error *error)
{
	struct stat st;
	struct avd__came came;
	int r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EBADMSG;
	if (r == 0)
		r = judge(fd, name, table, &came);
	if (r < 0)
		return avd__fail(error, -r, "recording %s: %s", name,
				 r == -EBADMSG ? "it is none" : strerror(-r));
	*ret_came = came;
	return 0;
}

int avd__store_judge(int dir_fd, const char *name, struct avd__table *table,
		     struct avd__came *ret_came, struct avd__error *error)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		const int code = errno;
		return avd__fail(error, code, "recording %s: %s", name, strerror(code));
	}
	const int r = avd__judge_file(fd, name, table, ret_came, error);
	avd__close(&fd);
	return r;
}
