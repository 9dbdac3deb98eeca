// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Cells on a real kernel in a real machine, through the public interface alone. */
#include <attachverdict/attachverdict.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/run_suite.h"
#include "real_kernel.h"

/* Catches a hang of the library, judges nothing. */
#define TIMEOUT_SECONDS 600

static const char *kernel, *const *scheduler;
static size_t scheduler_count;
static char dir[64], path[96];
static struct avd_cell_options options;
static avd_cell *cell;
static struct avd_verdict verdict;
static int fds_before;

/* The children of any thread of this process: their pids, and how many. */
static int children(pid_t *ret_first)
{
	int count = 0;
	DIR *d = opendir("/proc/self/task");
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		char name[300];
		int pid;
		snprintf(name, sizeof(name), "/proc/self/task/%s/children", e->d_name);
		FILE *f = fopen(name, "r");
		while (f && fscanf(f, "%d", &pid) == 1) {
			if (count++ == 0 && ret_first)
				*ret_first = pid;
		}
		if (f)
			fclose(f);
	}
	closedir(d);
	return count;
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/avd-real-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cell.avd", dir);
	options = (struct avd_cell_options)AVD_OPTIONS_INIT(struct avd_cell_options);
	options.kernel = kernel;
	options.scheduler = scheduler;
	options.scheduler_count = scheduler_count;
	options.record_path = path;
	fds_before = count_entries("/proc/self/fd");
}

static void teardown(void)
{
	avd_cell_free(cell);
	cell = NULL;
	ck_assert_int_eq(children(NULL), 0);
	wait_for_threads(1);
	ck_assert_int_eq(count_entries("/proc/self/fd"), fds_before);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void make(void)
{
	char error[512] = "";
	const int r = avd_cell_new(&options, &cell, error, sizeof(error));
	ck_assert_msg(r == 0, "%s", error);
}

static void run(void)
{
	if (!cell)
		make();
	const int r = avd_cell_run(cell);
	ck_assert_msg(r == 0, "%d: %s", r, avd_cell_error(cell));
	ck_assert_int_eq(avd_stream_verdict(avd_cell_stream(cell), &verdict), 0);
}

static void expect(uint32_t outcome, uint32_t result, uint32_t end_cause)
{
	char line[2200];
	avd_verdict_print(&verdict, line, sizeof(line));
	ck_assert_msg(verdict.outcome == outcome, "%s", line);
	ck_assert_msg(verdict.result == result, "%s; %s", line, verdict.result_reason);
	ck_assert_msg(verdict.end_cause == end_cause, "%s: %s", line,
		      avd_end_cause_name(verdict.end_cause));
}

static uint32_t phases[16], phase_count;

static void note_phase(void *userdata, const struct avd_event *event)
{
	(void)userdata;
	ck_assert_uint_eq(event->type, AVD_EVENT_FRAME); /* no gap, no fault */
	if (event->message && event->message->kind == AVD_MSG_PHASE && phase_count < 16)
		phases[phase_count++] = event->message->u.phase.phase;
}

START_TEST(good_scheduler_passes)
{
	options.on_event = note_phase;
	run();
	expect(AVD_OUTCOME_ATTACHED, AVD_RESULT_PASSED, AVD_END_GUEST_SHUTDOWN);
	ck_assert_uint_ge(phase_count, 4);
	for (uint32_t i = 1; i < phase_count; i++)
		ck_assert_uint_lt(phases[i - 1], phases[i]);
	/* The recording alone says the same. */
	char error[512] = "";
	avd_stream *replay;
	struct avd_verdict replayed;
	ck_assert_msg(avd_recording_read(path, &replay, error, sizeof(error)) == 0, "%s", error);
	ck_assert_int_eq(avd_stream_verdict(replay, &replayed), 0);
	avd_stream_free(replay);
	ck_assert_int_eq(avd_verdict_equal(&verdict, &replayed), 1);
}
END_TEST

static uint32_t cancel_kind;

static void cancel_at(void *userdata, const struct avd_event *event)
{
	(void)userdata;
	if (event->message && event->message->kind == cancel_kind)
		avd_cell_cancel(cell);
}

START_TEST(cancelled_on_the_way)
{
	static const struct {
		uint32_t kind, outcome;
	} moments[] = {{AVD_MSG_HELLO, AVD_OUTCOME_UNCONFIRMED},
		       {AVD_MSG_PAYLOAD_STARTING, AVD_OUTCOME_ATTACHED}};
	cancel_kind = moments[_i].kind;
	options.on_event = cancel_at;
	run();
	expect(moments[_i].outcome, AVD_RESULT_FAILED, AVD_END_HOST_STOP);
	ck_assert_int_eq(children(NULL), 0); /* before the cell is freed */
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(freed_while_it_boots)
{
	make();
	ck_assert_int_eq(avd_cell_start(cell), 0);
	struct pollfd fd = {.fd = avd_cell_fd(cell), .events = POLLIN};
	ck_assert_int_eq(poll(&fd, 1, -1), 1);
	ck_assert_int_ge(avd_cell_step(cell), 0);
	avd_cell_free(cell);
	cell = NULL;
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

static void kill_machine(void *userdata, const struct avd_event *event)
{
	pid_t child;
	(void)userdata;
	if (event->message && event->message->kind == AVD_MSG_SCHEDULER_STARTED) {
		ck_assert_int_eq(children(&child), 1);
		ck_assert_int_eq(kill(child, SIGKILL), 0);
	}
}

START_TEST(machine_is_killed)
{
	options.machine = AVD_MACHINE_QEMU;
	options.on_event = kill_machine;
	run();
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_RESULT_FAILED, AVD_END_MACHINE_KILLED);
	ck_assert_uint_eq(verdict.reason_code, AVD_REASON_MACHINE_ERROR);
}
END_TEST

/* Two cells side by side in one loop of the caller's. */
START_TEST(two_at_once)
{
	avd_cell *cells[2];
	struct pollfd fds[2];
	int running = 2;
	options.record_path = NULL;
	for (int i = 0; i < 2; i++) {
		char error[512] = "";
		ck_assert_msg(avd_cell_new(&options, &cells[i], error, sizeof(error)) == 0, "%s",
			      error);
		ck_assert_msg(avd_cell_start(cells[i]) == 0, "%s", avd_cell_error(cells[i]));
		fds[i] = (struct pollfd){.fd = avd_cell_fd(cells[i]), .events = POLLIN};
	}
	while (running) {
		ck_assert_int_ge(poll(fds, 2, -1), 1);
		for (int i = 0; i < 2; i++) {
			if (!fds[i].revents || fds[i].fd < 0)
				continue;
			const int r = avd_cell_step(cells[i]);
			ck_assert_int_ge(r, 0);
			if (r == 0) {
				fds[i].fd = -1;
				running--;
			}
		}
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(avd_stream_verdict(avd_cell_stream(cells[i]), &verdict), 0);
		expect(AVD_OUTCOME_ATTACHED, AVD_RESULT_PASSED, AVD_END_GUEST_SHUTDOWN);
		avd_cell_free(cells[i]);
	}
}
END_TEST

START_TEST(watchdog_ends_a_guest_that_waits)
{
	options.kernel_args = "rdinit=/none root=/dev/none rootwait";
	options.idle_timeout_ms = 3000;
	run();
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_RESULT_FAILED, AVD_END_WATCHDOG);
	ck_assert_uint_eq(verdict.reason_code, AVD_REASON_WATCHDOG);
	ck_assert_msg(strstr(verdict.reason, "idle_timeout_ms=3000"), "%s", verdict.reason);
}
END_TEST

START_TEST(panic_is_read_from_the_console)
{
	options.kernel_args = "rdinit=/none root=/dev/none";
	run();
	expect(AVD_OUTCOME_UNCONFIRMED, AVD_RESULT_FAILED, AVD_END_GUEST_RESET);
	ck_assert_uint_eq(verdict.reason_code, AVD_REASON_PANIC);
	ck_assert_msg(strstr(verdict.reason, "Unable to mount root fs"), "%s", verdict.reason);
}
END_TEST

int main(int argc, char **argv)
{
	kernel = real_kernel();
	if (!kernel)
		return EXIT_SKIPPED;
	if (argc < 2) {
		fprintf(stderr, "usage: %s SCHEDULER [ARGUMENT...]\n", argv[0]);
		return 2;
	}
	scheduler = (const char *const *)&argv[1];
	scheduler_count = (size_t)argc - 1;
	Suite *suite = suite_create("cell-real");
	TCase *tc = tcase_create("real");
	tcase_set_timeout(tc, TIMEOUT_SECONDS);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, good_scheduler_passes);
	tcase_add_loop_test(tc, cancelled_on_the_way, 0, 2);
	tcase_add_test(tc, freed_while_it_boots);
	tcase_add_test(tc, machine_is_killed);
	tcase_add_test(tc, two_at_once);
	tcase_add_test(tc, watchdog_ends_a_guest_that_waits);
	tcase_add_test(tc, panic_is_read_from_the_console);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
