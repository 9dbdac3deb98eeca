// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/report.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/format.h"
#include "report/json_writer.h"
#include "report/lines.h"
#include "report_samples.h"
#include "run_suite.h"

static struct kit kit;

static avd_stream *sample_stream(const struct report_sample *sample)
{
	sample->build(&kit);
	avd_stream *stream = kit_stream(AVD_STREAM_RECORDING, NULL, NULL);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0);
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	return stream;
}

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	ck_assert_msg(file, "%s: %s", path, strerror(errno));
	char *text = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_lt(fread(text, 1, 1 << 20, file), 1 << 20);
	fclose(file);
	return text;
}

/* With AVD_GOLDEN_UPDATE=1 the files are written anew, to be read in the diff. */
static void check_golden(const char *name, const char *kind, const char *text, size_t size)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/report-%s.%s", getenv("AVD_GOLDEN_DIR"), name, kind);
	if (getenv("AVD_GOLDEN_UPDATE")) {
		FILE *file = fopen(path, "we");
		ck_assert_ptr_nonnull(file);
		ck_assert_uint_eq(fwrite(text, 1, size, file), size);
		fclose(file);
	}
	char *want = slurp(path);
	ck_assert_msg(strcmp(want, text) == 0, "%s differs from what the report says now:\n%s",
		      path, text);
	free(want);
}

static void no_control_bytes(const char *name, const char *text, size_t size)
{
	ck_assert_uint_eq(strlen(text), size);
	for (size_t i = 0; i < size; i++) {
		const unsigned char c = (unsigned char)text[i];
		ck_assert_msg(c == '\n' || (c >= 0x20 && c != 0x7f), "%s: byte %#x at %zu", name, c,
			      i);
	}
}

START_TEST(text_is_golden)
{
	const struct report_sample *sample = &report_samples[_i];
	avd_stream *stream = sample_stream(sample);
	char *text;
	size_t size;
	ck_assert_int_eq(avd_report_text(stream, 0, &text, &size), 0);
	no_control_bytes(sample->name, text, size);
	check_golden(sample->name, "txt", text, size);
	avd_free(text);
	avd_stream_free(stream);
}
END_TEST

START_TEST(text_fits_a_screen)
{
	const struct report_sample *sample = &report_samples[_i];
	avd_stream *stream = sample_stream(sample);
	char *text;
	size_t size, lines = 0;
	ck_assert_int_eq(avd_report_text(stream, 0, &text, &size), 0);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_msg(lines <= (strcmp(sample->name, "hostile") == 0 ? 40 : 24), "%s: %zu lines",
		      sample->name, lines);
	avd_free(text);
	avd_stream_free(stream);
}
END_TEST

/* The first line alone must do: outcome, and unless ATTACHED code and reason; for a refused
 * program its name, instruction and the verifier's words, and the reason in the second line. */
#define REFUSAL "program 'fifo_enqueue' insn 9: R0 invalid mem access '\\x1b[2Jscalar'\n"

START_TEST(first_line_is_the_verdict)
{
	const struct report_sample *sample = &report_samples[_i];
	avd_stream *stream = sample_stream(sample);
	struct avd_verdict verdict;
	char *text, want[4096];
	size_t size;
	ck_assert_int_eq(avd_stream_verdict(stream, &verdict), 0);
	const int refused = strcmp(sample->name, "verifier-rejected") == 0;
	ck_assert_int_eq(avd_report_text(stream, 0, &text, &size), 0);
	if (verdict.outcome == AVD_OUTCOME_ATTACHED)
		snprintf(want, sizeof(want), "ATTACHED: ");
	else
		snprintf(want, sizeof(want), "%s (%s): %s%s\n", avd_outcome_name(verdict.outcome),
			 avd_reason_code_name(verdict.reason_code), refused ? REFUSAL : "",
			 verdict.reason);
	ck_assert_msg(strncmp(text, want, strlen(want)) == 0, "%s: %s", sample->name, text);
	const char *second = strchr(text, '\n') + 1;
	if (refused)
		second = strchr(second, '\n') + 1;
	const char *result = verdict.outcome != AVD_OUTCOME_ATTACHED ? "hint: "
			     : verdict.result == AVD_RESULT_PASSED   ? "passed: "
								     : "failed (";
	ck_assert_msg(strncmp(second, result, strlen(result)) == 0, "%s: %s", sample->name, text);
	avd_free(text);
	avd_stream_free(stream);
}
END_TEST

START_TEST(color_adds_escapes_only)
{
	const struct report_sample *sample = &report_samples[_i];
	avd_stream *stream = sample_stream(sample);
	char *plain, *colored;
	ck_assert_int_eq(avd_report_text(stream, 0, &plain, NULL), 0);
	ck_assert_int_eq(avd_report_text(stream, AVD_REPORT_COLOR, &colored, NULL), 0);
	ck_assert_ptr_nonnull(strchr(colored, '\033'));
	char *out = colored;
	for (const char *in = colored; *in;) {
		if (*in == '\033')
			in += strcspn(in, "m") + 1;
		else
			*out++ = *in++;
	}
	*out = '\0';
	ck_assert_str_eq(colored, plain);
	avd_free(plain);
	avd_free(colored);
	avd_stream_free(stream);
}
END_TEST

/* Verbose only adds; what the guest prints is always behind a bar. */
START_TEST(verbose_shows_all_lines)
{
	const struct report_sample *sample = &report_samples[_i];
	avd_stream *stream = sample_stream(sample);
	char *brief, *verbose;
	size_t brief_size, size;
	ck_assert_int_eq(avd_report_text(stream, 0, &brief, &brief_size), 0);
	ck_assert_int_eq(avd_report_text(stream, AVD_REPORT_VERBOSE, &verbose, &size), 0);
	no_control_bytes(sample->name, verbose, size);
	ck_assert_uint_ge(size, brief_size - 80); /* "... (N more)" goes */
	for (const char *p = strchr(verbose, '\n'); p && p[1]; p = strchr(p + 1, '\n')) {
		if (strncmp(p + 1, "ATTACHED", 8) == 0)
			ck_abort_msg("%s: a line of the guest looks like the verdict",
				     sample->name);
	}
	avd_free(brief);
	avd_free(verbose);
	avd_stream_free(stream);
}
END_TEST

START_TEST(verbose_lists_programs)
{
	static const struct {
		const char *sample, *line;
	} cases[] = {
		{"passed", "fifo_enqueue (struct_ops): 512 insns processed, 21 states (peak 20), "
			   "1 ms, stack 48, jited 700 B\n"},
		{"verifier-rejected",
		 "fifo_enqueue: rejected, Permission denied (EACCES); 7 insns"},
		{"hostile", "\\xff\\xff\\xff\\x1b[2J\\n\\x0d\\x9b\"\\\\x7f,;: rejected"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t j = 0; j < REPORT_SAMPLE_COUNT; j++) {
			if (strcmp(report_samples[j].name, cases[i].sample))
				continue;
			avd_stream *stream = sample_stream(&report_samples[j]);
			char *text;
			ck_assert_int_eq(avd_report_text(stream, AVD_REPORT_VERBOSE, &text, NULL),
					 0);
			const char *rows = strstr(text, "programs ");
			ck_assert_ptr_nonnull(rows);
			ck_assert_msg(strstr(rows, cases[i].line), "no \"%s\" in: %.600s",
				      cases[i].line, rows);
			avd_free(text);
			avd_stream_free(stream);
		}
	}
}
END_TEST

START_TEST(json_is_golden)
{
	const struct report_sample *sample = &report_samples[_i];
	avd_stream *stream = sample_stream(sample);
	char *text;
	size_t size;
	ck_assert_int_eq(avd_report_json(stream, 0, &text, &size), 0);
	no_control_bytes(sample->name, text, size);
	check_golden(sample->name, "json", text, size);
	avd_free(text);
	avd_stream_free(stream);
}
END_TEST

START_TEST(bad_arguments)
{
	char *text = NULL;
	avd_stream *stream = sample_stream(&report_samples[0]);
	ck_assert_int_eq(avd_report_text(NULL, 0, &text, NULL), -EINVAL);
	ck_assert_int_eq(avd_report_json(NULL, 0, &text, NULL), -EINVAL);
	ck_assert_int_eq(avd_report_text(stream, 0, NULL, NULL), -EINVAL);
	ck_assert_int_eq(avd_report_json(stream, 0, NULL, NULL), -EINVAL);
	ck_assert_ptr_null(text);
	avd_stream_free(stream);
}
END_TEST

static struct avd__tail *tail_of(const char *text, uint64_t total)
{
	struct avd__tail *tail = calloc(1, sizeof(*tail));
	ck_assert_ptr_nonnull(tail);
	tail->len = (uint32_t)strlen(text);
	tail->total = total ? total : tail->len;
	memcpy(tail->data, text, tail->len);
	return tail;
}

static void check_lines(const char *text, uint64_t total, const char *want)
{
	struct avd__lines lines;
	struct avd__tail *tail = tail_of(text, total);
	char got[256] = "";
	size_t len = 0;
	ck_assert_int_eq(avd__lines_load(&lines, tail), 0);
	for (size_t i = 0; i < lines.count; i++) {
		const struct avd_str *line = &lines.line[i];
		ck_assert_uint_lt(len + line->len + 2, sizeof(got));
		memcpy(got + len, line->data, line->len);
		len += line->len;
		got[len++] = '|';
	}
	ck_assert_str_eq(got, want);
	avd__lines_free(&lines);
	free(tail);
}

START_TEST(lines_of_a_tail)
{
	check_lines("", 0, "");
	check_lines("\n\n", 0, "");
	check_lines("a\nb\r\nc", 0, "a|b|c|");
	check_lines("a\rb\n\nc\n", 0, "a|b|c|");
	check_lines("rest\na\n", 100, "a|"); /* the first line's start was not kept */
	check_lines("rest", 100, "rest|"); /* but is all there is */
	check_lines("rest\n", 100, "rest|");
}
END_TEST

static void check_format(void (*put)(struct avd__buf *, uint64_t), uint64_t value, const char *want)
{
	struct avd__buf out = {0};
	put(&out, value);
	ck_assert_str_eq(out.data, want);
	avd__buf_free(&out);
}

START_TEST(figures)
{
	check_format(avd__put_duration, 0, "0 ms");
	check_format(avd__put_duration, 999999999, "999 ms");
	check_format(avd__put_duration, UINT64_C(1000000000), "1.00 s");
	check_format(avd__put_duration, UINT64_C(99999000000), "99.99 s");
	check_format(avd__put_duration, UINT64_C(100000000000), "100 s");
	check_format(avd__put_size, 0, "0 B");
	check_format(avd__put_size, 1023, "1023 B");
	check_format(avd__put_size, 1536, "1.5 KiB");
	check_format(avd__put_size, UINT64_C(1) << 30, "1 GiB");
	check_format(avd__put_size, UINT64_MAX, "15.9 EiB");
}
END_TEST

START_TEST(json_numbers_keep_their_digits)
{
	struct avd__buf out = {0};
	struct avd__json json = {.out = &out, .empty = 1};
	avd__json_open(&json, NULL, '[');
	avd__json_u64(&json, NULL, AVD__JSON_INTEGER_MAX);
	avd__json_u64(&json, NULL, AVD__JSON_INTEGER_MAX + 1);
	avd__json_u64(&json, NULL, UINT64_MAX);
	avd__json_i64(&json, NULL, -(int64_t)AVD__JSON_INTEGER_MAX);
	avd__json_i64(&json, NULL, INT64_MIN);
	avd__json_close(&json, ']');
	ck_assert_str_eq(out.data, "[\n  9007199254740991,\n  \"9007199254740992\",\n"
				   "  \"18446744073709551615\",\n  -9007199254740991,\n"
				   "  \"-9223372036854775808\"\n]");
	avd__buf_free(&out);
}
END_TEST

static char dir[] = "/tmp/attachverdict-report-XXXXXX";

static void make_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	ck_assert_int_eq(rmdir(dir), 0);
	strcpy(dir, "/tmp/attachverdict-report-XXXXXX");
}

static void write_path(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(recording_reads_back)
{
	const struct report_sample *sample = &report_samples[_i];
	char path[128], error[1024], *want, *got;
	avd_stream *live = sample_stream(sample), *read_back;
	snprintf(path, sizeof(path), "%s/a", dir);
	write_path(path, kit.bytes, kit.size);
	ck_assert_int_eq(avd_recording_read(path, &read_back, error, sizeof(error)), 0);
	ck_assert_int_eq(avd_report_json(live, 0, &want, NULL), 0);
	ck_assert_int_eq(avd_report_json(read_back, 0, &got, NULL), 0);
	ck_assert_str_eq(got, want);
	avd_free(want);
	avd_free(got);
	avd_stream_free(live);
	avd_stream_free(read_back);
	unlink(path);
}
END_TEST

static void check_refused(const char *path, int err, const char *word)
{
	char error[1024] = "";
	avd_stream *const none = (avd_stream *)error; /* must stay as it is */
	avd_stream *stream = none;
	ck_assert_int_eq(avd_recording_read(path, &stream, error, sizeof(error)), -err);
	ck_assert_ptr_eq(stream, none);
	ck_assert_msg(strstr(error, word) && !strchr(error, '\n'), "%s", error);
	ck_assert_int_eq(avd_recording_read(path, &stream, NULL, 0), -err);
}

START_TEST(what_is_no_recording_is_refused)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/a", dir);
	check_refused(path, ENOENT, path);
	check_refused(dir, EISDIR, "directory");
	check_refused("", EINVAL, "no recording was named");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	check_refused(path, EBADMSG, "regular"); /* and does not wait for a writer */
	unlink(path);
	write_path(path, "", 0);
	check_refused(path, EBADMSG, "empty");
	write_path(path, "\177ELF\2\1\1", 7);
	check_refused(path, EBADMSG, "first frame");
	/* A guest's bytes without the host's cell frame. */
	kit_pass(&kit, 0);
	write_path(path, kit.bytes, kit.size);
	check_refused(path, EBADMSG, "first frame");
	ck_assert_int_eq(truncate(path, (off_t)5 << 30), 0); /* sparse */
	check_refused(path, EFBIG, "bytes");
	unlink(path);
}
END_TEST

/* A file that is something else altogether is not read to its end. */
START_TEST(large_other_file_is_refused_early)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/a", dir);
	write_path(path, "x", 1);
	ck_assert_int_eq(truncate(path, 512 << 20), 0);
	check_refused(path, EBADMSG, "first frame");
	unlink(path);
}
END_TEST

static TCase *samples_case(void)
{
	static const struct TTest *const *const tests[] = {
		&text_is_golden,	  &text_fits_a_screen,	    &first_line_is_the_verdict,
		&color_adds_escapes_only, &verbose_shows_all_lines, &json_is_golden};
	TCase *tc = tcase_create("samples");
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_loop_test(tc, *tests[i], 0, REPORT_SAMPLE_COUNT);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("report");
	suite_add_tcase(suite, samples_case());
	TCase *tc = tcase_create("parts");
	tcase_add_test(tc, bad_arguments);
	tcase_add_test(tc, verbose_lists_programs);
	tcase_add_test(tc, lines_of_a_tail);
	tcase_add_test(tc, figures);
	tcase_add_test(tc, json_numbers_keep_their_digits);
	suite_add_tcase(suite, tc);
	tc = tcase_create("recording");
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, recording_reads_back, 0, REPORT_SAMPLE_COUNT);
	tcase_add_test(tc, what_is_no_recording_is_refused);
	tcase_add_test(tc, large_other_file_is_refused_early);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
