// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The JSON's schema is series.schema.json beside the one of the report. */
#include "series.h"

#include <inttypes.h>
#include <string.h>

/* Raised when a name goes away or changes its meaning. */
#define SCHEMA_VERSION 1

static uint32_t bounded(uint32_t value, uint32_t count)
{
	return value < count ? value : count - 1;
}

void series_begin(struct series *series, uint32_t asked, uint32_t format, int verbose)
{
	*series = (struct series){
		.asked = asked, .format = format, .verbose = verbose, .shortest_ns = UINT64_MAX};
	if (format == CLI_JSON)
		printf("{\n\"schema_version\": %d,\n\"runs\": [", SCHEMA_VERSION);
}

/* Returns whether it is the first of its kind. */
static int count(struct series *series, const struct avd_verdict *verdict, uint64_t wall_ns)
{
	uint32_t *outcome = &series->outcomes[bounded(verdict->outcome, SERIES_OUTCOMES)];
	uint32_t *result = &series->result_codes[bounded(verdict->result_code, SERIES_CODES)];
	const int first = *outcome == 0 || *result == 0;

	series->done++;
	++*outcome;
	++*result;
	series->reason_codes[bounded(verdict->reason_code, SERIES_CODES)]++;
	if (verdict->result == AVD_RESULT_PASSED)
		series->passed++;
	else if (!series->first_failed)
		series->first_failed = series->done;
	series->total_ns += wall_ns;
	if (wall_ns < series->shortest_ns)
		series->shortest_ns = wall_ns;
	if (wall_ns > series->longest_ns)
		series->longest_ns = wall_ns;
	return first;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void add_json(const struct series *series, const char *report, size_t size, uint64_t wall_ns,
		     const char *recording)
{
	while (size && report[size - 1] == '\n')
		size--;
	printf("%s\n{\"run\": %" PRIu32 ", \"wall_ns\": %" PRIu64 ", \"recording\": ",
	       series->done > 1 ? "," : "", series->done, wall_ns);
	if (recording)
		cli_print_json_string(recording);
	else
		fputs("null", stdout);
	fputs(", \"report\":\n", stdout);
	fwrite(report, 1, size, stdout);
	fputs("}", stdout);
}

static void add_text(const struct series *series, const struct avd_verdict *verdict, int first,
		     const char *report, size_t size, uint64_t wall_ns)
{
	char line[2 * AVD_VERDICT_REASON_MAX];
	avd_verdict_print(verdict, line, sizeof(line));
	printf("run %" PRIu32 " of %" PRIu32 ", %.1f s: %s\n", series->done, series->asked,
	       seconds(wall_ns), line);
	if (first || series->verbose) {
		fputs("\n", stdout);
		fwrite(report, 1, size, stdout);
		fputs("\n", stdout);
	}
}

int series_add(struct series *series, const avd_stream *stream, uint64_t wall_ns,
	       const char *recording)
{
	struct avd_verdict verdict;
	char *report = NULL;
	size_t size = 0;
	uint32_t flags = series->verbose ? AVD_REPORT_VERBOSE : 0;

	if (cli_may_color(stdout))
		flags |= AVD_REPORT_COLOR;
	int r = avd_stream_verdict(stream, &verdict);
	if (r == 0 && series->format == CLI_JSON)
		r = avd_report_json(stream, flags, &report, &size);
	else if (r == 0)
		r = avd_report_text(stream, flags, &report, &size);
	if (r < 0)
		return cli_error("cannot write the report: %s", strerror(-r));
	const int first = count(series, &verdict, wall_ns);
	if (series->format == CLI_JSON)
		add_json(series, report, size, wall_ns, recording);
	else
		add_text(series, &verdict, first, report, size, wall_ns);
	avd_free(report);
	fflush(stdout); /* what there is stays, whatever happens to this process */
	return 0;
}

static const char *name_of_outcome(uint32_t outcome)
{
	return avd_outcome_name(outcome);
}

static void json_counts(const char *name, const uint32_t *counts, uint32_t from, uint32_t size,
			const char *(*name_of)(uint32_t value))
{
	const char *comma = "";
	printf(",\n\"%s\": {", name);
	for (uint32_t i = from; i < size; i++) {
		if (!counts[i])
			continue;
		printf("%s\"%s\": %" PRIu32, comma, name_of(i), counts[i]);
		comma = ", ";
	}
	fputs("}", stdout);
}

static void text_counts(const char *name, const uint32_t *counts, uint32_t from, uint32_t size,
			const char *(*name_of)(uint32_t value))
{
	const char *comma = "";
	for (uint32_t i = from; i < size; i++) {
		if (!counts[i])
			continue;
		if (!*comma)
			printf("  %-13s", name);
		printf("%s%s %" PRIu32, comma, name_of(i), counts[i]);
		comma = ", ";
	}
	if (*comma)
		fputs("\n", stdout);
}

static void end_json(const struct series *series)
{
	printf("\n],\n\"asked\": %" PRIu32 ",\n\"done\": %" PRIu32 ",\n\"passed\": %" PRIu32
	       ",\n\"failed\": %" PRIu32,
	       series->asked, series->done, series->passed, series->done - series->passed);
	json_counts("outcomes", series->outcomes, 0, SERIES_OUTCOMES, name_of_outcome);
	json_counts("reason_codes", series->reason_codes, 1, SERIES_CODES, avd_reason_code_name);
	json_counts("result_codes", series->result_codes, 1, SERIES_CODES, avd_reason_code_name);
	fputs("\n}\n", stdout);
}

static void end_text(const struct series *series)
{
	const uint32_t failed = series->done - series->passed;

	if (series->done < series->asked)
		printf("%" PRIu32 " of %" PRIu32 " runs", series->done, series->asked);
	else
		printf("%" PRIu32 " run%s", series->done, series->done == 1 ? "" : "s");
	printf(": %" PRIu32 " passed, %" PRIu32 " failed", series->passed, failed);
	if (failed)
		printf(", the first one was run %" PRIu32, series->first_failed);
	fputs("\n", stdout);
	if (!series->done)
		return;
	text_counts("outcomes", series->outcomes, 0, SERIES_OUTCOMES, name_of_outcome);
	text_counts("reason codes", series->reason_codes, 1, SERIES_CODES, avd_reason_code_name);
	text_counts("result codes", series->result_codes, 1, SERIES_CODES, avd_reason_code_name);
	printf("  %-13s%.1f to %.1f s, %.1f s on average\n", "time", seconds(series->shortest_ns),
	       seconds(series->longest_ns), seconds(series->total_ns / series->done));
}

int series_end(const struct series *series)
{
	if (series->format == CLI_JSON)
		end_json(series);
	else
		end_text(series);
	return series->done == series->asked && series->passed == series->asked ? CLI_PASSED
										: CLI_FAILED;
}
