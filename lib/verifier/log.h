/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The text around logs, and one log after the other in it. */
#ifndef AVD_LIB_VERIFIER_LOG_H
#define AVD_LIB_VERIFIER_LOG_H

#include "verifier/fold.h"
#include "verifier/line.h"

/* Names and messages are cut to this; the kernel's names have 15 bytes, ELF symbols a few dozen,
 * the verifier's messages rarely more than a line. */
#define AVD__TEXT_MAX 512u
/* Programs that are kept; the field's largest schedulers load some 60. */
#define AVD__PROGRAMS_MAX 4096u
/* Steps of the walk that stay as they are before an error, and lines held back in all. */
#define AVD__TAIL_LINES 32u
#define AVD__TAIL_LINES_MAX 512u

/* One program as the logs or the frames tell of it. */
struct avd__verified {
	struct avd_program told; /* but its views, which are made from the text below */
	char *name, *message, *code, *source; /* escaped; owned; NULL: not told */
	char raw_name[AVD__TEXT_MAX]; /* the first bytes, to compare with the kernel's 15 */
	size_t raw_name_len;
	struct avd__fold fold;
	uint32_t from_frame, joined;
};

struct avd__held_line {
	char *text;
	size_t len, cap;
	uint64_t symbol, cut;
	uint64_t repeats; /* lines after it that are marks too, see hold() */
	int is_step, is_mark;
};

/* The log that is being read. */
struct avd__vlog {
	uint32_t program; /* index; UINT32_MAX: over the limit, not kept */
	int is_bare; /* without libbpf's frame: the verifier's last line ends it */
	int in_table, in_report, walked, has_last_line, load_failed;
	uint64_t number;
	int64_t insn; /* of the last instruction */
	char code[AVD__TEXT_MAX], source[AVD__TEXT_MAX], message[AVD__TEXT_MAX],
		report[AVD__TEXT_MAX];
	uint64_t stack_sum; /* 7.3: of the subprograms */
	struct avd__held_line held[AVD__TAIL_LINES_MAX];
	size_t held_first, held_count, held_steps;
};

/* A text: what is fed, the scheduler's stdout or its stderr. */
struct avd__text_in {
	char *line, *more; /* AVD__LINE_MAX bytes each: the line's first part, its next piece */
	size_t len, more_len;
	uint64_t cut; /* bytes of the line that are not in `line` */
	struct avd__vlog *log; /* NULL: between logs */
	char failed[AVD__TEXT_MAX]; /* program whose load libbpf just told to have failed */
};

struct avd_verifier {
	struct avd_verifier_options options;
	struct avd__fold_budget budget;
	struct avd__verified *programs;
	uint32_t count, cap;
	uint64_t lost;
	struct avd__text_in texts[3]; /* fed, stdout, stderr */
	int finished, error;
	char origin[AVD__TEXT_MAX];
};

/* text.c */
int avd__text_feed(avd_verifier *verifier, struct avd__text_in *text, const void *bytes,
		   size_t size);
int avd__text_finish(avd_verifier *verifier, struct avd__text_in *text);
void avd__text_free(avd_verifier *verifier, struct avd__text_in *text);

/* log.c */
int avd__vlog_begin(avd_verifier *verifier, struct avd_str name, int is_bare,
		    struct avd__vlog **ret_log);
int avd__vlog_line(avd_verifier *verifier, struct avd__vlog *log, struct avd_str text,
		   uint64_t cut);
/* Frees `log`. is_whole: its end was seen. */
int avd__vlog_end(avd_verifier *verifier, struct avd__vlog *log, int is_whole);
void avd__vlog_free(struct avd__vlog *log);

/* stats.c: takes the figures of a line of kind STATS. 1: it is the verifier's last line. */
int avd__stats_line(struct avd_str text, struct avd__vlog *log, struct avd__verified *program);

/* programs.c */
/* A new program, zeroed but for its fold's budget. NULL in *ret: over the limit. -ENOMEM */
int avd__program_add(avd_verifier *verifier, struct avd_str name, uint32_t *ret_index);
void avd__program_figure(struct avd__verified *program, uint32_t figure, uint64_t value,
			 uint32_t source);
void avd__program_free(struct avd__verified *program);
/* Escaped and cut copy; replaces what is in *slot. -ENOMEM */
int avd__program_text(char **slot, struct avd_str text);
int avd__program_message(avd_verifier *verifier, const struct avd_msg_program *message);
/* Logs go to the programs of frames that they belong to. */
void avd__programs_join(avd_verifier *verifier);

#endif
