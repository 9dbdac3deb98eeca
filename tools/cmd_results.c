// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* `show`, `merge` and `compare`: what sweeps left. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "exit_style.h"

enum { OPT_WORST = 256, OPT_DETAILS_LIMIT, OPT_VERIFY, OPT_EXIT_STYLE };

static int open_results(const char *dir, avd_results **ret_results)
{
	char error[1024];
	return avd_results_open(dir, ret_results, error, sizeof(error)) < 0 ? cli_error("%s", error)
									    : 0;
}

/* Of the whole: a result that is not as expected weighs more than one that is missing. */
static int exit_of(const avd_results *results)
{
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	avd_results_count(results, &counts);
	if (counts.unmet)
		return CLI_FAILED;
	return counts.ran < counts.cells ? CLI_NOT_TRIED : CLI_PASSED;
}

/* What a format has no words for. */
static void note(void *userdata, enum avd_log_level level, const char *text)
{
	(void)userdata;
	(void)level;
	cli_error("%s", text);
}

static int print_results(const avd_results *results, uint32_t format,
			 const struct avd_print_options *options)
{
	char *text;
	size_t size;
	const int r = avd_results_print(results, format, options, &text, &size);
	if (r < 0)
		return cli_error("cannot write the results: %s", strerror(-r));
	fwrite(text, 1, size, stdout);
	avd_free(text);
	return exit_of(results);
}

static int write_results(const avd_results *results, uint32_t format,
			 const struct avd_print_options *options, const char *path)
{
	char error[1024];
	return avd_results_write(results, format, options, path, error, sizeof(error)) < 0
		       ? cli_error("%s", error)
		       : exit_of(results);
}

static int parse_limit(const struct cli_command *command, const char *value,
		       struct avd_print_options *options)
{
	if (strcmp(value, "0") != 0)
		return cli_parse_size(command, "details-limit", value, &options->details_limit);
	options->flags |= AVD_PRINT_NO_DETAILS;
	return 0;
}

struct show_request {
	const char *dir, *output;
	uint32_t format; /* enum avd_results_format */
	int verify;
	uint32_t exit_style;
	struct avd_print_options options;
};

static void print_contradiction(void *userdata, size_t index, const char *what)
{
	struct avd_cell_result cell;
	if (avd_results_get(userdata, index, &cell) == 0)
		cli_error("%s: not proved: %s", cell.id, what);
}

/* On the other stream than the results, which may be a document. */
static int verify(avd_results *results)
{
	size_t verified = 0, contradictions = 0;
	const int r = avd_results_verify(results, print_contradiction, results, &verified,
					 &contradictions);
	if (r < 0)
		return cli_error("cannot verify the results: %s", strerror(-r));
	fprintf(stderr, "%zu result%s proved by %s, %zu not\n", verified, verified == 1 ? "" : "s",
		verified == 1 ? "its recording" : "their recordings", contradictions);
	return contradictions ? CLI_FAILED : CLI_PASSED;
}

static int show_results(const struct show_request *request)
{
	avd_results *results;
	int code = open_results(request->dir, &results);
	if (code)
		return exit_style_status(request->exit_style, code);
	code = request->output
		       ? write_results(results, request->format, &request->options, request->output)
		       : print_results(results, request->format, &request->options);
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	avd_results_count(results, &counts);
	if (request->verify) {
		const int proved = verify(results);
		code = proved == CLI_PASSED ? code : proved;
		counts.unmet += proved == CLI_FAILED; /* a contradiction is bad, not unknown */
	}
	avd_results_free(results);
	return exit_style_of_cells(request->exit_style, code, counts.ran, counts.unmet,
				   counts.unconfirmed);
}

static int parse_show(const struct cli_command *command, int id, const char *value,
		      struct show_request *request)
{
	static const char *const formats[] = {
		[AVD_FORMAT_TEXT] = "text",   [AVD_FORMAT_JSON] = "json",
		[AVD_FORMAT_TAP] = "tap",     [AVD_FORMAT_KTAP] = "ktap",
		[AVD_FORMAT_JUNIT] = "junit", [AVD_FORMAT_MARKDOWN] = "markdown",
		[AVD_FORMAT_HTML] = "html",   [AVD_FORMAT_VERISTAT] = "veristat"};
	switch (id) {
	case 'f':
		return cli_parse_word(command, "format", value, formats, CLI_COUNT(formats),
				      &request->format);
	case 'o':
		request->output = value;
		return 0;
	case OPT_DETAILS_LIMIT:
		return parse_limit(command, value, &request->options);
	case OPT_VERIFY:
		request->verify = 1;
		return 0;
	case OPT_EXIT_STYLE:
		return exit_style_parse(command, value, &request->exit_style);
	default:
		if (request->dir)
			return cli_usage(command, "show: '%s': one directory at a time", value);
		request->dir = value;
		return 0;
	}
}

static int parse_shows(const struct cli_command *command, int argc, char **argv,
		       struct show_request *request)
{
	const char *value;
	int id, code;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id != CLI_OPTION_STOP)
			code = parse_show(command, id, value, request);
		if (id == CLI_OPTION_STOP || code)
			return code;
	}
	if (request->dir && !*request->dir)
		return cli_usage(command, "show: the directory's name is empty");
	return request->dir ? -1 : cli_usage(command, "show: no directory of results was named");
}

static int show(const struct cli_command *command, int argc, char **argv)
{
	struct show_request request = {.options = AVD_OPTIONS_INIT(struct avd_print_options)};
	const uint32_t style = exit_style_of(argc, argv);
	request.options.log = note;
	const int code = parse_shows(command, argc, argv, &request);
	return code < 0 ? show_results(&request) : exit_style_status(style, code);
}

static const struct cli_option show_options[] = {
	{'f', "format", "FORMAT", "[text] json tap ktap junit markdown html veristat"},
	{'o', "output", "FILE", "write it there, whole or not at all [stdout]"},
	{OPT_DETAILS_LIMIT, "details-limit", "SIZE", "html: for details of cells; 0: none [48M]"},
	{OPT_VERIFY, "verify", NULL, "judge each recording again"},
	{OPT_EXIT_STYLE, "exit-style", "STYLE", "default, tap, bisect or kselftest"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_show = {
	.name = "show",
	.usage = "[OPTION]... DIR",
	.summary = "show the results of a sweep",
	.about = "Shows the results that attachverdict sweep left in DIR.",
	.options = show_options,
	.option_count = CLI_COUNT(show_options),
	.more = "Exit status: 0 all as expected; 1 not, or not proved; 2 wrong usage;\n"
		"3 some without a result",
	.run = show,
};

static int merge_dirs(const char *const *dirs, size_t count, const char *out, uint32_t flags)
{
	char error[1024];
	avd_results *results;
	if (avd_results_merge(dirs, count, out, flags, error, sizeof(error)) < 0)
		return cli_error("%s", error);
	int code = open_results(out, &results);
	if (code)
		return code;
	code = print_results(results, AVD_FORMAT_TEXT, NULL);
	avd_results_free(results);
	return code;
}

static int merge(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *out = NULL;
	uint32_t flags = 0;
	size_t count = 0;
	int id, code = 0;
	const char **dirs = calloc((size_t)argc + 1, sizeof(*dirs));
	if (!dirs)
		return cli_error("out of memory");
	while ((id = cli_next_option(command, argc, argv, &value, &code)) > CLI_OPTION_STOP) {
		if (id == 'o')
			out = value;
		else if (id == OPT_WORST)
			flags |= AVD_MERGE_WORST;
		else
			dirs[count++] = value;
	}
	if (id == -1 && (!out || !*out))
		code = cli_usage(command, "merge: no directory to merge into: --out DIR");
	else if (id == -1 && !count)
		code = cli_usage(command, "merge: no directories of results were named");
	else if (id == -1)
		code = merge_dirs(dirs, count, out, flags);
	free(dirs);
	return code;
}

static const struct cli_option merge_options[] = {
	{'o', "out", "DIR", "a new directory, for all of them"},
	{OPT_WORST, "worst", NULL, "of two different results of a cell take the worse"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_merge = {
	.name = "merge",
	.usage = "--out DIR [OPTION]... DIR...",
	.summary = "merge the results of one plan from many machines",
	.about = "Merges directories of results of the same plan; shows the whole.",
	.options = merge_options,
	.option_count = CLI_COUNT(merge_options),
	.more = "Exit status: 0 all as expected; 1 not; 2 wrong usage; 3 some without a result,\n"
		"or nothing was merged",
	.run = merge,
};

struct comparison {
	const avd_results *before, *after;
	size_t worse, better, other, added, gone, common;
};

static void print_side(const struct avd_cell_result *cell)
{
	if (!cell->ran)
		fputs(cell->result_code == AVD_REASON_LOST ? "lost" : "not run", stdout);
	else if (cell->result == AVD_RESULT_PASSED)
		fputs("passed", stdout);
	else
		cli_print_outcome(cell);
}

static void print_change(const char *word, const struct avd_cell_result *before,
			 const struct avd_cell_result *after)
{
	printf("%s %s: ", word, after ? after->id : before->id);
	if (before)
		print_side(before);
	fputs(before && after ? " -> " : "", stdout);
	if (after)
		print_side(after);
	putchar('\n');
	if (after && !after->met) {
		fputs("    ", stdout);
		const char *words = avd_reason_words(after->result_reason);
		cli_print_clean(stdout, words, strlen(words));
		putchar('\n');
	}
}

static void compare_cell(struct comparison *all, const struct avd_cell_result *after)
{
	struct avd_cell_result before;
	size_t at;
	if (avd_results_find(all->before, after->id, &at) < 0) {
		all->added++;
		print_change("new   ", NULL, after);
		return;
	}
	all->common++;
	avd_results_get(all->before, at, &before);
	if (before.met && !after->met) {
		all->worse++;
		print_change("worse ", &before, after);
	} else if (!before.met && after->met) {
		all->better++;
		print_change("better", &before, after);
	} else if (before.ran != after->ran || before.outcome != after->outcome ||
		   before.result_code != after->result_code) {
		all->other++;
		print_change("other ", &before, after);
	}
}

static int compare_all(struct comparison *all)
{
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	struct avd_cell_result cell;
	size_t at;
	avd_results_count(all->after, &counts);
	for (size_t i = 0; i < counts.cells; i++) {
		avd_results_get(all->after, i, &cell);
		compare_cell(all, &cell);
	}
	avd_results_count(all->before, &counts);
	for (size_t i = 0; i < counts.cells; i++) {
		avd_results_get(all->before, i, &cell);
		if (avd_results_find(all->after, cell.id, &at) < 0) {
			all->gone++;
			print_change("gone  ", &cell, NULL);
		}
	}
	printf("%zu worse, %zu better, %zu otherwise different, %zu new, %zu gone\n", all->worse,
	       all->better, all->other, all->added, all->gone);
	if (!all->common)
		return cli_error("compare: nothing was compared: no cell of one has its id in the "
				 "other; sweeps of the same plan have the same ids");
	return all->worse ? CLI_FAILED : CLI_PASSED;
}

static int compare(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *dirs[2] = {NULL, NULL};
	avd_results *before, *after;
	size_t count = 0;
	int id, code;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		if (count == 2)
			return cli_usage(command, "compare: '%s': two directories, no more", value);
		if (!*value)
			return cli_usage(command, "compare: a directory's name is empty");
		dirs[count++] = value;
	}
	if (count != 2)
		return cli_usage(command, "compare: two directories of results are needed");
	code = open_results(dirs[0], &before);
	if (code)
		return code;
	code = open_results(dirs[1], &after);
	if (!code) {
		struct comparison all = {.before = before, .after = after};
		code = compare_all(&all);
		avd_results_free(after);
	}
	avd_results_free(before);
	return code;
}

static const struct cli_option compare_options[] = {CLI_OPTION_HELP};

const struct cli_command cli_compare = {
	.name = "compare",
	.usage = "BEFORE AFTER",
	.summary = "what got worse between two sweeps, and what better",
	.about = "Compares two directories of results, cell by cell.",
	.options = compare_options,
	.option_count = CLI_COUNT(compare_options),
	.more = "Exit status: 0 nothing got worse; 1 something did; 2 wrong usage;\n"
		"3 no results, or no cell in common",
	.run = compare,
};
