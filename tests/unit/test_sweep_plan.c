// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/plan.h>
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "run_suite.h"
#include "sweep/plan.h"
#include "sweep/store.h"

static char dir[] = "/tmp/avd-plan-XXXXXX";
static avd_plan *plan;

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
	strcpy(dir, "/tmp/avd-plan-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	write_file("k1", "a kernel");
	write_file("k2", "another kernel");
	write_file("good", "#!/bin/sh\n");
	ck_assert_int_eq(avd_plan_new(&plan), 0);
}

static void teardown(void)
{
	static const char *const names[] = {"k1", "k2", "good", "plan.cfg", "more.cfg"};
	avd_plan_free(plan);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(names); i++)
		unlink(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void ok(int r)
{
	ck_assert_msg(r == 0, "%s", avd_plan_error(plan));
}

static void scheduler(const char *name, const char *program, const char *argument)
{
	const char *const argv[] = {program, argument};
	ok(avd_plan_add_scheduler(plan, name, argv, argument ? 2 : 1));
}

static struct avd_plan_cell cell(size_t index)
{
	struct avd_plan_cell got;
	ck_assert_int_eq(avd_plan_get(plan, index, &got), 0);
	return got;
}

static const char *expected(size_t index)
{
	static char text[64];
	const struct avd_plan_cell got = cell(index);
	avd_expectation_print(&got.expect, text, sizeof(text));
	return text;
}

START_TEST(product_of_the_axes)
{
	ok(avd_plan_add_kernel(plan, NULL, "./k1"));
	ok(avd_plan_add_kernel(plan, "new", "./k2"));
	scheduler(NULL, "./good", NULL);
	scheduler(NULL, "./good", "--slice=5");
	ok(avd_plan_add_topology(plan, "1"));
	ok(avd_plan_add_topology(plan, "2n4l4c2t"));
	ok(avd_plan_set(plan, "memory", "512M"));
	ok(avd_plan_finish(plan));
	ck_assert_uint_eq(avd_plan_count(plan), 8);
	ck_assert_str_eq(cell(0).id, "k1/good/1");
	ck_assert_str_eq(cell(1).id, "k1/good/2n4l4c2t");
	ck_assert_str_eq(cell(2).id, "new/good/1");
	ck_assert_str_eq(cell(7).id, "new/good+slice-5/2n4l4c2t");
	ck_assert_uint_eq(cell(7).cpus, 32);
	ck_assert_uint_eq(cell(7).memory_bytes, 512u << 20);
	ck_assert_uint_eq(cell(7).scheduler_count, 2);
	ck_assert_str_eq(cell(7).scheduler[1], "--slice=5");
	ck_assert_ptr_null(cell(7).scheduler[2]);
	ck_assert_str_eq(expected(7), "passed");
	struct avd_plan_cell none;
	ck_assert_int_eq(avd_plan_get(plan, 8, &none), -ERANGE);
	ck_assert_int_eq(avd_plan_add_topology(plan, "4"), -EINVAL);
}
END_TEST

START_TEST(rules_filter_and_expect)
{
	ok(avd_plan_add_kernel(plan, "6.12", "./k1"));
	ok(avd_plan_add_kernel(plan, "7.3", "./k2"));
	scheduler("good", "./good", NULL);
	scheduler("bad", "./absent", NULL);
	ok(avd_plan_add_rule(plan, AVD_RULE_EXCLUDE, "kernel=6.*,scheduler=bad", NULL));
	ok(avd_plan_add_rule(plan, AVD_RULE_EXPECT, "scheduler=bad", "DIED/exec-failed"));
	ok(avd_plan_add_rule(plan, AVD_RULE_EXPECT, "id=6.12/*", "NOT_ATTACHED"));
	ok(avd_plan_finish(plan));
	ck_assert_uint_eq(avd_plan_count(plan), 3);
	ck_assert_str_eq(expected(0), "NOT_ATTACHED");
	ck_assert_str_eq(expected(1), "passed");
	ck_assert_str_eq(cell(2).id, "7.3/bad/2");
	ck_assert_str_eq(expected(2), "DIED/exec-failed");
}
END_TEST

/* The same plan has the same digests; what a cell is, its file's bytes too, changes its own. */
START_TEST(digests)
{
	uint64_t whole[3], first[3];
	for (int round = 0; round < 3; round++) {
		ok(avd_plan_add_kernel(plan, NULL, "./k1"));
		scheduler(NULL, "./good", NULL);
		scheduler("other", "./absent", NULL);
		ok(avd_plan_finish(plan));
		whole[round] = avd_plan_digest(plan);
		first[round] = cell(0).digest;
		ck_assert_uint_ne(cell(0).digest, cell(1).digest);
		avd_plan_free(plan);
		ck_assert_int_eq(avd_plan_new(&plan), 0);
		if (round == 1)
			write_file("good", "#!/bin/dash\n");
	}
	ck_assert_uint_eq(whole[0], whole[1]);
	ck_assert_uint_eq(first[0], first[1]);
	ck_assert_uint_ne(whole[1], whole[2]);
	ck_assert_uint_ne(first[1], first[2]);
}
END_TEST

static uint64_t digest_with(const char *setting, const char *value)
{
	avd_plan_free(plan);
	ck_assert_int_eq(avd_plan_new(&plan), 0);
	ok(avd_plan_add_kernel(plan, NULL, "./k1"));
	scheduler(NULL, "./good", NULL);
	ok(avd_plan_set(plan, setting, value));
	ok(avd_plan_finish(plan));
	return cell(0).digest;
}

/* A scheduler may load its BPF object, or its configuration, from a file that goes along: a result
 * of another one is none of this cell's. */
START_TEST(what_goes_along_is_part_of_a_cell)
{
	static const char *const includes[] = {"more.cfg", "./more.cfg:/etc/scx.cfg", "tree",
					       "tree:/etc/scx"};
	ck_assert_int_eq(mkdir("tree", 0700), 0);
	ck_assert_int_eq(mkdir("tree/deep", 0700), 0);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(includes); i++) {
		const char *inside = i < 2 ? "more.cfg" : "tree/deep/file";
		write_file(inside, "slice = 5");
		const uint64_t before = digest_with("include", includes[i]);
		ck_assert_uint_eq(digest_with("include", includes[i]), before);
		write_file(inside, "slice = 6");
		const uint64_t after = digest_with("include", includes[i]);
		ck_assert_uint_ne(after, before);
		ck_assert_int_eq(chmod(inside, 0700), 0);
		ck_assert_uint_ne(digest_with("include", includes[i]), after);
		ck_assert_int_eq(unlink(inside), 0);
		ck_assert_uint_ne(digest_with("include", includes[i]), after);
	}
	ck_assert_int_eq(symlink("here", "tree/link"), 0);
	const uint64_t before = digest_with("include", "tree");
	ck_assert_int_eq(unlink("tree/link"), 0);
	ck_assert_int_eq(symlink("there", "tree/link"), 0);
	ck_assert_uint_ne(digest_with("include", "tree"), before);
	ck_assert_int_eq(unlink("tree/link"), 0);
	ck_assert_int_eq(rmdir("tree/deep"), 0);
	ck_assert_int_eq(rmdir("tree"), 0);
}
END_TEST

/* The program that is found in $PATH is the one that counts: not what can't be run, nor what a cell
 * does not look at. */
START_TEST(a_program_of_path_is_the_one_that_runs)
{
	const char *path = getenv("PATH");
	char *before = path ? strdup(path) : NULL, bin[PATH_MAX];
	ck_assert_int_eq(mkdir("bin", 0700), 0);
	ck_assert_int_eq(mkdir("data", 0700), 0);
	write_file("bin/sched", "#!/bin/sh\n");
	write_file("data/sched", "no program");
	ck_assert_int_eq(chmod("bin/sched", 0700), 0);
	snprintf(bin, sizeof(bin), "data:%s/data:%s/bin", dir, dir);
	ck_assert_int_eq(setenv("PATH", bin, 1), 0);
	uint64_t digest[2];
	for (int round = 0; round < 2; round++) {
		avd_plan_free(plan);
		ck_assert_int_eq(avd_plan_new(&plan), 0);
		ok(avd_plan_add_kernel(plan, NULL, "./k1"));
		scheduler(NULL, "sched", NULL);
		ok(avd_plan_finish(plan));
		digest[round] = cell(0).digest;
		write_file("bin/sched", "#!/bin/dash\n");
	}
	ck_assert_int_eq(before ? setenv("PATH", before, 1) : unsetenv("PATH"), 0);
	free(before);
	ck_assert_int_eq(unlink("bin/sched") + unlink("data/sched"), 0);
	ck_assert_int_eq(rmdir("bin") + rmdir("data"), 0);
	ck_assert_uint_ne(digest[0], digest[1]);
}
END_TEST

static void refused(int r, int code, const char *word)
{
	ck_assert_int_eq(r, code);
	ck_assert_msg(strstr(avd_plan_error(plan), word), "%s: not in: %s", word,
		      avd_plan_error(plan));
}

/* Names of 64 characters on each axis: a recording's name has no room for the whole id. */
START_TEST(the_longest_ids_have_recordings)
{
	static const char *const program[] = {"./good"};
	const char topology[] = "1n11l0001+0001+0001+0001+0001+0001+0001+0001+0001+0001+0001c1t";
	char name[65] = {0}, *path[2];
	struct avd__table table;
	struct avd__error error;
	memset(name, 'a', sizeof(name) - 1);
	ok(avd_plan_add_kernel(plan, name, "./k1"));
	ok(avd_plan_add_scheduler(plan, name, program, 1));
	ok(avd_plan_add_topology(plan, topology));
	for (size_t i = 0; i < AVD__ARRAY_SIZE(path); i++) {
		name[sizeof(name) - 2] = i ? 'b' : 'a';
		ok(avd_plan_add_payload(plan, name, program, 1));
	}
	ok(avd_plan_finish(plan));
	ck_assert_int_eq(avd__table_plan(&table, plan, &error), 0);
	ck_assert_uint_eq(table.count, 2);
	ck_assert_uint_gt(strlen(table.rows[0].id), NAME_MAX);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(path); i++) {
		ck_assert_int_eq(avd__store_recording(&table.rows[i], &path[i]), 0);
		ck_assert_msg(avd__store_owns(path[i]), "%s", path[i]);
		ck_assert_uint_eq(strlen(path[i]), strlen(AVD__STORE_CELLS "/") + NAME_MAX);
	}
	ck_assert_str_ne(path[0], path[1]);
	free(path[0]);
	free(path[1]);
	avd__table_free(&table);
}
END_TEST

START_TEST(what_is_refused)
{
	const char *const argv[] = {"./good"};
	refused(avd_plan_finish(plan), -EINVAL, "no scheduler");
	refused(avd_plan_add_scheduler(plan, "a b", argv, 1), -EINVAL, "a b");
	refused(avd_plan_add_scheduler(plan, NULL, NULL, 0), -EINVAL, "no program");
	ok(avd_plan_add_scheduler(plan, NULL, argv, 1));
	refused(avd_plan_add_scheduler(plan, NULL, argv, 1), -EINVAL, "\"good\"");
	refused(avd_plan_add_topology(plan, "nonsense"), -EINVAL, "nonsense");
	refused(avd_plan_set(plan, "memory", "much"), -EINVAL, "512M");
	refused(avd_plan_set(plan, "colour", "red"), -EINVAL, "colour");
	refused(avd_plan_set(plan, "machine", "mill"), -EINVAL, "qemu");
	refused(avd_plan_add_rule(plan, AVD_RULE_EXCLUDE, "size=1", NULL), -EINVAL, "size=1");
	refused(avd_plan_add_rule(plan, AVD_RULE_EXCLUDE, "", NULL), -EINVAL, "empty");
	/* Variables of a script that were empty: such a rule would match every cell. */
	refused(avd_plan_add_rule(plan, AVD_RULE_EXPECT, ",", "failed"), -EINVAL, "AXIS=PATTERN");
	refused(avd_plan_add_rule(plan, AVD_RULE_INCLUDE, ",,", NULL), -EINVAL, "AXIS=PATTERN");
	refused(avd_plan_add_rule(plan, AVD_RULE_EXPECT, "kernel=*,", "failed"), -EINVAL,
		"AXIS=PATTERN");
	refused(avd_plan_add_rule(plan, AVD_RULE_EXPECT, "id=*", "GREAT"), -EINVAL, "GREAT");
	refused(avd_plan_add_rule(plan, AVD_RULE_EXPECT, "id=*", "DIED/no-such"), -EINVAL,
		"no-such");
	refused(avd_plan_add_rule(plan, AVD_RULE_EXPECT, "id=*", NULL), -EINVAL, "id=*");
	ok(avd_plan_add_kernel(plan, NULL, "./nowhere"));
	refused(avd_plan_finish(plan), -ENOENT, "./nowhere");
}
END_TEST

START_TEST(a_rule_that_matches_nothing_is_refused)
{
	ok(avd_plan_add_kernel(plan, NULL, "./k1"));
	scheduler(NULL, "./good", NULL);
	ok(avd_plan_add_rule(plan, AVD_RULE_EXCLUDE, "scheduler=goood", NULL));
	refused(avd_plan_finish(plan), -EINVAL, "goood");
}
END_TEST

START_TEST(a_file_is_read)
{
	write_file("more.cfg", "exclude = [ \"scheduler=good+-v,kernel=new\" ];\n");
	write_file(
		"plan.cfg",
		"kernels = ( \"./k1\", { name = \"new\"; kernel = \"./k2\"; } );\n"
		"schedulers = (\n"
		"  { run = \"./good\"; arguments = ([], [\"-v\"]); },\n"
		"  { name = \"gone\"; run = [\"./absent\", \"-x\"]; expect = \"DIED\"; }\n"
		");\n"
		"topologies = [\"1\", \"2n4l4c2t\"];\n"
		"payloads = ( { name = \"true\"; run = [\"/bin/true\"]; } );\n"
		"expect = ( { match = \"topology=1,scheduler=gone\"; outcome = \"failed\"; } );\n"
		"settings = { memory = \"1G\"; boot-timeout = \"90s\"; include = [\"./k1\"]; };\n"
		"@include \"more.cfg\"\n");
	ck_assert_int_eq(chdir("/"), 0);
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/plan.cfg", dir);
	ok(avd_plan_load(plan, path));
	ck_assert_int_eq(chdir(dir), 0);
}
END_TEST

/* Wherever the sweep is started: all paths of a file are relative to where it stands. */
START_TEST(paths_of_a_file_are_its_own)
{
	char qemu[PATH_MAX], cache[PATH_MAX], path[PATH_MAX];
	write_file("plan.cfg", "settings = { qemu = \"./bin/qemu\"; cache-dir = \"./cache\"; };\n");
	snprintf(path, sizeof(path), "%s/plan.cfg", dir);
	snprintf(qemu, sizeof(qemu), "%s/./bin/qemu", dir);
	snprintf(cache, sizeof(cache), "%s/./cache", dir);
	ck_assert_int_eq(chdir("/"), 0);
	ok(avd_plan_load(plan, path));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_str_eq(plan->options.qemu, qemu);
	ck_assert_str_eq(plan->options.cache_dir, cache);
	/* What has no slash is looked for where the command line's is. */
	write_file("plan.cfg", "settings = { qemu = \"qemu\"; kernel-args = \"a/b\"; };\n");
	ok(avd_plan_load(plan, path));
	ck_assert_str_eq(plan->options.qemu, "qemu");
	ck_assert_str_eq(plan->options.kernel_args, "a/b");
}
END_TEST

START_TEST(a_file_plans)
{
	write_file("plan.cfg",
		   "kernels = [\"./k1\"];\n"
		   "schedulers = ( { run = \"./good\"; arguments = ([], [\"-v\"]); },\n"
		   "  { name = \"gone\"; run = [\"./absent\", \"-x\"]; expect = \"DIED\"; });\n"
		   "payloads = ( \"/bin/true\" );\n"
		   "exclude = [ \"scheduler=good+v\" ];\n"
		   "settings = { memory = \"1G\"; };\n");
	ok(avd_plan_load(plan, "plan.cfg"));
	ok(avd_plan_finish(plan));
	ck_assert_uint_eq(avd_plan_count(plan), 2);
	ck_assert_str_eq(cell(0).id, "k1/good/2/true");
	ck_assert_str_eq(cell(1).id, "k1/gone/2/true");
	ck_assert_str_eq(expected(1), "DIED");
}
END_TEST

static const struct {
	const char *text, *place, *word;
} bad_files[] = {
	{"kernels = [\"a\"\n", "plan.cfg:", "syntax"},
	{"kernel = [\"a\"];\n", "plan.cfg:1:", "unknown"},
	{"\nkernels = \"a\";\n", "plan.cfg:2:", "list"},
	{"kernels = (\n\"./k1\",\n3 );\n", "plan.cfg:3:", "string"},
	{"schedulers = ( {\n name = \"x\"; } );\n", "plan.cfg:", "run ="},
	{"schedulers = ( { run = \"a\"; speed = 3; } );\n", "plan.cfg:1:", "speed"},
	{"topologies = [2];\n", "plan.cfg:1:", "strings"},
	{"topologies = [\"0\"];\n", "plan.cfg:1:", "\"0\""},
	{"settings = { memory = \"x\"; };\n", "plan.cfg:1:", "512M"},
	{"settings = { memory = 512; };\n", "plan.cfg:1:", "strings"},
	{"exclude = [\"nonsense\"];\n", "plan.cfg:1:", "AXIS=PATTERN"},
	{"expect = ( { match = \"id=*\"; } );\n", "plan.cfg:1:", "outcome ="},
	{"@include \"nowhere.cfg\"\n", "plan.cfg:1:", "include"},
	{"\xef\xbb", "plan.cfg:1:", "no text"},
	{"\xef\xbb\xbf\xef\xbb\xbf", "plan.cfg:1:", "syntax"},
};

START_TEST(bad_files_are_refused)
{
	write_file("plan.cfg", bad_files[_i].text);
	refused(avd_plan_load(plan, "plan.cfg"), -EINVAL, bad_files[_i].word);
	ck_assert_msg(strncmp(avd_plan_error(plan), bad_files[_i].place,
			      strlen(bad_files[_i].place)) == 0,
		      "%s", avd_plan_error(plan));
}
END_TEST

START_TEST(no_file)
{
	refused(avd_plan_load(plan, "nowhere.cfg"), -ENOENT, "nowhere.cfg");
	refused(avd_plan_load(plan, "/"), -EISDIR, "/");
}
END_TEST

/* As editors of other systems write it: line ends and a byte order mark. */
START_TEST(foreign_text)
{
	write_file("plan.cfg", "\xef\xbb\xbfschedulers = [\"./good\"];\r\n"
			       "kernels = [\"./k1\"];\r\ntopologies = [\"2\", \"4\"];\r\n");
	ok(avd_plan_load(plan, "plan.cfg"));
	ok(avd_plan_finish(plan));
	ck_assert_uint_eq(avd_plan_count(plan), 2);
}
END_TEST

static int met(const char *expect, uint32_t outcome, uint32_t result, uint32_t code)
{
	const struct avd_verdict verdict = {
		.outcome = outcome, .result = result, .result_code = code};
	avd_plan *asked;
	struct avd_plan_cell got;
	const char *const argv[] = {"./good"};
	ck_assert_int_eq(avd_plan_new(&asked), 0);
	ck_assert_int_eq(avd_plan_add_scheduler(asked, NULL, argv, 1), 0);
	ck_assert_int_eq(avd_plan_add_kernel(asked, NULL, "./k1"), 0);
	ck_assert_int_eq(avd_plan_add_rule(asked, AVD_RULE_EXPECT, "id=*", expect), 0);
	ck_assert_int_eq(avd_plan_finish(asked), 0);
	ck_assert_int_eq(avd_plan_get(asked, 0, &got), 0);
	const int answer = avd_expectation_met(&got.expect, &verdict);
	avd_plan_free(asked);
	return answer;
}

START_TEST(expectations)
{
	const uint32_t A = AVD_OUTCOME_ATTACHED, D = AVD_OUTCOME_DIED, U = AVD_OUTCOME_UNCONFIRMED,
		       P = AVD_RESULT_PASSED, F = AVD_RESULT_FAILED;
	ck_assert(met("passed", A, P, 0));
	ck_assert(!met("passed", A, F, AVD_REASON_EJECTED));
	/* Attached and thrown out again is not what "ATTACHED" hopes for. */
	ck_assert(met("ATTACHED", A, P, 0));
	ck_assert(!met("ATTACHED", A, F, AVD_REASON_EJECTED));
	ck_assert(met("ATTACHED/ejected", A, F, AVD_REASON_EJECTED));
	ck_assert(!met("ATTACHED/ejected", A, F, AVD_REASON_NO_DISPATCH));
	ck_assert(!met("ATTACHED/ejected", A, P, 0));
	ck_assert(met("DIED", D, F, AVD_REASON_EXITED));
	ck_assert(!met("DIED/exited", D, F, AVD_REASON_EXEC_FAILED));
	/* Nobody saw it fail. */
	ck_assert(met("failed", D, F, AVD_REASON_EXITED));
	ck_assert(!met("failed", U, F, AVD_REASON_PANIC));
	ck_assert(met("UNCONFIRMED/panic", U, F, AVD_REASON_PANIC));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep-plan");
	TCase *tests = tcase_create("sweep-plan");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, product_of_the_axes);
	tcase_add_test(tests, rules_filter_and_expect);
	tcase_add_test(tests, digests);
	tcase_add_test(tests, what_goes_along_is_part_of_a_cell);
	tcase_add_test(tests, a_program_of_path_is_the_one_that_runs);
	tcase_add_test(tests, the_longest_ids_have_recordings);
	tcase_add_test(tests, what_is_refused);
	tcase_add_test(tests, a_rule_that_matches_nothing_is_refused);
	tcase_add_test(tests, a_file_is_read);
	tcase_add_test(tests, paths_of_a_file_are_its_own);
	tcase_add_test(tests, a_file_plans);
	tcase_add_loop_test(tests, bad_files_are_refused, 0, (int)AVD__ARRAY_SIZE(bad_files));
	tcase_add_test(tests, no_file);
	tcase_add_test(tests, foreign_text);
	tcase_add_test(tests, expectations);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
