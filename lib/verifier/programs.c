// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "verifier/log.h"

int avd__program_text(char **slot, struct avd_str text)
{
	char escaped[AVD__TEXT_MAX];
	const size_t len = avd__escape(escaped, sizeof(escaped), text.data, text.len);
	char *copy = NULL;
	if (len) {
		copy = strdup(escaped);
		if (!copy)
			return -ENOMEM;
	}
	free(*slot);
	*slot = copy;
	return 0;
}

void avd__program_free(struct avd__verified *program)
{
	free(program->name);
	free(program->message);
	free(program->code);
	free(program->source);
	avd__fold_free(&program->fold);
}

int avd__program_add(avd_verifier *verifier, struct avd_str name, uint32_t *ret_index)
{
	if (verifier->count == AVD__PROGRAMS_MAX) {
		verifier->lost++;
		*ret_index = UINT32_MAX;
		return 0;
	}
	if (verifier->count == verifier->cap) {
		const uint32_t cap = verifier->cap ? verifier->cap * 2 : 16;
		struct avd__verified *grown =
			realloc(verifier->programs, cap * sizeof(*verifier->programs));
		if (!grown)
			return -ENOMEM;
		verifier->programs = grown;
		verifier->cap = cap;
	}
	struct avd__verified *program = &verifier->programs[verifier->count];
	*program = (struct avd__verified){.fold = {.budget = &verifier->budget}};
	program->told.failing_insn = -1;
	program->told.attempts = 1;
	const int r = avd__program_text(&program->name, name);
	if (r < 0)
		return r;
	program->raw_name_len = name.len < AVD__TEXT_MAX ? name.len : AVD__TEXT_MAX;
	if (program->raw_name_len)
		memcpy(program->raw_name, name.data, program->raw_name_len);
	*ret_index = verifier->count++;
	return 0;
}

/* What was asked of the loaded program, and what the probe saw, is better than words. */
void avd__program_figure(struct avd__verified *program, uint32_t figure, uint64_t value,
			 uint32_t source)
{
	if (source < program->told.sources[figure])
		return;
	program->told.figures[figure] = value;
	program->told.sources[figure] = source;
}

/* -- the frames of a recording -- */

static const struct {
	uint32_t bit, figure;
	size_t offset, size;
} numbers[] = {
#define NUMBER(name, member)                                                                     \
	{                                                                                        \
		AVD_PROGRAM_##name, AVD_FIGURE_##name, offsetof(struct avd_msg_program, member), \
			sizeof(((struct avd_msg_program *)0)->member)                            \
	}
	NUMBER(VERIFIED_INSNS, verified_insns),
	NUMBER(PROCESSED_INSNS, processed_insns),
	NUMBER(TOTAL_STATES, total_states),
	NUMBER(PEAK_STATES, peak_states),
	NUMBER(MAX_STATES_PER_INSN, max_states_per_insn),
	NUMBER(STACK_DEPTH, stack_depth),
	NUMBER(XLATED_BYTES, xlated_bytes),
	NUMBER(JITED_BYTES, jited_bytes),
	{AVD_PROGRAM_VERIFICATION_NS, AVD_FIGURE_TIME_NS,
	 offsetof(struct avd_msg_program, verification_ns), sizeof(uint64_t)},
};

static uint64_t number_at(const struct avd_msg_program *message, size_t offset, size_t size)
{
	uint32_t narrow;
	uint64_t wide;
	const char *at = (const char *)message + offset;
	if (size == sizeof(wide)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

int avd__program_message(avd_verifier *verifier, const struct avd_msg_program *message)
{
	const struct avd_str name = {(const char *)message->name.data, message->name.len};
	uint32_t index;
	const int r = avd__program_add(verifier, name, &index);
	if (r < 0 || index == UINT32_MAX)
		return r;
	struct avd__verified *program = &verifier->programs[index];
	program->from_frame = 1;
	program->told.order = message->order == UINT32_MAX ? UINT32_MAX : message->order + 1;
	program->told.prog_id = message->prog_id;
	program->told.prog_type = message->type;
	program->told.error = message->error <= INT32_MAX ? (int32_t)message->error : 0;
	if ((message->from_probe | message->from_info) & AVD_PROGRAM_ERROR || message->error)
		program->told.verdict = message->error ? AVD_PROGRAM_FAILURE : AVD_PROGRAM_SUCCESS;
	else if (message->prog_id)
		program->told.verdict = AVD_PROGRAM_SUCCESS;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(numbers); i++) {
		const uint64_t value = number_at(message, numbers[i].offset, numbers[i].size);
		if (message->from_probe & numbers[i].bit)
			avd__program_figure(program, numbers[i].figure, value,
					    AVD_FIGURE_FROM_PROBE);
		if (message->from_info & numbers[i].bit)
			avd__program_figure(program, numbers[i].figure, value,
					    AVD_FIGURE_FROM_PROG_INFO);
	}
	return 0;
}

/* The kernel cuts names to 15 bytes, libbpf's words have them whole. */
static int same_kernel_name(const struct avd__verified *frame, const struct avd__verified *other)
{
	const size_t most = AVD_PROGRAM_NAME_MAX;
	const size_t len = other->raw_name_len < most ? other->raw_name_len : most;
	return frame->raw_name_len == len && len &&
	       memcmp(frame->raw_name, other->raw_name, len) == 0;
}

/* The last frame that the log can belong to. */
static struct avd__verified *frame_of(avd_verifier *verifier, const struct avd__verified *log)
{
	for (uint32_t i = verifier->count; i-- > 0;) {
		struct avd__verified *frame = &verifier->programs[i];
		if (!frame->from_frame || frame->joined || !same_kernel_name(frame, log))
			continue;
		if (log->told.verdict == AVD_PROGRAM_UNKNOWN ||
		    log->told.verdict == frame->told.verdict)
			return frame;
	}
	return NULL;
}

static void take_string(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = *from;
	*from = NULL;
}

static void join(struct avd__verified *frame, struct avd__verified *log)
{
	struct avd_program *told = &frame->told;
	take_string(&frame->name, &log->name);
	take_string(&frame->message, &log->message);
	take_string(&frame->code, &log->code);
	take_string(&frame->source, &log->source);
	memcpy(frame->raw_name, log->raw_name, log->raw_name_len);
	frame->raw_name_len = log->raw_name_len;
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++)
		avd__program_figure(frame, i, log->told.figures[i], log->told.sources[i]);
	told->flags = log->told.flags;
	told->failing_insn = log->told.failing_insn;
	told->log_bytes = log->told.log_bytes;
	told->log_lines = log->told.log_lines;
	told->log_insns = log->told.log_insns;
	told->log_branches = log->told.log_branches;
	told->collapsed_lines = log->told.collapsed_lines;
	if (!told->error)
		told->error = log->told.error;
	frame->fold = log->fold;
	log->fold = (struct avd__fold){.budget = frame->fold.budget};
	frame->joined = log->joined = 1;
}

/* A program that was refused, and then tried again: libbpf does so to get a log. */
static int is_retried(const avd_verifier *verifier, uint32_t index)
{
	const struct avd__verified *first = &verifier->programs[index];
	if (!first->from_frame || first->joined || !first->told.error)
		return 0;
	for (uint32_t i = index + 1; i < verifier->count; i++) {
		struct avd__verified *next = &verifier->programs[i];
		if (!next->from_frame)
			continue;
		if (!same_kernel_name(first, next))
			return 0;
		next->told.attempts += first->told.attempts;
		return 1;
	}
	return 0;
}

void avd__programs_join(avd_verifier *verifier)
{
	uint32_t kept = 0;
	for (uint32_t i = verifier->count; i-- > 0;) {
		struct avd__verified *log = &verifier->programs[i];
		struct avd__verified *frame = log->from_frame ? NULL : frame_of(verifier, log);
		if (frame)
			join(frame, log);
	}
	for (uint32_t i = 0; i < verifier->count; i++) {
		struct avd__verified *program = &verifier->programs[i];
		if ((!program->from_frame && program->joined) || is_retried(verifier, i)) {
			avd__program_free(program);
			continue;
		}
		if (kept != i)
			verifier->programs[kept] = *program;
		kept++;
	}
	verifier->count = kept;
}
