// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { OPT_RAW = 256, OPT_LOG, OPT_THRESHOLD };

struct request {
	uint32_t format; /* enum avd_verifier_format */
	int raw, log, has_format, has_threshold;
	struct avd_verifier_diff_options diff;
};

static int put(void *userdata, const char *text, size_t size)
{
	(void)userdata;
	return fwrite(text, 1, size, stdout) == size ? 0 : -EIO;
}

static avd_verifier *read_file(const char *path, const struct avd_verifier_options *options)
{
	avd_verifier *verifier = NULL;
	char error[1024];
	if (avd_verifier_read(path, options, &verifier, error, sizeof(error)) < 0) {
		cli_error("%s", error);
		return NULL;
	}
	return verifier;
}

static int show_raw(const char *path)
{
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	options.on_raw = put;
	avd_verifier *verifier = read_file(path, &options);
	if (!verifier)
		return CLI_NOT_TRIED;
	avd_verifier_free(verifier);
	return CLI_PASSED;
}

static int show_logs(const avd_verifier *verifier)
{
	struct avd_program program;
	uint32_t shown = 0;
	for (uint32_t i = 0; avd_verifier_program(verifier, i, sizeof(program), &program) == 0;
	     i++) {
		if (!(program.flags & AVD_PROGRAM_HAS_LOG))
			continue;
		printf("%sprogram %s: %s, %" PRIu64 " lines, shown as %" PRIu64 "\n",
		       shown++ ? "\n" : "", program.name.len ? program.name.data : "(no name)",
		       avd_program_verdict_name(program.verdict), program.log_lines,
		       program.collapsed_lines);
		const int r = avd_verifier_collapsed(verifier, i, put, NULL);
		if (r < 0)
			return cli_error("cannot show the log: %s", strerror(-r));
	}
	if (!shown)
		return cli_error("no verifier's log is in it; have the loader print one (libbpf: "
				 "kernel_log_level = 1)");
	return CLI_PASSED;
}

static int show(const char *path, const struct request *request)
{
	char *text = NULL;
	size_t size = 0;
	if (request->raw)
		return show_raw(path);
	avd_verifier *verifier = read_file(path, NULL);
	if (!verifier)
		return CLI_NOT_TRIED;
	int code = CLI_PASSED;
	if (request->log) {
		code = show_logs(verifier);
	} else {
		const int r = avd_verifier_report(verifier, request->format, &text, &size);
		if (r < 0)
			code = cli_error("cannot write the table: %s", strerror(-r));
		else
			fwrite(text, 1, size, stdout);
	}
	avd_free(text);
	avd_verifier_free(verifier);
	return code;
}

static int diff(const char *path_a, const char *path_b, struct request *request)
{
	char *text = NULL;
	size_t size = 0;
	uint64_t exceeded = 0;
	int code = CLI_NOT_TRIED;
	avd_verifier *a = read_file(path_a, NULL);
	avd_verifier *b = a ? read_file(path_b, NULL) : NULL;
	if (b) {
		request->diff.format = request->format;
		const int r = avd_verifier_diff(a, b, &request->diff, &text, &size, &exceeded);
		if (r < 0) {
			cli_error("cannot compare: %s", strerror(-r));
		} else {
			fwrite(text, 1, size, stdout);
			code = exceeded ? CLI_FAILED : CLI_PASSED;
		}
	}
	avd_free(text);
	avd_verifier_free(a);
	avd_verifier_free(b);
	return code;
}

/* "5%", "0.25%": hundredths of a percent. */
static int parse_percent(const char *text, int64_t *ret)
{
	char *end;
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || value > 1000000)
		return -1;
	value *= 100;
	if (*end == '.') {
		unsigned int unit = 10;
		for (end++; *end >= '0' && *end <= '9' && unit; end++, unit /= 10)
			value += unit * (unsigned int)(*end - '0');
		if (unit == 10)
			return -1;
	}
	if (strcmp(end, "%") != 0)
		return -1;
	*ret = (int64_t)value;
	return 0;
}

/* "5%" for all figures but the time, which no two runs share; "time=50%" for one. */
static int parse_threshold(const struct cli_command *command, const char *text,
			   struct avd_verifier_diff_options *options)
{
	const char *sign = strchr(text, '=');
	const size_t len = sign ? (size_t)(sign - text) : 0;
	int64_t value;
	int found = 0;
	if (parse_percent(sign ? sign + 1 : text, &value) < 0)
		return cli_usage(command,
				 "verifier: --threshold '%s' is no threshold: a percentage such "
				 "as 5%% or 0.5%%, or FIGURE=5%%",
				 text);
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++) {
		const char *name = avd_figure_name(i);
		if (sign ? strlen(name) == len && strncmp(name, text, len) == 0
			 : i != AVD_FIGURE_TIME_NS) {
			options->thresholds[i] = value;
			found = 1;
		}
	}
	if (!found)
		return cli_usage(command,
				 "verifier: --threshold '%s': no such figure; they are "
				 "processed-insns, total-states, time and so on, see the manual",
				 text);
	return 0;
}

static int parse_option(const struct cli_command *command, int id, const char *value,
			struct request *request)
{
	static const char *const formats[] = {[AVD_VERIFIER_TEXT] = "text",
					      [AVD_VERIFIER_JSON] = "json",
					      [AVD_VERIFIER_CSV] = "csv"};
	switch (id) {
	case 'f':
		request->has_format = 1;
		return cli_parse_word(command, "format", value, formats, CLI_COUNT(formats),
				      &request->format);
	case OPT_RAW:
		request->raw = 1;
		return 0;
	case OPT_LOG:
		request->log = 1;
		return 0;
	default:
		request->has_threshold = 1;
		return parse_threshold(command, value, &request->diff);
	}
}

static int dispatch(const struct cli_command *command, const char *const *words, size_t count,
		    struct request *request)
{
	const int is_diff = count && strcmp(words[0], "diff") == 0;
	if (request->raw + request->log + request->has_format > 1)
		return cli_usage(command, "verifier: --raw, --log and --format exclude each other");
	if (is_diff && (request->raw || request->log))
		return cli_usage(command, "verifier diff: --raw and --log are for one file");
	if (is_diff && count != 3)
		return cli_usage(command, "verifier diff: name two files, A and B");
	if (is_diff && strcmp(words[1], "-") == 0 && strcmp(words[2], "-") == 0)
		return cli_usage(command, "verifier diff: standard input ('-') can be one of the "
					  "two files only");
	if (is_diff)
		return diff(words[1], words[2], request);
	if (request->has_threshold)
		return cli_usage(command, "verifier: --threshold is for 'verifier diff A B'");
	if (count == 0)
		return cli_usage(command, "verifier: no recording and no log was named");
	if (count > 1)
		return cli_usage(command, "verifier: unexpected argument '%s'", words[1]);
	return show(words[0], request);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *words[3] = {NULL, NULL, NULL};
	struct request request = {.diff = {.size = sizeof(request.diff)}};
	size_t count = 0;
	int code, id;
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++)
		request.diff.thresholds[i] = AVD_THRESHOLD_NONE;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		if (id != CLI_OPTION_ARGUMENT) {
			if (parse_option(command, id, value, &request))
				return CLI_USAGE;
			continue;
		}
		if (count == CLI_COUNT(words))
			return cli_usage(command, "verifier: unexpected argument '%s'", value);
		words[count++] = value;
	}
	return dispatch(command, words, count, &request);
}

static const struct cli_option options[] = {
	{'f', "format", "text|json|csv", "form of the table; csv as veristat's [text]"},
	{OPT_LOG, "log", NULL, "show the logs, repeated iterations as one"},
	{OPT_RAW, "raw", NULL, "show the logs as they came, escaped for terminals"},
	{OPT_THRESHOLD, "threshold", "[FIGURE=]N%", "growth that makes diff exit 1"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_verifier = {
	.name = "verifier",
	.usage = "[OPTION]... FILE | diff A B",
	.summary = "what the verifier said of each program, and what changed",
	.about = "Shows each BPF program's figures from the kernel's verifier, or its log.\n"
		 "FILE is a recording, or a text with verifier logs; '-' is standard input.\n"
		 "diff: what changed from file A to file B.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.more = "\nExit status: 0 shown; 1 diff: over a threshold; 2 wrong usage; 3 no such file",
	.run = run,
};
