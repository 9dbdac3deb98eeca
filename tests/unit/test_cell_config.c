// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell/config.h"
#include "cell/limits.h"
#include "run_suite.h"

static const char *const scheduler[] = {"sched", "-v", "it's"};
static struct avd__cell_config config;
static struct avd__error error;

static struct avd_cell_options least(void)
{
	return (struct avd_cell_options){
		.size = sizeof(struct avd_cell_options),
		.scheduler = scheduler,
		.scheduler_count = 3,
	};
}

/* Refused with `want` and a line that holds `text`; nothing is left. */
static void refused(const struct avd_cell_options *o, int want, const char *text)
{
	memset(&error, 0, sizeof(error));
	ck_assert_int_eq(avd__cell_config_init(&config, o, &error), want);
	ck_assert_msg(strstr(error.text, text), "\"%s\" in \"%s\"", text, error.text);
	ck_assert_ptr_null(config.keep.kept);
	ck_assert_ptr_null(config.keep.cwd);
}

START_TEST(defaults)
{
	const struct avd_cell_options o = least();
	ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
	ck_assert_uint_eq(config.cpus, 2);
	ck_assert_uint_eq(config.options.memory_bytes, UINT64_C(1) << 30);
	ck_assert_uint_eq(config.options.timeout_ms, 600000);
	ck_assert_uint_eq(config.options.boot_timeout_ms, 120000);
	ck_assert_uint_eq(config.options.silence_timeout_ms, 60000);
	ck_assert_uint_eq(config.options.idle_timeout_ms, 60000);
	ck_assert_uint_eq(config.options.settle_ms, 100);
	ck_assert_uint_eq(config.options.budget_cpu_ms, 35000);
	ck_assert_uint_eq(config.options.budget_wall_ms, 120000);
	ck_assert_uint_eq(config.options.payload_timeout_ms, 0);
	ck_assert_uint_eq(config.options.log_limit, UINT64_C(4) << 20);
	ck_assert_uint_eq(config.options.channel_limit, UINT64_C(256) << 20);
	ck_assert_ptr_null(config.options.kernel);
	avd__cell_config_free(&config);
}
END_TEST

START_TEST(copies_everything)
{
	char text[] = "sched", *argv[] = {text};
	const char *const payload[] = {"true"};
	const char *const includes[] = {"data:/data"};
	char cwd[PATH_MAX], want[PATH_MAX + 32];
	struct avd_cell_options o = least();
	o.scheduler = (const char *const *)argv;
	o.scheduler_count = 1;
	o.payload = payload;
	o.payload_count = 1;
	o.includes = includes;
	o.include_count = 1;
	o.kernel = "vmlinuz";
	o.record_path = "/abs/cell.avd";
	o.qemu = "qemu-from-path";
	o.kernel_args = "";
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
	text[0] = 'X';
	ck_assert_str_eq(config.options.scheduler[0], "sched");
	ck_assert_ptr_null(config.options.scheduler[1]);
	snprintf(want, sizeof(want), "%s/vmlinuz", cwd);
	ck_assert_str_eq(config.options.kernel, want);
	ck_assert_str_eq(config.options.record_path, "/abs/cell.avd");
	ck_assert_str_eq(config.options.qemu, "qemu-from-path");
	ck_assert_ptr_null(config.options.kernel_args); /* empty is as good as not given */
	ck_assert_str_eq(config.keep.cwd, cwd);
	avd__cell_config_free(&config);
	o.qemu = "./qemu";
	ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
	snprintf(want, sizeof(want), "%s/./qemu", cwd);
	ck_assert_str_eq(config.options.qemu, want);
	avd__cell_config_free(&config);
}
END_TEST

START_TEST(options_of_other_releases)
{
	struct avd_cell_options o = least();
	refused(NULL, -EINVAL, "AVD_OPTIONS_INIT");
	o.size = 0;
	refused(&o, -EINVAL, "AVD_OPTIONS_INIT");
	o.size = offsetof(struct avd_cell_options, payload);
	o.timeout_ms = 1; /* beyond the size: not looked at */
	ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
	ck_assert_uint_eq(config.options.timeout_ms, 600000);
	avd__cell_config_free(&config);
	struct {
		struct avd_cell_options o;
		uint64_t new_member;
	} next = {.o = least()};
	next.o.size = sizeof(next);
	ck_assert_int_eq(avd__cell_config_init(&config, &next.o, &error), 0);
	avd__cell_config_free(&config);
	next.new_member = 1;
	refused(&next.o, -E2BIG, "newer release");
}
END_TEST

START_TEST(lists)
{
	const char *const empty[] = {""}, *const hole[] = {"a", NULL, "b"};
	struct avd_cell_options o = least();
	o.scheduler_count = 0;
	refused(&o, -EINVAL, "no scheduler");
	o.scheduler_count = 1;
	o.scheduler = NULL;
	refused(&o, -EINVAL, "NULL");
	o.scheduler = empty;
	refused(&o, -EINVAL, "no scheduler");
	o.scheduler = hole;
	o.scheduler_count = 3;
	refused(&o, -EINVAL, "item 2 of 3");
	o = least();
	o.payload = empty;
	o.payload_count = 1;
	refused(&o, -EINVAL, "payload");
	o = least();
	const char *const no_host[] = {":/guest"};
	o.includes = no_host;
	o.include_count = 1;
	refused(&o, -EINVAL, "HOST[:GUEST]");
	o.include_count = AVD__CELL_INCLUDES_MAX + 1;
	const char **many = calloc(o.include_count, sizeof(*many));
	for (size_t i = 0; i < o.include_count; i++)
		many[i] = "x";
	o.includes = many;
	refused(&o, -E2BIG, "include a directory");
	free(many);
	char *longer = malloc(AVD__CELL_ARGS_MAX + 1);
	memset(longer, 'x', AVD__CELL_ARGS_MAX);
	longer[AVD__CELL_ARGS_MAX] = '\0';
	const char *const argv[] = {"s", longer};
	o = least();
	o.scheduler = argv;
	o.scheduler_count = 2;
	refused(&o, -E2BIG, "arguments");
	free(longer);
}
END_TEST

START_TEST(topologies)
{
	static const char *const good[] = {"1", "2", "007", "252"};
	static const char *const bad[] = {"0", "253", "-1", "3n4l", "4 ", " 4", "4294967298", "x"};
	struct avd_cell_options o = least();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		o.topology = good[i];
		ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
		ck_assert_uint_eq(config.cpus, strtoul(good[i], NULL, 10));
		avd__cell_config_free(&config);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		o.topology = bad[i];
		refused(&o, -EINVAL, bad[i]);
	}
}
END_TEST

/* Defaults for many CPUs are larger; what was given stays. */
START_TEST(many_cpus)
{
	struct avd_cell_options o = least();
	o.topology = "near-max-llc"; /* 240: 224 more than a few */
	o.silence_timeout_ms = 1234;
	ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
	ck_assert_uint_eq(config.cpus, 240);
	ck_assert_uint_eq(config.options.memory_bytes, (1024 + 224 * 8) * AVD__MIB);
	ck_assert_uint_eq(config.options.timeout_ms, 600000 + 224 * 10000);
	ck_assert_uint_eq(config.options.boot_timeout_ms, 120000 + 224 * 4000);
	ck_assert_uint_eq(config.options.silence_timeout_ms, 1234);
	avd__cell_config_free(&config);
	o.memory_bytes = (256 + 224 * 3) * AVD__MIB;
	ck_assert_int_eq(avd__cell_config_init(&config, &o, &error), 0);
	avd__cell_config_free(&config);
	o.memory_bytes -= AVD__MIB;
	refused(&o, -EINVAL, "memory_bytes=927M is too little for 240 CPUs");
	refused(&o, -EINVAL, "928M");
}
END_TEST

START_TEST(numbers)
{
	struct avd_cell_options o = least();
#define REFUSED(member, number) \
	o = least();            \
	o.member = number;      \
	refused(&o, -EINVAL, #member)
	REFUSED(memory_bytes, AVD__CELL_MEMORY_MIN - AVD__MIB);
	REFUSED(memory_bytes, AVD__CELL_MEMORY_MAX + AVD__MIB);
	REFUSED(memory_bytes, AVD__CELL_MEMORY + 1);
	REFUSED(timeout_ms, AVD__CELL_TIME_MAX_MS + 1);
	REFUSED(boot_timeout_ms, UINT64_MAX);
	REFUSED(silence_timeout_ms, UINT64_MAX);
	REFUSED(idle_timeout_ms, UINT64_MAX);
	REFUSED(settle_ms, AVD__CELL_SETTLE_MAX_MS + 1);
	REFUSED(budget_cpu_ms, UINT64_MAX);
	REFUSED(budget_wall_ms, UINT64_MAX);
	REFUSED(payload_timeout_ms, UINT64_MAX);
	REFUSED(channel_limit, 1);
	REFUSED(machine, 77);
	REFUSED(dispatch, 77);
	REFUSED(no_verifier_stats, 2);
	REFUSED(verifier_log, 3);
	REFUSED(verifier_log, 5);
	REFUSED(carrier, 77);
	REFUSED(sandbox, 2);
	REFUSED(carrier, 77);
	o = least();
	o.kernel_args = "quiet\nloud";
	refused(&o, -EINVAL, "byte 5");
	char longer[AVD__CELL_KERNEL_ARGS_MAX + 2];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	o.kernel_args = longer;
	refused(&o, -E2BIG, "kernel_args");
}
END_TEST

static void check_split(const char *include, const char *want_host, const char *want_guest)
{
	char *host;
	const char *guest;
	ck_assert_int_eq(avd__cell_split_include(include, &host, &guest, &error), 0);
	ck_assert_str_eq(host, want_host);
	ck_assert_int_eq(guest == NULL, want_guest == NULL);
	if (guest)
		ck_assert_str_eq(guest, want_guest);
	free(host);
}

/* Each name that `attachverdict run` has, with a value that is taken and one that is not. */
START_TEST(options_by_name)
{
	static const struct {
		const char *name, *good, *bad, *told;
	} cases[] = {
		{"memory", "2G", "2", "memory '2' is no size: "},
		{"timeout", "90s", "90", "timeout '90' is no duration: "},
		{"machine", "kvm", "xen", "machine 'xen' is not auto, qemu or kvm"},
		{"dispatch", "off", "", "dispatch '' is not quick, off or full"},
		{"verifier-log", "4", "3", "verifier-log '3' is not 0, 1, 2 or 4"},
		{"verifier-stats", "off", "no", "verifier-stats 'no' is not on or off"},
		{"sandbox", "off", "Off", "sandbox 'Off' is not auto or off"},
	};
	struct avd_cell_options o = AVD_OPTIONS_INIT(struct avd_cell_options);
	char told[256];
	for (size_t i = 0; i < AVD__ARRAY_SIZE(cases); i++) {
		const struct avd_cell_options before = o;
		ck_assert_int_eq(avd_cell_options_set(&o, cases[i].name, cases[i].bad, told,
						      sizeof(told)),
				 -EINVAL);
		ck_assert_mem_eq(told, cases[i].told, strlen(cases[i].told));
		ck_assert_mem_eq(&o, &before, sizeof(o));
		ck_assert_int_eq(avd_cell_options_set(&o, cases[i].name, cases[i].good, NULL, 0),
				 0);
	}
	ck_assert_uint_eq(o.memory_bytes, UINT64_C(2) << 30);
	ck_assert_uint_eq(o.timeout_ms, 90000);
	ck_assert_uint_eq(o.machine, AVD_MACHINE_KVM);
	ck_assert_uint_eq(o.dispatch, AVD_DISPATCH_OFF);
	ck_assert_uint_eq(o.verifier_log, AVD_VERIFIER_LOG_STATS);
	ck_assert_uint_eq(o.no_verifier_stats, 1);
	ck_assert_uint_eq(o.sandbox, AVD_SANDBOX_OFF);
	ck_assert_int_eq(avd_cell_options_set(&o, "scheduler", "x", told, sizeof(told)), -EINVAL);
	ck_assert_int_eq(avd_cell_options_set(&o, NULL, "x", told, sizeof(told)), -EINVAL);
	/* A program that was built with an older release. */
	o.size = offsetof(struct avd_cell_options, verifier_log);
	ck_assert_int_eq(avd_cell_options_set(&o, "verifier-log", "1", told, sizeof(told)), -E2BIG);
	ck_assert_uint_eq(o.verifier_log, AVD_VERIFIER_LOG_STATS);
	ck_assert_int_eq(avd_cell_options_set(&o, "verifier-stats", "on", NULL, 0), 0);
}
END_TEST

START_TEST(includes_are_cut_at_the_last_root)
{
	check_split("/etc/passwd", "/etc/passwd", NULL);
	check_split("data:/guest/data", "data", "/guest/data");
	check_split("/odd:/name:/guest", "/odd:/name", "/guest");
	check_split("a:b", "a:b", NULL);
	check_split("C:", "C:", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cell-config");
	TCase *tc = tcase_create("config");
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, copies_everything);
	tcase_add_test(tc, options_of_other_releases);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, topologies);
	tcase_add_test(tc, many_cpus);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, options_by_name);
	tcase_add_test(tc, includes_are_cut_at_the_last_root);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
