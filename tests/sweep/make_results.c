// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Makes a directory of results that no machine ran, for tests of what reads them:
 *   make-results DIR CELLS [FROM TO [RECORDING]...]
 * Cells FROM to TO (all) have a result; every seventh is not as expected, with a reason full of
 * characters that formats take for their own; cells 10 and 17 have one that is not even text, the
 * latter of several 100 KiB. With recordings the results are theirs, one after the other and round
 * again; they get links to the files.
 *   make-results --hostile DIR
 * An index as nobody's sweep would write it: each text of a cell is one that could break out of
 * what a format puts it into.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "sweep/store.h"

#define KERNELS 10u
/* Most of what a frame of the index holds, twice with its other texts. */
#define LONG_BYTES ((size_t)400 << 10)

static const char *const hostile =
	"</testcase><script>alert(1)</script> & \"quoted\" 'single' \\x1b[31m # TODO "
	"| `code` \xef\xbf\xbf \xf0\x9f\x90\xa7 %n ]]> --- ... not ok";

static const char *const break_outs[] = {
	"</script><script>document.title='owned'</script>",
	"<!--<script>",
	"--></SCRIPT\t/x>",
	"<img src=x onerror=alert(1)>",
	"]]><![CDATA[",
	"a\xe2\x80\xa8z\xe2\x80\xa9y\xe2\x80\xaa\xe2\x80\xae",
	"\xff\xfe\xc3( \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xbc",
	"\r\n\t\b\x1b[2J\x7f\xc2\x9b\xef\xbb\xbf",
	"\\u003c\\\\u003c\\\" \" \\",
	"&lt;&#60;&amp;lt; @RESULTS@ @DETAILS@",
	"__proto__",
	"a # SKIP by",
	"a\\# TODO \\",
	"#skip",
	"Subtest: x",
	"@nobody @some/team #1 GH-1 www.example.org http://example.org a@example.org",
	"``|`@nobody`|\\`|\\||\\",
	"`https://example.org`",
	"\\",
	"```",
};

/* What no library of ours writes, but a forged index may have: control characters, broken UTF-8, an
 * end of CDATA. */
static const char *const broken =
	"]]> \x01\x08\x0b\x0c\x1b[2J\x7f \xff\xfe \xc0\xaf \xed\xa0\x80 "
	"\xc2\x9b \xe2\x80\xae\xef\xbf\xbe \n| not ok 1\r\n<!-- --> &#0; ";

/* The same, long. */
static const char *long_text(void)
{
	static char text[LONG_BYTES];
	const size_t len = strlen(broken);
	for (size_t at = 0; at + len < sizeof(text) && !text[at]; at += len)
		memcpy(text + at, broken, len);
	return text;
}

static void die(const char *what, const struct avd__error *error)
{
	fprintf(stderr, "%s: %s\n", what, *error->text ? error->text : strerror(errno));
	exit(EXIT_FAILURE);
}

static int add_row(struct avd__table *table, size_t i)
{
	char id[128], scheduler[32], kernel[32];
	snprintf(scheduler, sizeof(scheduler), "sched-%05zu", i / KERNELS);
	snprintf(kernel, sizeof(kernel), "7.%zu", i % KERNELS);
	snprintf(id, sizeof(id), "%s/%s/2", kernel, scheduler);
	const struct avd__row row = {
		.id = id,
		.command = "attachverdict run --scheduler './it & co' -- '<x>'",
		.name = {[AVD__AXIS_SCHEDULER] = scheduler,
			 [AVD__AXIS_KERNEL] = kernel,
			 [AVD__AXIS_TOPOLOGY] = "2",
			 [AVD__AXIS_PAYLOAD] = ""},
		.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
		.cpus = 2,
		.digest = i + 1,
	};
	return avd__table_add(table, &row);
}

static struct avd__came came_of(size_t i)
{
	const int passed = i % 7 != 3;
	const char *why = i == 10 ? broken : i == 17 ? long_text() : hostile;
	return (struct avd__came){
		.outcome = passed ? AVD_OUTCOME_ATTACHED : AVD_OUTCOME_DIED,
		.reason_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.result = passed ? AVD_RESULT_PASSED : AVD_RESULT_FAILED,
		.result_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.reason = passed ? "" : why,
		.result_reason = passed ? "" : why,
		.recording = "", /* none was made */
		.wall_ns = UINT64_C(3000000000) + i,
	};
}

static struct avd__came came_of_recording(const struct avd__store *store, struct avd__table *table,
					  size_t i, const char *recording)
{
	struct avd__came came = {0};
	struct avd__error error = {0};
	char *name;
	if (avd__store_recording(&table->rows[i], &name) < 0 ||
	    linkat(AT_FDCWD, recording, store->dir_fd, name, 0) < 0 ||
	    avd__store_judge(store->dir_fd, name, NULL, table, &came, &error) < 0)
		die(recording, &error);
	free(name);
	return came;
}

static void add_hostile_row(struct avd__table *table, const char *text)
{
	char id[256], recording[256];
	struct avd__error error = {0};
	snprintf(id, sizeof(id), "%s/%zu", text, table->count);
	snprintf(recording, sizeof(recording), AVD__STORE_CELLS "/x%s", text);
	for (char *at = strchr(recording + sizeof(AVD__STORE_CELLS), '/'); at; at = strchr(at, '/'))
		*at = ',';
	const struct avd__row row = {
		.id = id,
		.command = text,
		.name = {[AVD__AXIS_SCHEDULER] = text,
			 [AVD__AXIS_KERNEL] = text,
			 [AVD__AXIS_TOPOLOGY] = text,
			 [AVD__AXIS_PAYLOAD] = text},
		.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
		.ran = true,
		.came = {.outcome = AVD_OUTCOME_DIED,
			 .reason_code = AVD_REASON_EXITED,
			 .result = AVD_RESULT_FAILED,
			 .result_code = AVD_REASON_EXITED,
			 .reason = text,
			 .result_reason = text,
			 .recording = recording},
	};
	if (avd__table_add(table, &row) < 0)
		die("a row", &error);
}

int main(int argc, char **argv)
{
	struct avd__table table = {.plan_digest = 4711};
	struct avd__store store;
	struct avd__error error = {0};
	const int is_hostile = argc == 3 && strcmp(argv[1], "--hostile") == 0;
	if (argc < 3 || argc == 4) {
		fprintf(stderr,
			"usage: %s DIR CELLS [FROM TO [RECORDING]...]\n"
			"       %s --hostile DIR\n",
			argv[0], argv[0]);
		return 2;
	}
	const char *dir = argv[is_hostile ? 2 : 1];
	const size_t cells = is_hostile ? 0 : strtoul(argv[2], NULL, 10);
	const size_t from = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;
	const size_t to = argc > 4 ? strtoul(argv[4], NULL, 10) : cells;
	const size_t recordings = argc > 5 ? (size_t)argc - 5 : 0;
	for (size_t i = 0; i < cells; i++) {
		if (add_row(&table, i) < 0)
			die("a row", &error);
	}
	for (size_t i = 0; is_hostile && i < AVD__ARRAY_SIZE(break_outs); i++)
		add_hostile_row(&table, break_outs[i]);
	if (avd__store_open(dir, &table, &store, &error) < 0)
		die(dir, &error);
	for (size_t i = from; i < to && i < cells; i++) {
		const struct avd__came came =
			recordings ? came_of_recording(&store, &table, i, argv[5 + i % recordings])
				   : came_of(i);
		if (avd__table_set(&table, i, &came) < 0)
			die("a result", &error);
	}
	if (avd__store_write(&store, &table, &error) < 0)
		die(dir, &error);
	avd__store_close(&store);
	avd__table_free(&table);
	return EXIT_SUCCESS;
}
