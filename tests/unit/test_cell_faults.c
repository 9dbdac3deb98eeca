// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Cells that fail, are cancelled or freed on the way: what is left of them. */
#include <attachverdict/attachverdict.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "cell_kit.h"

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
	TCase *tc = tcase_create("faults");
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
	return run_case("cell-faults", tc);
}
