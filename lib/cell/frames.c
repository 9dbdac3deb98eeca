// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The two frames of a recording that the host writes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "cell/internal.h"
#include "cell/limits.h"
#include "codec/frame.h"
#include "codec/message.h"

#define CELL_SEQ AVD_HOST_SEQ_BASE
#define END_SEQ (AVD_HOST_SEQ_BASE + 1)
/* Keys, integers and heads of a message's fields: about 30 fields of at most 12 bytes. */
#define FIELDS_ROOM 512u

static struct avd_str str(const char *text)
{
	return (struct avd_str){.data = text ? text : "", .len = text ? strlen(text) : 0};
}

/* Encodes argv with `first` in place of argv[0] into out[*len...). */
static int put_argv(uint8_t *out, size_t size, const char *const *argv, size_t count,
		    const char *first, struct avd_strv *ret_strv)
{
	size_t len = 0;
	uint32_t items = 0;
	for (size_t i = 0; i < count; i++) {
		const char *text = i == 0 ? first : argv[i];
		if (avd__strv_put(out, size, &len, &items, text, strlen(text)) < 0)
			return -E2BIG;
	}
	*ret_strv = (struct avd_strv){.cbor = {.data = out, .len = len}, .count = items};
	return 0;
}

/* What the items of an argv take encoded: a head of at most 9 bytes each. */
static size_t argv_room(const char *const *argv, size_t count, const char *first)
{
	size_t room = 0;
	for (size_t i = 0; i < count; i++)
		room += strlen(i == 0 ? first : argv[i]) + 9;
	return room;
}

static uint64_t unix_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * AVD__SECOND + (uint64_t)now.tv_nsec;
}

/* The frame's numbers start with none. */
static uint32_t dispatch_mode(uint32_t mode)
{
	return mode == AVD_DISPATCH_OFF ? 0 : mode == AVD_DISPATCH_FULL ? 2 : 1;
}

static int frame_alloc(const struct avd_message *message, uint32_t seq, size_t room,
		       uint8_t **ret_frame, size_t *ret_size)
{
	const size_t size = AVD__FRAME_HEAD_SIZE + FIELDS_ROOM + room;
	uint8_t *frame = malloc(size);
	if (!frame)
		return -ENOMEM;
	*ret_size = avd__message_frame(message, seq, frame, size);
	if (*ret_size == 0) {
		free(frame);
		return -EMSGSIZE;
	}
	*ret_frame = frame;
	return 0;
}

int avd__cell_frame(struct avd_cell *cell, const struct avd__cell_boot *boot,
		    const char *scheduler_path, const char *payload_path, uint8_t **ret_frame,
		    size_t *ret_size, struct avd__error *error)
{
	const struct avd_cell_options *o = &cell->config.options;
	struct avd_message message = {
		.kind = AVD_MSG_CELL,
		.time_ns = cell->hooks.now(cell->hooks.userdata),
		.u.cell =
			{
				.protocol = AVD_PROTOCOL_VERSION,
				.nonce = {.data = cell->nonce, .len = sizeof(cell->nonce)},
				.version = str(avd_version()),
				.kernel = str(boot->kernel_path),
				.release = str(boot->kernel_release),
				.machine = str(cell->run.choice.ops->name),
				.machine_reason = str(cell->run.choice.reason),
				.accel = str(cell->run.choice.accel),
				.carrier = str(avd__cell_window(cell) ? "window" : "serial"),
				.topology = str(o->topology),
				.cpus = cell->config.cpus,
				.memory_bytes = o->memory_bytes,
				.settle_ms = o->settle_ms,
				.budget_cpu_ms = o->budget_cpu_ms,
				.budget_wall_ms = o->budget_wall_ms,
				.payload_ms = o->payload_timeout_ms,
				.log_limit = o->log_limit,
				.dispatch = dispatch_mode(o->dispatch),
				.dispatch_ms = o->dispatch_timeout_ms,
				.started_unix_ns = unix_now_ns(),
				.verifier_stats = !o->no_verifier_stats,
				.verifier_log = o->verifier_log,
				.id = str(cell->plan_id),
				.digest = cell->plan_digest,
			},
	};
	const size_t room1 = argv_room(o->scheduler, o->scheduler_count, scheduler_path);
	const size_t room2 = argv_room(o->payload, o->payload_count, payload_path);
	uint8_t *items = malloc(room1 + room2 + 1);
	if (!items)
		return avd__fail(error, ENOMEM, "out of memory");
	int r = put_argv(items, room1, o->scheduler, o->scheduler_count, scheduler_path,
			 &message.u.cell.scheduler);
	if (r == 0)
		r = put_argv(items + room1, room2, o->payload, o->payload_count, payload_path,
			     &message.u.cell.payload);
	if (r == 0)
		r = frame_alloc(&message, CELL_SEQ,
				room1 + room2 + message.u.cell.kernel.len +
					message.u.cell.release.len + message.u.cell.topology.len +
					message.u.cell.machine_reason.len + message.u.cell.id.len,
				ret_frame, ret_size);
	free(items);
	if (r == -ENOMEM)
		return avd__fail(error, ENOMEM, "out of memory");
	if (r < 0)
		return avd__fail(error, -r,
				 "what was asked does not fit a frame, or is not valid UTF-8: the "
				 "paths and arguments of scheduler, payload and kernel");
	return 0;
}

/* Whether the console may tell more than the runner did. It can't where the host itself ended
 * the machine for a reason of its own, or where the runner broke. */
static int console_may_tell(uint32_t cause)
{
	return cause == AVD_END_GUEST_RESET || cause == AVD_END_GUEST_SHUTDOWN ||
	       cause == AVD_END_TRIPLE_FAULT || cause == AVD_END_WATCHDOG;
}

uint32_t avd__cell_guess(const struct avd_cell *cell, const struct avd__machine_end *end,
			 char *detail, size_t size)
{
	const struct avd__console *console = &cell->console;
	const char *why = end->cause == cell->stop_cause ? cell->stop_detail : end->detail;
	const char *line = "";
	uint32_t code = AVD_REASON_NONE; /* as the cause says: lib/verdict knows */
	const int clean = cell->done && (end->cause == AVD_END_GUEST_RESET ||
					 end->cause == AVD_END_GUEST_SHUTDOWN);
	if (console_may_tell(end->cause)) {
		if (console->panic[0]) {
			code = AVD_REASON_PANIC;
			line = console->panic;
		} else if (!clean && console->oops[0]) {
			code = AVD_REASON_OOPS;
			line = console->oops;
		}
	}
	/* The line first: it is the shorter one and the one that tells. */
	snprintf(detail, size, "%s%s%s", line, *line && *why ? "; " : "", why);
	return code;
}

static const char *sandbox_of(const struct avd_cell *cell)
{
	const struct avd__machine_ops *ops = cell->run.choice.ops;
	return cell->run.machine && ops->sandbox ? ops->sandbox(cell->run.machine) : "";
}

int avd__cell_end_frame(struct avd_cell *cell, const struct avd__machine_end *end,
			uint8_t **ret_frame, size_t *ret_size)
{
	const uint64_t now = cell->hooks.now(cell->hooks.userdata);
	char raw[2 * AVD__CELL_DETAIL], detail[AVD__CELL_DETAIL];
	uint8_t tail[AVD__CELL_CONSOLE_TAIL];
	const struct avd_machine_stats *stats = &cell->run.stats;
	const uint32_t code = avd__cell_guess(cell, end, raw, sizeof(raw));
	avd__escape(detail, sizeof(detail), raw, strlen(raw));
	const struct avd_message message = {
		.kind = AVD_MSG_END_CAUSE,
		.time_ns = now,
		.u.end_cause =
			{
				.cause = end->cause,
				.code = code,
				.detail = str(detail),
				.console_tail = {.data = tail,
						 .len = avd__console_tail(&cell->console, tail)},
				.console_bytes = cell->console.total,
				.wall_ns = now - cell->started,
				.machine_cpu_ns = avd__run_cpu_ns(&cell->run),
				.stats_valid = stats->valid & ~(uint32_t)AVD_STAT_CPU,
				.exits = stats->exits,
				.exits_io = stats->exits_io,
				.exits_mmio = stats->exits_mmio,
				.exits_hlt = stats->exits_hlt,
				.exits_shutdown = stats->exits_shutdown,
				.exits_intr = stats->exits_intr,
				.exits_other = stats->exits_other,
				.first_instruction_ns = stats->first_instruction_ns,
				.start_cpu_ns = stats->start_cpu_ns,
				.init_ns = stats->init_ns,
				.verdict_ns = stats->verdict_ns,
				.ram_resident_bytes = stats->ram_resident_bytes,
				.overhead_bytes = stats->overhead_bytes,
				.sandbox = str(sandbox_of(cell)),
			},
	};
	return frame_alloc(&message, END_SEQ, sizeof(tail) + sizeof(detail), ret_frame, ret_size);
}
