// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* One log: what its lines mean in their place, the words on an error, the lines held back. */
#include "verifier/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define REPORT_HEAD "Verification failed: "

static void set_text(char out[AVD__TEXT_MAX], struct avd_str text)
{
	text = avd__trim(text);
	avd__escape(out, AVD__TEXT_MAX, text.data, text.len);
}

/* "A; B": the verifier uses two lines for some errors. What does not fit is cut. */
static void add_text(char out[AVD__TEXT_MAX], struct avd_str text)
{
	const size_t len = strlen(out);
	if (len == 0) {
		set_text(out, text);
	} else if (len + 3 < AVD__TEXT_MAX) {
		memcpy(out + len, "; ", 3);
		text = avd__trim(text);
		avd__escape(out + len + 2, AVD__TEXT_MAX - len - 2, text.data, text.len);
	}
}

int avd__vlog_begin(avd_verifier *verifier, struct avd_str name, int is_bare,
		    struct avd__vlog **ret_log)
{
	struct avd__vlog *log = calloc(1, sizeof(*log));
	if (!log)
		return -ENOMEM;
	log->is_bare = is_bare;
	log->insn = -1;
	const int r = avd__program_add(verifier, name, &log->program);
	if (r < 0) {
		free(log);
		return r;
	}
	if (log->program != UINT32_MAX)
		verifier->programs[log->program].told.flags |= AVD_PROGRAM_HAS_LOG;
	*ret_log = log;
	return 0;
}

void avd__vlog_free(struct avd__vlog *log)
{
	for (size_t i = 0; log && i < AVD__TAIL_LINES_MAX; i++)
		free(log->held[i].text);
	free(log);
}

/* -- lines held back -- */

/* A line that stays as it is. Behind a hole nothing but such lines is kept. */
static int pin(struct avd__verified *program, struct avd_str text, uint64_t cut)
{
	if (program->fold.left_out)
		return avd__fold_add_tail(&program->fold, text, cut);
	return avd__fold_add(&program->fold, 0, text, cut);
}

static int fold_held(struct avd__vlog *log, struct avd__verified *program, int verbatim)
{
	struct avd__held_line *held = &log->held[log->held_first];
	const struct avd_str text = {held->text, held->len};
	log->held_first = (log->held_first + 1) % AVD__TAIL_LINES_MAX;
	log->held_count--;
	log->held_steps -= (size_t)held->is_step;
	if (verbatim && !held->is_mark)
		return pin(program, text, held->cut);
	int r = 0;
	for (uint64_t i = 0; r == 0 && i <= held->repeats; i++)
		r = avd__fold_add(&program->fold, held->symbol, text, held->cut);
	return r;
}

static int fold_all_held(struct avd__vlog *log, struct avd__verified *program, int verbatim)
{
	int r = 0;
	while (r == 0 && log->held_count)
		r = fold_held(log, program, verbatim);
	return r;
}

static int is_mark(const struct avd_verifier_line *line)
{
	return line->kind == AVD_LINE_TRACE && avd__starts_with(line->text, "mark_precise: ");
}

static int copy_line(struct avd__held_line *held, struct avd_str text)
{
	if (text.len > held->cap || !held->text) {
		char *grown = realloc(held->text, text.len + 64);
		if (!grown)
			return -ENOMEM;
		held->text = grown;
		held->cap = text.len + 64;
	}
	if (text.len)
		memcpy(held->text, text.data, text.len);
	held->len = text.len;
	return 0;
}

/* A step may have thousands of marks behind it, which are no steps and whose first one is all that
 * is ever shown: only it is held. */
static int hold(avd_verifier *verifier, struct avd__vlog *log, struct avd__verified *program,
		const struct avd_verifier_line *line, uint64_t cut)
{
	const size_t end = (log->held_first + log->held_count) % AVD__TAIL_LINES_MAX;
	struct avd__held_line *last =
		&log->held[(end + AVD__TAIL_LINES_MAX - 1) % AVD__TAIL_LINES_MAX];
	const int marks = is_mark(line) && !cut;
	if (marks && log->held_count && last->is_mark) {
		last->repeats++;
		return 0;
	}
	while (log->held_count == AVD__TAIL_LINES_MAX ||
	       log->held_steps > verifier->options.tail_lines) {
		const int r = fold_held(log, program, 0);
		if (r < 0)
			return r;
	}
	struct avd__held_line *held = &log->held[end];
	const int r = copy_line(held, line->text);
	if (r < 0)
		return r;
	held->cut = cut;
	held->repeats = 0;
	held->symbol = cut || avd__fold_is_ours(line->text) ? 0 : avd__line_shape(line);
	held->is_mark = marks;
	held->is_step = line->kind <= AVD_LINE_TRACE && !is_mark(line);
	log->held_count++;
	log->held_steps += (size_t)held->is_step;
	return 0;
}

/* 7.3's report on an error is as long as the path to it: what was held stays, its own lines fold.
 */
static int take_report_line(struct avd__vlog *log, struct avd__verified *program,
			    const struct avd_verifier_line *line, uint64_t cut)
{
	const int alone = cut || avd__fold_is_ours(line->text);
	const int r = fold_all_held(log, program, 1);
	if (r < 0 || program->fold.left_out)
		return r < 0 ? r : pin(program, line->text, cut);
	return avd__fold_add(&program->fold, alone ? 0 : avd__line_shape(line), line->text, cut);
}

/* -- what a line means -- */

/* Tables that level 2 prints before the walk have rows that look like instructions; the walk
 * starts, for each function, with the state at its first one. */
static void place_line(struct avd__vlog *log, struct avd_verifier_line *line)
{
	struct avd_str text = line->text;
	if (line->kind == AVD_LINE_MESSAGE && avd__starts_with(text, REPORT_HEAD))
		log->in_report = 1;
	if (log->in_report && line->kind != AVD_LINE_STATS) {
		line->kind = AVD_LINE_REPORT;
		return;
	}
	log->in_report = 0;
	if (line->kind == AVD_LINE_TABLE)
		log->in_table = 1;
	else if (line->kind == AVD_LINE_STATE || line->kind == AVD_LINE_TRACE)
		log->in_table = 0;
	else if (log->in_table &&
		 (line->kind == AVD_LINE_INSN || (line->kind == AVD_LINE_MESSAGE && text.len &&
						  text.data[0] >= '0' && text.data[0] <= '9')))
		line->kind = AVD_LINE_TABLE;
}

static void take_report(struct avd__vlog *log, struct avd_str text)
{
	if (avd__take(&text, REPORT_HEAD))
		set_text(log->report, text);
}

/* The error's words are what stands between the last step of the walk and the statistics. */
static void take_meaning(struct avd__vlog *log, struct avd__verified *program,
			 const struct avd_verifier_line *line)
{
	switch (line->kind) {
	case AVD_LINE_INSN:
		log->insn = line->insn;
		set_text(log->code, line->code);
		break;
	case AVD_LINE_SOURCE:
		if (line->source_line) /* compilers mark code of no line with 0 */
			set_text(log->source, avd__skip(line->text, 2));
		break;
	case AVD_LINE_MESSAGE:
		if (!avd__fold_is_ours(line->text))
			add_text(log->message, line->text);
		return;
	case AVD_LINE_REPORT:
		take_report(log, line->text);
		return;
	case AVD_LINE_STATS:
		log->has_last_line |= avd__stats_line(line->text, log, program);
		return;
	case AVD_LINE_STATE:
		if (line->insn < 0) /* "old state:" belongs to an error */
			return;
		break;
	case AVD_LINE_TABLE:
	case AVD_LINE_BLANK:
		return;
	default:
		break;
	}
	log->walked = 1;
	log->message[0] = '\0';
}

static void count_line(struct avd__vlog *log, struct avd_program *told,
		       const struct avd_verifier_line *line, uint64_t cut)
{
	const int is_step = line->kind == AVD_LINE_INSN || line->kind == AVD_LINE_BRANCH;
	/* A whole log starts at the first instruction, or tells of the functions before it. */
	if (log->number == 0 && (line->kind == AVD_LINE_MESSAGE || is_step) &&
	    !(line->kind == AVD_LINE_INSN && line->insn == 0))
		told->flags |= AVD_PROGRAM_HEAD_MISSING;
	told->log_lines++;
	told->log_bytes += line->text.len + cut;
	told->log_insns += line->kind == AVD_LINE_INSN;
	told->log_branches += line->kind == AVD_LINE_BRANCH;
}

int avd__vlog_line(avd_verifier *verifier, struct avd__vlog *log, struct avd_str text, uint64_t cut)
{
	struct avd__verified scratch = {0};
	const int kept = log->program != UINT32_MAX;
	struct avd__verified *program = kept ? &verifier->programs[log->program] : &scratch;
	struct avd_verifier_line line = {
		.program = log->program, .number = log->number, .text = text, .cut = cut != 0};
	avd__line_classify(&line);
	place_line(log, &line);
	count_line(log, &program->told, &line, cut);
	take_meaning(log, program, &line);
	log->number++;
	if (!kept)
		return log->is_bare && log->has_last_line;
	if (verifier->options.on_line)
		verifier->options.on_line(verifier->options.userdata, &line);
	const int r = line.kind == AVD_LINE_REPORT ? take_report_line(log, program, &line, cut)
						   : hold(verifier, log, program, &line, cut);
	return r < 0 ? r : log->is_bare && log->has_last_line;
}

/* -- the end -- */

/* "infinite loop detected at insn 33" names it itself. */
static int64_t failing_insn(const struct avd__vlog *log)
{
	struct avd_str message = {log->message, strlen(log->message)};
	uint64_t number;
	const size_t at = avd__find(message, " at insn ");
	const size_t bare = avd__find(message, "insn ");
	if (at != SIZE_MAX)
		message = avd__skip(message, at + 9);
	else if (log->insn < 0 && bare != SIZE_MAX)
		message = avd__skip(message, bare + 5);
	else
		return log->insn;
	return avd__take_number(&message, &number) ? (int64_t)number : log->insn;
}

static int set_failure(struct avd__vlog *log, struct avd__verified *program)
{
	const char *message = *log->message ? log->message : log->report;
	program->told.verdict = AVD_PROGRAM_FAILURE;
	program->told.failing_insn = failing_insn(log);
	int r = avd__program_text(&program->message, (struct avd_str){message, strlen(message)});
	if (r == 0 && program->told.failing_insn == log->insn && log->insn >= 0)
		r = avd__program_text(&program->code,
				      (struct avd_str){log->code, strlen(log->code)});
	if (r == 0)
		r = avd__program_text(&program->source,
				      (struct avd_str){log->source, strlen(log->source)});
	return r;
}

static int finish_log(struct avd__vlog *log, struct avd__verified *program, int is_whole)
{
	/* A log whose first line does not belong to the walk may tell an error and nothing else. */
	const int failed = log->load_failed || *log->message || *log->report;
	int r = 0;
	if (failed)
		r = set_failure(log, program);
	else if (log->has_last_line)
		program->told.verdict = AVD_PROGRAM_SUCCESS;
	if (r == 0)
		r = fold_all_held(log, program, failed);
	if (!is_whole)
		program->told.flags |= AVD_PROGRAM_UNFINISHED;
	if (!log->has_last_line)
		program->told.flags |= AVD_PROGRAM_TAIL_MISSING;
	if (!log->walked && failed) /* refused before the first step */
		program->told.flags &= ~(uint32_t)AVD_PROGRAM_HEAD_MISSING;
	if (program->fold.left_out)
		program->told.flags |= AVD_PROGRAM_ELIDED;
	program->told.collapsed_lines = avd__fold_lines(&program->fold);
	avd__fold_close(&program->fold);
	return r;
}

int avd__vlog_end(avd_verifier *verifier, struct avd__vlog *log, int is_whole)
{
	int r = 0;
	if (log->program != UINT32_MAX)
		r = finish_log(log, &verifier->programs[log->program], is_whole);
	avd__vlog_free(log);
	return r;
}
