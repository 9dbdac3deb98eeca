/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What the commands share. The CLI stands on the public headers alone. */
#ifndef ATTACHVERDICT_TOOLS_CLI_H
#define ATTACHVERDICT_TOOLS_CLI_H

#include <attachverdict/attachverdict.h>
#include <stdio.h>

#define CLI_NAME "attachverdict"
#define CLI_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Documented in attachverdict(1); nothing else is ever returned. */
enum cli_exit {
	CLI_PASSED = 0,
	CLI_FAILED = 1, /* a verdict, and it did not pass */
	CLI_USAGE = 2,
	CLI_NOT_TRIED = 3, /* no kernel, no machine, no recording, or the report was not written */
};

/* An option: the table makes --help, and getopt_long() reads by it, so the two can't differ. */
struct cli_option {
	int id; /* letter of the short form, or above 255 without one */
	const char *name;
	const char *arg; /* NULL: takes no value */
	const char *help; /* NULL: named in the command's `more` text */
};
#define CLI_OPTION_HELP                             \
	{                                           \
		'h', "help", NULL, "show this help" \
	}

struct cli_command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *summary; /* for the list of commands */
	const char *about; /* first lines of the command's own help */
	const struct cli_option *options;
	size_t option_count;
	const char *more; /* last lines of its help, or NULL */
	int keeps_rest; /* what stands behind "--" is the command's own business */
	int (*run)(const struct cli_command *command, int argc, char **argv);
};

extern const struct cli_command cli_run, cli_sweep, cli_show, cli_merge, cli_mark, cli_compare,
	cli_replay, cli_verifier, cli_doctor, cli_kernel, cli_explain, cli_version;

/* options.c */
void cli_print_help(const struct cli_command *command);
/* The next option's id with its value, CLI_OPTION_* below, or -1 after the last one. Options and
 * arguments may stand in any order up to "--"; after the last one, getopt's optind is at the first
 * argument behind that. Wrong options have been reported, and help printed, when it says stop. */
#define CLI_OPTION_ARGUMENT 1 /* an argument that is no option; *ret_value */
#define CLI_OPTION_STOP 0 /* end with *ret_exit */
int cli_next_option(const struct cli_command *command, int argc, char **argv,
		    const char **ret_value, int *ret_exit);
/* One line on stderr with a pointer to the help. Returns CLI_USAGE. `command` may be NULL. */
int cli_usage(const struct cli_command *command, const char *fmt, ...) AVD_PRINTF(2, 3);
/* One line on stderr. Returns CLI_NOT_TRIED. */
int cli_error(const char *fmt, ...) AVD_PRINTF(1, 2);

/* Strict values: 0, or CLI_USAGE after a line that names the option and the accepted form. */
int cli_parse_size(const struct cli_command *command, const char *option, const char *text,
		   uint64_t *ret_bytes);
/* A whole number from 1 to `most`. */
int cli_parse_count(const struct cli_command *command, const char *option, const char *text,
		    uint32_t most, uint32_t *ret_count);
/* "M/N" and "A-B", of --shard and --cells. */
int cli_parse_shard(const struct cli_command *command, const char *text, uint32_t *ret_shard,
		    uint32_t *ret_shards);
int cli_parse_cells(const struct cli_command *command, const char *text, size_t *ret_first,
		    size_t *ret_count);
/* Index into the list of words. */
int cli_parse_word(const struct cli_command *command, const char *option, const char *text,
		   const char *const *words, size_t count, uint32_t *ret_index);

/* words.c: splits like a shell does without any expansion: blanks separate, '...' and "..." and
 * backslash keep. *ret_words: one block, free() it. -EINVAL: open quote; -ENOMEM. */
int cli_split_words(const char *text, char ***ret_words, size_t *ret_count);

/* find.c: a name without a slash that is no file here is looked for in $PATH. NULL: take it as it
 * is; else free() it. */
char *cli_find_program(const char *name);

/* output.c */
enum cli_format { CLI_TEXT = 0, CLI_JSON = 1 };
int cli_parse_format(const struct cli_command *command, const char *text, uint32_t *ret_format);
/* Prints the report of `stream` on stdout and returns the exit code that its verdict has. */
int cli_print_report(const avd_stream *stream, uint32_t format, int verbose);
/* Whether this stream may be coloured: a terminal, TERM not dumb, NO_COLOR not set. */
int cli_may_color(FILE *file);
/* Whether a line may be drawn again there: a terminal, TERM not dumb. */
int cli_may_redraw(FILE *file);
/* The terminal's width. A line that wraps can't be cleared again, so it must be shorter. */
int cli_columns(FILE *file);
/* A JSON string in quotes; bytes that are no printable ASCII as in the reports. */
void cli_print_json_string(const char *text);
/* Text for a terminal: control characters and bytes beyond ASCII as \xNN. */
void cli_print_clean(FILE *file, const char *text, size_t len);
/* What a cell came to: "ATTACHED", "DIED (exited)". */
void cli_print_outcome(const struct avd_cell_result *cell);
/* Flushes stdout. `code`, or CLI_NOT_TRIED after a line when something was not written, the first
 * time. */
int cli_finish(int code);

/* Prints what --topology takes, the presets too. The exit code. */
int cli_list_topologies(void);

#endif
