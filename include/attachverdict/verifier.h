/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What the kernel's BPF verifier said of each program: its log, read line by line, repeated
 * loop iterations shown as one, and its figures.
 *
 * Formats: kernel/bpf/log.c and kernel/bpf/verifier.c of 6.12 to 7.3, at log levels 1, 2 and 4;
 * the frame around a log that libbpf prints (bpf_object_load_prog() in tools/lib/bpf/libbpf.c)
 * and veristat's.
 *
 * Everything here comes from the guest: any byte may stand anywhere. Text handed out as
 * struct avd_str is raw unless a function says "escaped".
 */
#ifndef ATTACHVERDICT_VERIFIER_H
#define ATTACHVERDICT_VERIFIER_H

#include <attachverdict/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct avd_verifier avd_verifier;

enum avd_program_verdict {
	AVD_PROGRAM_UNKNOWN = 0, /* nothing says how the load ended */
	AVD_PROGRAM_SUCCESS = 1,
	AVD_PROGRAM_FAILURE = 2,
};

/* The figures of a program. Numbers are fixed once released. */
enum avd_figure {
	AVD_FIGURE_VERIFIED_INSNS = 0, /* as the kernel keeps it with the loaded program */
	AVD_FIGURE_PROCESSED_INSNS = 1, /* by the verifier, each path counted */
	AVD_FIGURE_TOTAL_STATES = 2,
	AVD_FIGURE_PEAK_STATES = 3,
	AVD_FIGURE_MAX_STATES_PER_INSN = 4,
	AVD_FIGURE_TIME_NS = 5, /* of the verification */
	AVD_FIGURE_STACK_DEPTH = 6, /* bytes; of all subprograms together, as veristat adds them */
	AVD_FIGURE_XLATED_BYTES = 7,
	AVD_FIGURE_JITED_BYTES = 8,
	AVD_FIGURE_MARK_READ = 9, /* longest walk; 0 since 6.18 */
};
#define AVD_FIGURE_COUNT 10u

/* Where a figure comes from. */
enum avd_figure_source {
	AVD_FIGURE_NONE = 0, /* nobody told it */
	AVD_FIGURE_FROM_LOG = 1, /* the verifier's log */
	AVD_FIGURE_FROM_PROBE = 2, /* the guest's BPF probe in the verifier */
	AVD_FIGURE_FROM_PROG_INFO = 3, /* BPF_OBJ_GET_INFO_BY_FD of the loaded program */
};

enum avd_program_flags {
	AVD_PROGRAM_HAS_LOG = 1u << 0,
	AVD_PROGRAM_HEAD_MISSING = 1u
				   << 1, /* the log starts in the middle: the kernel kept its end */
	AVD_PROGRAM_TAIL_MISSING = 1u << 2, /* the log ends without the verifier's last line */
	AVD_PROGRAM_UNFINISHED = 1u << 3, /* END PROG LOAD LOG is missing */
	AVD_PROGRAM_ELIDED = 1u << 4, /* keep_limit was reached: the collapsed log has a hole */
};

/* A program. Views live until the verifier is fed again or freed. The struct may grow. */
struct avd_program {
	struct avd_str name; /* escaped; empty: the log does not tell it */
	struct avd_str type; /* escaped, such as "struct_ops"; empty: not told */
	struct avd_str message; /* escaped: why the verifier refused; empty: not told */
	struct avd_str failing_code; /* escaped: the failing instruction; empty: not told */
	struct avd_str failing_source; /* escaped: the source line of that instruction */
	uint32_t verdict; /* enum avd_program_verdict */
	uint32_t flags; /* enum avd_program_flags */
	int32_t error; /* errno of the load as a positive number, 0: none or not told */
	uint32_t prog_id; /* of the kernel; 0: none or not told */
	uint32_t prog_type; /* the kernel's enum bpf_prog_type; 0: not told */
	uint32_t order; /* of the load, from 1; 0: only a log was seen */
	uint32_t attempts; /* loads of it, the refused ones before it included; 1 */
	uint32_t reserved;
	int64_t failing_insn; /* -1: not told */
	uint64_t figures[AVD_FIGURE_COUNT]; /* by enum avd_figure */
	uint32_t sources[AVD_FIGURE_COUNT]; /* enum avd_figure_source of each */
	/* the log */
	uint64_t log_bytes, log_lines;
	uint64_t log_insns; /* lines of instructions */
	uint64_t log_branches; /* lines "from A to B" */
	uint64_t collapsed_lines; /* lines of the collapsed log */
};

enum avd_verifier_line_kind {
	AVD_LINE_BLANK = 1,
	AVD_LINE_INSN = 2, /* "12: (07) r1 += 1  ; R1=5" */
	AVD_LINE_STATE = 3, /* "12: R1=ctx() R10=fp0", " frame1: R0=5", "cur state: ..." */
	AVD_LINE_BRANCH = 4, /* "from 12 to 20: R0=5" */
	AVD_LINE_SOURCE = 5, /* "; foo(ctx); @ file.c:12" */
	AVD_LINE_PRUNED = 6, /* "12: safe", "from 12 to 20: safe" */
	AVD_LINE_TRACE = 7, /* what else level 2 tells of the walk: mark_precise, caller, ... */
	AVD_LINE_TABLE = 8, /* tables that level 2 prints before the walk: live registers, ... */
	AVD_LINE_STATS = 9, /* "processed 12 insns ...", "verification time ..." */
	AVD_LINE_REPORT = 10, /* of 7.3's "Verification failed:" report */
	AVD_LINE_MESSAGE = 11, /* any other: the verifier's words on an error among them */
};

/* One line of a log; views live during the callback. What a kind lacks is empty or -1. */
struct avd_verifier_line {
	uint32_t kind; /* enum avd_verifier_line_kind */
	uint32_t program; /* index, as for avd_verifier_program() */
	uint64_t number; /* in the program's log, from 0 */
	int64_t insn; /* INSN, STATE, PRUNED; BRANCH: from */
	int64_t to; /* BRANCH, and PRUNED of a branch */
	struct avd_str text; /* the whole line, its end not included */
	struct avd_str code; /* INSN: "(07) r1 += 1" */
	struct avd_str state; /* registers; read it with avd_verifier_state_next() */
	struct avd_str source; /* SOURCE: the line of code */
	struct avd_str file; /* SOURCE: name without its directory */
	uint32_t source_line; /* SOURCE: from 1; 0: not told */
	uint32_t cut; /* 1: a line over the limit; its first part is here */
};

/* A register or stack slot of a state. */
struct avd_verifier_reg {
	uint32_t frame; /* 0: the program's own */
	struct avd_str name; /* "R1", "fp-8", "refs", "cb" */
	struct avd_str value; /* "scalar(id=1,umax=3)"; may be empty */
};

/* Called with each line of a log as it is complete. Must not use the verifier. */
typedef void (*avd_verifier_line_fn)(void *userdata, const struct avd_verifier_line *line);
/* Takes a piece of text. A negative return ends the printing, which returns it. */
typedef int (*avd_verifier_text_fn)(void *userdata, const char *text, size_t size);

struct avd_verifier_options {
	size_t size;
	uint32_t flags; /* 0 */
	uint32_t tail_lines; /* steps before an error that stay as they are; 0: 32 */
	uint64_t keep_limit; /* bytes of text kept for the collapsed logs; 0: 16 MiB */
	avd_verifier_line_fn on_line; /* may be NULL */
	/* May be NULL: the logs as they come, escaped, line ends kept. What it returns is
	 * returned by the feeding call. */
	avd_verifier_text_fn on_raw;
	void *userdata; /* of both */
};

/*
 * Memory stays below twice keep_limit + 96 MiB, whatever is fed: of a line 16 KiB are looked at and
 * kept, 2^18 lines of collapsed logs and 4096 programs are kept. Time is linear in what is fed:
 * for each line at most 24 places are looked at where a repetition may have started, and what a
 * comparison costs is paid for by the lines that it folds.
 */
/* -EINVAL: bad options; -E2BIG: options from the future; -ENOMEM. `options` may be NULL. The
 * caller owns *ret_verifier and ends it with avd_verifier_free(). Since 0.1. */
AVD_API int avd_verifier_new(const struct avd_verifier_options *options,
			     avd_verifier **ret_verifier);
AVD_API void avd_verifier_free(avd_verifier *verifier); /* NULL is ignored */

/* Takes all `size` bytes of a text that holds logs: what libbpf prints, or a log alone. What is
 * between logs is skipped. Slices make no difference. Bad content is no error. -EINVAL: after
 * avd_verifier_finish(); -ENOMEM: the rest is lost, every later call fails the same way; what
 * on_raw returned. Since 0.1. */
AVD_API int avd_verifier_feed(avd_verifier *verifier, const void *bytes, size_t size);
/* Takes a message of a recording: the scheduler's output and the figures of its programs are
 * read, other kinds are skipped. As avd_verifier_feed(). Since 0.1. */
AVD_API int avd_verifier_feed_message(avd_verifier *verifier, const struct avd_message *message);
/* The text has ended. Logs go to the programs that frames tell of, so that indices change.
 * Idempotent. -ENOMEM; what on_raw returned. Since 0.1. */
AVD_API int avd_verifier_finish(avd_verifier *verifier);

/* Programs known so far, in the order of their loads. Since 0.1. */
AVD_API uint32_t avd_verifier_program_count(const avd_verifier *verifier);
/* -ENOENT: no such program. Writes at most `size` bytes, as the caller's struct may be older.
 * Since 0.1. */
AVD_API int avd_verifier_program(const avd_verifier *verifier, uint32_t index, size_t size,
				 struct avd_program *ret_program);
/* Programs over the limit of 4096, which are counted and not kept. Since 0.1. */
AVD_API uint64_t avd_verifier_programs_lost(const avd_verifier *verifier);

/*
 * The log of a program with repeated iterations shown as one, escaped, in whole lines.
 *
 *     / 98 times, 12 lines each:
 *     | 6: (61) r1 = *(u32 *)(r10 -4)  ; R1=0
 *     | ...
 *     \ 98 times, 1176 lines
 *     * 59 times, 59 lines: mark_precise: ...
 *
 * Two iterations are the same if their instructions, branches and source lines are, and their
 * registers have the same types; values may differ: the first iteration's are shown. Marks
 * (mark_precise) all count as the same line, and so do rows of tables. If the program was refused,
 * the last steps before the error (tail_lines; marks aside) and its words are as they came; a
 * report on it (7.3) is as long as the path, and folds too.
 * Fed to a verifier again, the text comes out as it is. -ENOENT: no such program; what `fn`
 * returned. After avd_verifier_finish(). Since 0.1.
 */
AVD_API int avd_verifier_collapsed(const avd_verifier *verifier, uint32_t index,
				   avd_verifier_text_fn fn, void *userdata);

/* Takes the next register off *state: 1 and *ret_reg, or 0 at the end. `reg` keeps the frame
 * from call to call: zero it before the first. Thread-safe on distinct views. Since 0.1. */
AVD_API int avd_verifier_state_next(struct avd_str *state, struct avd_verifier_reg *reg);

/* The scheduler's program without its folder, from a recording's cell frame; "log" if there was
 * none. Escaped; owned by the verifier. Since 0.1. */
AVD_API const char *avd_verifier_origin(const avd_verifier *verifier);

/* Reads the recording or the text at `path` ("-": standard input) into a new verifier, which is
 * finished. A file that starts like a frame is a recording. On failure writes one line to `error`.
 * -ENOENT, -EISDIR, ...: as open(2) and read(2); -EFBIG: more than 1 GiB; -ENOMEM; what on_raw
 * returned. Since 0.1. */
AVD_API int avd_verifier_read(const char *path, const struct avd_verifier_options *options,
			      avd_verifier **ret_verifier, char *error, size_t error_size);

enum avd_verifier_format {
	AVD_VERIFIER_TEXT = 0,
	AVD_VERIFIER_JSON = 1, /* one object; names in it are stable */
	AVD_VERIFIER_CSV = 2, /* veristat's columns; 0 for a figure that is not known */
};

/* A row for each program that has a name. *ret_text ends with NUL: free it with avd_free().
 * -EINVAL; -ENOMEM. After avd_verifier_finish(). Since 0.1. */
AVD_API int avd_verifier_report(const avd_verifier *verifier, uint32_t format, char **ret_text,
				size_t *ret_size);

/* No threshold: a figure may grow as it likes. */
#define AVD_THRESHOLD_NONE INT64_MAX

struct avd_verifier_diff_options {
	size_t size;
	uint32_t format; /* enum avd_verifier_format */
	uint32_t reserved;
	/* By enum avd_figure: growth of B over A that is too much, in hundredths of a percent.
	 * Also how all programs together may differ in their verdict: with a threshold on any
	 * figure, a program that B refuses and A does not is too much, and so is each program of A
	 * where B has none at all. */
	int64_t thresholds[AVD_FIGURE_COUNT];
};

/* What changed from `a` to `b`: programs of one only, other verdicts, other figures. The same
 * program is the one of the same name; the n-th of a name is held against the n-th. *ret_exceeded:
 * changes over a threshold. `options` may be NULL: text, no threshold. As avd_verifier_report().
 * Since 0.1. */
AVD_API int avd_verifier_diff(const avd_verifier *a, const avd_verifier *b,
			      const struct avd_verifier_diff_options *options, char **ret_text,
			      size_t *ret_size, uint64_t *ret_exceeded);

/* "processed-insns", "unknown"; "log", "probe", "prog-info", "none"; "success", "failure",
 * "unknown". Static storage. Since 0.1. */
AVD_API const char *avd_figure_name(uint32_t figure);
AVD_API const char *avd_figure_source_name(uint32_t source);
AVD_API const char *avd_program_verdict_name(uint32_t verdict);
/* The kernel's enum bpf_prog_type in words ("struct_ops"); "" for a number that is not known
 * here. Static storage. Since 0.1. */
AVD_API const char *avd_program_type_name(uint32_t type);

#ifdef __cplusplus
}
#endif

#endif
