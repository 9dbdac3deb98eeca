// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Whole cells on a fake machine: what ends them, and what is left of them. */
#include <attachverdict/attachverdict.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "fake_machine.h"

#define S UINT64_C(1000000000)

static char dir[64], path[96];
static avd_cell *cell;
static struct avd_cell_options options;
static struct avd_verdict verdict;
static int fds_before;

static int count_entries(const char *name)
{
	int count = 0;
	DIR *d = opendir(name);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.' || (e->d_name[1] && e->d_name[1] != '.');
	closedir(d);
	return count;
}

static void setup(void)
{
	fake_reset();
	options = fake_options();
	cell = NULL;
	snprintf(dir, sizeof(dir), "%s", "/tmp/avd-cell-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cell.avd", dir);
	fds_before = count_entries("/proc/self/fd");
}

/* Whatever happened: no descriptor, no machine, no file but the recording is left. */
static void teardown(void)
{
	avd_cell_free(cell);
	ck_assert_int_eq(count_entries("/proc/self/fd"), fds_before);
	ck_assert_int_eq(fake.starts, fake.frees);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void make(void)
{
	cell = fake_cell(&options);
	ck_assert_ptr_nonnull(cell);
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static size_t read_file(const char *name, uint8_t *out, size_t size)
{
	FILE *f = fopen(name, "r");
	ck_assert_ptr_nonnull(f);
	const size_t n = fread(out, 1, size, f);
	fclose(f);
	ck_assert_uint_lt(n, size);
	return n;
}

/* What the recording says must be what the live cell said. */
static void check_replay(void)
{
	static uint8_t bytes[1 << 20];
	const size_t size = read_file(path, bytes, sizeof(bytes));
	static const size_t slices[] = {1, 7, 4096, sizeof(bytes)};
	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		const struct avd_stream_options so = {.size = sizeof(so),
						      .flags = AVD_STREAM_RECORDING};
		avd_stream *stream;
		struct avd_verdict replayed;
		ck_assert_int_eq(avd_stream_new(&so, &stream), 0);
		for (size_t at = 0; at < size; at += slices[i])
			ck_assert_int_eq(avd_stream_feed(stream, bytes + at,
							 size - at < slices[i] ? size - at
									       : slices[i]),
					 0);
		ck_assert_int_eq(avd_stream_finish(stream), 0);
		ck_assert_int_eq(avd_stream_verdict(stream, &replayed), 0);
		avd_stream_free(stream);
		ck_assert_int_eq(avd_verdict_equal(&verdict, &replayed), 1);
	}
}

/* Runs to the end and expects a verdict. */
static void run(uint32_t outcome, uint32_t code)
{
	options.record_path = path;
	if (!cell)
		make();
	const int r = avd_cell_run(cell);
	ck_assert_msg(r == 0, "%d: %s", r, avd_cell_error(cell));
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_ENDED);
	ck_assert_int_eq(avd_stream_verdict(avd_cell_stream(cell), &verdict), 0);
	ck_assert_msg(verdict.outcome == outcome && verdict.reason_code == code, "%s (%s): %s",
		      avd_outcome_name(verdict.outcome), avd_reason_code_name(verdict.reason_code),
		      verdict.reason);
	if (access(path, F_OK) == 0)
		check_replay();
}

START_TEST(good_cell_passes)
{
	fake_good();
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_msg(verdict.result == AVD_RESULT_PASSED, "%s", verdict.result_reason);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_GUEST_SHUTDOWN);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(avd_cell_step(cell), 0); /* stays ended */
	ck_assert_int_eq(avd_cell_start(cell), -EINVAL);
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_ENDED);
}
END_TEST

START_TEST(machine_that_only_ends)
{
	static const uint32_t causes[][2] = {
		{AVD_END_GUEST_RESET, AVD_REASON_GUEST_RESET},
		{AVD_END_GUEST_SHUTDOWN, AVD_REASON_GUEST_SHUTDOWN},
		{AVD_END_TRIPLE_FAULT, AVD_REASON_TRIPLE_FAULT},
		{AVD_END_MACHINE_KILLED, AVD_REASON_MACHINE_ERROR},
		{AVD_END_VCPU_ERROR, AVD_REASON_MACHINE_ERROR},
	};
	fake_end(causes[_i][0]);
	run(AVD_OUTCOME_UNCONFIRMED, causes[_i][1]);
	ck_assert_uint_eq(verdict.end_cause, causes[_i][0]);
}
END_TEST

START_TEST(console_refines_only_what_is_unconfirmed)
{
	fake_text("[ 1.0] Kernel panic - not syncing: no init\r\n");
	fake_end(AVD_END_GUEST_RESET);
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_PANIC);
	ck_assert_ptr_nonnull(strstr(verdict.reason, "no init"));
}
END_TEST

START_TEST(console_can_not_spoil_a_clean_end)
{
	fake_text("Kernel panic - not syncing: says the scheduler\nOops: 1\n");
	fake_good();
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_msg(verdict.result == AVD_RESULT_PASSED, "%s", verdict.result_reason);
}
END_TEST

START_TEST(oops_before_the_watchdog)
{
	fake_frame(AVD_MSG_HELLO);
	fake_text("[ 1.0] BUG: unable to handle page fault for address: 0\r\n");
	fake.pace_wall = fake.pace_cpu = S;
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_OOPS);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_WATCHDOG);
	ck_assert_ptr_nonnull(strstr(verdict.reason, "page fault"));
}
END_TEST

START_TEST(watchdog_ends_a_dead_guest)
{
	static const struct {
		uint64_t wall, cpu;
		int frames;
		const char *option;
	} rules[] = {
		{S, S, 0, "boot_timeout_ms=120000"},
		{S, S, 1, "silence_timeout_ms=60000"},
		{S, 0, 1, "idle_timeout_ms=60000"},
		{S, S / 100, 1, "timeout_ms=600000"},
	};
	if (rules[_i].frames)
		fake_frame(AVD_MSG_HELLO);
	fake.pace_wall = rules[_i].wall;
	fake.pace_cpu = rules[_i].cpu;
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_WATCHDOG);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_WATCHDOG);
	ck_assert_msg(strstr(verdict.reason, rules[_i].option), "%s", verdict.reason);
	ck_assert_uint_eq(fake.stopped, AVD_END_WATCHDOG);
}
END_TEST

START_TEST(watchdog_after_the_attach_names_the_phase)
{
	fake_attach();
	fake.pace_wall = fake.pace_cpu = S;
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(verdict.result, AVD_RESULT_FAILED);
	ck_assert_msg(strstr(verdict.result_reason, "dispatch"), "%s", verdict.result_reason);
}
END_TEST

START_TEST(heartbeats_keep_a_cell_alive)
{
	fake_attach();
	for (int i = 0; i < 30; i++) {
		fake_time(50 * S / 10, 50 * S / 10);
		fake_frame(AVD_MSG_HEARTBEAT);
	}
	fake_frame(AVD_MSG_DONE);
	fake_end(AVD_END_GUEST_SHUTDOWN);
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(verdict.result, AVD_RESULT_PASSED);
}
END_TEST

/* The machine does not go although it was told to: the verdict comes all the same. */
START_TEST(stubborn_machine)
{
	fake.stubborn = 1;
	fake.pace_wall = fake.pace_cpu = S;
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_WATCHDOG);
	ck_assert_int_eq(fake.frees, 0); /* left to avd_cell_free(), which may block */
}
END_TEST

START_TEST(channel_over_its_limit)
{
	static uint8_t junk[32768];
	memset(junk, 0xd9, sizeof(junk));
	options.channel_limit = 65536;
	fake_frame(AVD_MSG_HELLO);
	for (int i = 0; i < 4; i++)
		fake_bytes(FAKE_CHANNEL, junk, sizeof(junk));
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_CHANNEL_CORRUPT);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_WATCHDOG);
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt(st.st_size, 65536 + 4096);
}
END_TEST

START_TEST(console_flood_is_bounded_and_no_progress)
{
	static char flood[4096];
	memset(flood, '\n', sizeof(flood));
	fake_frame(AVD_MSG_HELLO);
	for (int i = 0; i < 100; i++) {
		fake_bytes(FAKE_CONSOLE, flood, sizeof(flood));
		fake_time(S, S);
	}
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_WATCHDOG);
	ck_assert_uint_lt(fake.at, 130);
}
END_TEST

/* Neither may a frame of the host's be forged, nor `done` be used to stay for ever. */
START_TEST(forged_host_frames)
{
	struct avd_message m = {.kind = AVD_MSG_END_CAUSE,
				.u.end_cause.cause = AVD_END_GUEST_SHUTDOWN};
	fake_attach();
	fake_message(&m);
	fake_end(AVD_END_MACHINE_KILLED);
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_MACHINE_KILLED);
	ck_assert_uint_eq(verdict.result, AVD_RESULT_FAILED);
}
END_TEST

START_TEST(machine_that_can_not_be_read)
{
	fake_attach();
	fake.actions[fake.count++] = (struct fake_action){.kind = FAKE_ERROR, .cause = EIO};
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(verdict.result, AVD_RESULT_FAILED);
}
END_TEST

/* Not tried: the error of whoever failed, no machine, no file. */
static void run_fails(int want, const char *text)
{
	options.record_path = path;
	make();
	ck_assert_int_eq(avd_cell_run(cell), want);
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_FAILED);
	ck_assert_msg(strstr(avd_cell_error(cell), text), "%s", avd_cell_error(cell));
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(count_entries(dir), 0);
	ck_assert_int_eq(avd_cell_step(cell), want);
	ck_assert_int_eq(avd_cell_run(cell), want);
}

START_TEST(probe_fails)
{
	fake.probe_error = ENOENT;
	run_fails(-ENOENT, "no fake machine");
}
END_TEST

START_TEST(prepare_fails)
{
	fake.prepare_error = ENOEXEC;
	run_fails(-ENOEXEC, "nothing to boot");
}
END_TEST

START_TEST(start_fails)
{
	fake.start_error = EACCES;
	run_fails(-EACCES, "does not start");
}
END_TEST

START_TEST(record_directory_is_missing)
{
	snprintf(path, sizeof(path), "%s/none/cell.avd", dir);
	run_fails(-ENOENT, path);
}
END_TEST

START_TEST(keep_directory_is_missing)
{
	options.keep_dir = "/nonexistent/keep";
	run_fails(-ENOENT, "/nonexistent/keep");
}
END_TEST

START_TEST(full_disk_leaves_the_verdict)
{
	fake_good();
	options.record_path = path;
	write_file(path, "an older one");
	make();
	ck_assert_int_eq(avd_cell_start(cell), 0);
	ck_assert_int_eq(avd_cell_step(cell), 1);
	const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(dup2(full, cell->recording.fd), 0);
	close(full);
	int r;
	while ((r = avd_cell_step(cell)) > 0)
		;
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_ENDED);
	ck_assert_ptr_nonnull(strstr(avd_cell_error(cell), path));
	ck_assert_int_eq(avd_cell_run(cell), -ENOSPC);
	ck_assert_int_eq(avd_stream_verdict(avd_cell_stream(cell), &verdict), 0);
	ck_assert_uint_eq(verdict.result, AVD_RESULT_PASSED);
	uint8_t text[64];
	ck_assert_uint_eq(read_file(path, text, sizeof(text)), strlen("an older one"));
}
END_TEST

START_TEST(cancelled_before_the_start)
{
	options.record_path = path;
	make();
	avd_cell_cancel(cell);
	ck_assert_int_eq(avd_cell_run(cell), -ECANCELED);
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_FAILED);
	ck_assert_int_eq(fake.starts, 0);
	ck_assert_int_eq(count_entries(dir), 0);
}
END_TEST

START_TEST(cancelled_while_preparing)
{
	fake.cancel_in_prepare = 1;
	run_fails(-ECANCELED, "cancelled");
	ck_assert_int_eq(fake.starts, 0);
}
END_TEST

/* After `_i` steps; the older recording survives. */
START_TEST(cancelled_while_running)
{
	fake_good();
	options.record_path = path;
	write_file(path, "an older one");
	make();
	ck_assert_int_eq(avd_cell_start(cell), 0);
	for (int i = 0; i < _i; i++)
		ck_assert_int_eq(avd_cell_step(cell), 1);
	avd_cell_cancel(cell);
	avd_cell_cancel(cell);
	ck_assert_int_eq(avd_cell_run(cell), 0);
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_ENDED);
	ck_assert_int_eq(avd_stream_verdict(avd_cell_stream(cell), &verdict), 0);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_HOST_STOP);
	ck_assert_uint_eq(verdict.result, AVD_RESULT_FAILED);
	ck_assert_int_eq(count_entries(dir), 1);
	uint8_t text[64];
	ck_assert_uint_eq(read_file(path, text, sizeof(text)), strlen("an older one"));
	avd_cell_cancel(cell); /* too late: nothing happens */
	ck_assert_int_eq(avd_cell_step(cell), 0);
}
END_TEST

static void cancel_on_heartbeat(void *userdata, const struct avd_event *event)
{
	(void)userdata;
	if (event->message && event->message->kind == AVD_MSG_HEARTBEAT)
		avd_cell_cancel(cell);
}

START_TEST(cancelled_from_a_callback)
{
	fake_attach();
	options.on_event = cancel_on_heartbeat;
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_HOST_STOP);
}
END_TEST

static sem_t attached;

static void post_on_heartbeat(void *userdata, const struct avd_event *event)
{
	(void)userdata;
	if (event->message && event->message->kind == AVD_MSG_HEARTBEAT)
		sem_post(&attached);
}

static void *cancel_when_attached(void *unused)
{
	(void)unused;
	while (sem_wait(&attached) < 0)
		;
	avd_cell_cancel(cell);
	return NULL;
}

START_TEST(cancelled_from_another_thread)
{
	pthread_t thread;
	fake_attach();
	options.on_event = post_on_heartbeat;
	fake.pace_wall = S / 10000; /* six million steps until the watchdog */
	fake.pace_cpu = S / 10000;
	options.record_path = path;
	make();
	ck_assert_int_eq(sem_init(&attached, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_when_attached, NULL), 0);
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(verdict.end_cause, AVD_END_HOST_STOP);
}
END_TEST

START_TEST(freed_in_any_state)
{
	fake_good();
	options.record_path = path;
	make();
	if (_i > 0)
		ck_assert_int_eq(avd_cell_start(cell), 0);
	for (int i = 1; i < _i; i++)
		avd_cell_step(cell);
	avd_cell_free(cell);
	cell = NULL;
	ck_assert_int_eq(count_entries(dir), _i > (int)fake.count ? 1 : 0);
}
END_TEST

START_TEST(calls_out_of_place)
{
	make();
	ck_assert_int_eq(avd_cell_step(cell), -EINVAL);
	ck_assert_int_eq(avd_cell_fd(cell), -EINVAL);
	ck_assert_ptr_null(avd_cell_stream(cell));
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_NEW);
	ck_assert_int_eq(avd_cell_start(cell), 0);
	ck_assert_int_ge(avd_cell_fd(cell), 0);
	ck_assert_int_eq(avd_cell_start(cell), -EINVAL);
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_RUNNING);
	avd_cell_free(NULL);
}
END_TEST

/* The caller's own loop: the descriptor is readable while there is work, and for a timer. */
START_TEST(polled_by_the_caller)
{
	fake_good();
	make();
	ck_assert_int_eq(avd_cell_start(cell), 0);
	struct pollfd fd = {.fd = avd_cell_fd(cell), .events = POLLIN};
	int r;
	do {
		ck_assert_int_eq(poll(&fd, 1, -1), 1);
		ck_assert_int_eq(fd.revents, POLLIN);
	} while ((r = avd_cell_step(cell)) > 0);
	ck_assert_int_eq(r, 0);
}
END_TEST

static struct {
	uint64_t frames, host_frames, console;
} seen;

static void count_event(void *userdata, const struct avd_event *event)
{
	ck_assert_ptr_eq(userdata, &seen);
	if (event->type == AVD_EVENT_FRAME)
		*(event->seq < AVD_HOST_SEQ_BASE ? &seen.frames : &seen.host_frames) += 1;
}

static void count_console(void *userdata, const void *bytes, size_t size)
{
	ck_assert_ptr_eq(userdata, &seen);
	ck_assert_int_eq(memcmp(bytes, "hi", size), 0);
	seen.console += size;
}

START_TEST(callbacks_see_everything)
{
	memset(&seen, 0, sizeof(seen));
	fake_text("hi");
	fake_good();
	options.on_event = count_event;
	options.on_console = count_console;
	options.userdata = &seen;
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_uint_eq(seen.host_frames, 2);
	ck_assert_uint_eq(seen.frames, fake.count - 2);
	ck_assert_uint_eq(seen.console, 2);
}
END_TEST

START_TEST(keeps_what_was_asked_for)
{
	static const char *const names[] = {"initramfs.cpio", "console.log", "channel.bin"};
	char name[128];
	uint8_t bytes[65536];
	options.keep_dir = dir;
	fake_text("hi");
	fake_good();
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat st;
		snprintf(name, sizeof(name), "%s/%s", dir, names[i]);
		ck_assert_int_eq(stat(name, &st), 0);
		ck_assert_uint_eq(st.st_mode & 0777, 0600);
		const size_t size = read_file(name, bytes, sizeof(bytes));
		ck_assert_uint_eq(size, i == 1 ? 2 : i == 2 ? cell->channel_bytes : 0);
		unlink(name);
	}
}
END_TEST

/* Each allocation of a whole cell fails once: an error, never a verdict that is not there. */
START_TEST(out_of_memory)
{
	unsigned int failed = 0;
	options.record_path = path;
	options.keep_dir = NULL;
	for (unsigned int n = 1;; n++) {
		fake_reset();
		fake_good();
		alloc_fail_at(n);
		cell = fake_cell(&options);
		const int r = cell ? avd_cell_run(cell) : -ENOMEM;
		const int hit = alloc_count() >= n;
		alloc_fail_at(0);
		if (!hit) { /* nothing left to fail */
			ck_assert_int_eq(r, 0);
			ck_assert_uint_gt(failed, 10);
			return;
		}
		failed++;
		ck_assert_msg(r == -ENOMEM, "allocation %u: %d (%s)", n, r,
			      cell ? avd_cell_error(cell) : "");
		if (cell) {
			ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_FAILED);
			ck_assert_msg(strstr(avd_cell_error(cell), "emory"), "allocation %u: %s", n,
				      avd_cell_error(cell));
		}
		ck_assert_int_eq(count_entries(dir), 0);
		avd_cell_free(cell);
		ck_assert_int_eq(count_entries("/proc/self/fd"), fds_before);
		ck_assert_int_eq(fake.starts, fake.frees);
		cell = NULL;
	}
}
END_TEST

START_TEST(transitions)
{
	for (int state = 0; state < AVD__CELL_STATE_COUNT; state++) {
		for (int input = 0; input < AVD__CELL_INPUT_COUNT; input++) {
			const enum avd__cell_state to = avd__cell_next((enum avd__cell_state)state,
								       (enum avd__cell_input)input);
			/* What has ended stays so, and nothing comes back to the beginning. */
			if (state == AVD__CELL_ENDED || state == AVD__CELL_FAILED ||
			    state == AVD__CELL_NONE)
				ck_assert_int_eq(to, AVD__CELL_NONE);
			ck_assert(to == AVD__CELL_NONE || (int)to > state);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cell-run");
	TCase *tc = tcase_create("run");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, good_cell_passes);
	tcase_add_loop_test(tc, machine_that_only_ends, 0, 5);
	tcase_add_test(tc, console_refines_only_what_is_unconfirmed);
	tcase_add_test(tc, console_can_not_spoil_a_clean_end);
	tcase_add_test(tc, oops_before_the_watchdog);
	tcase_add_loop_test(tc, watchdog_ends_a_dead_guest, 0, 4);
	tcase_add_test(tc, watchdog_after_the_attach_names_the_phase);
	tcase_add_test(tc, heartbeats_keep_a_cell_alive);
	tcase_add_test(tc, stubborn_machine);
	tcase_add_test(tc, channel_over_its_limit);
	tcase_add_test(tc, console_flood_is_bounded_and_no_progress);
	tcase_add_test(tc, forged_host_frames);
	tcase_add_test(tc, machine_that_can_not_be_read);
	tcase_add_test(tc, probe_fails);
	tcase_add_test(tc, prepare_fails);
	tcase_add_test(tc, start_fails);
	tcase_add_test(tc, record_directory_is_missing);
	tcase_add_test(tc, keep_directory_is_missing);
	tcase_add_test(tc, full_disk_leaves_the_verdict);
	tcase_add_test(tc, cancelled_before_the_start);
	tcase_add_test(tc, cancelled_while_preparing);
	tcase_add_loop_test(tc, cancelled_while_running, 0, 12);
	tcase_add_test(tc, cancelled_from_a_callback);
	tcase_add_test(tc, cancelled_from_another_thread);
	tcase_add_loop_test(tc, freed_in_any_state, 0, 16);
	tcase_add_test(tc, calls_out_of_place);
	tcase_add_test(tc, polled_by_the_caller);
	tcase_add_test(tc, callbacks_see_everything);
	tcase_add_test(tc, keeps_what_was_asked_for);
	tcase_add_test(tc, out_of_memory);
	tcase_add_test(tc, transitions);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
