// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Whole cells on a fake machine: what ends them. */
#include <attachverdict/attachverdict.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/planned.h"
#include "cell_kit.h"
#include "verdict/evidence.h"

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

/* A job that is suspended, with its machine, and goes on: no rule of the watchdog bites. */
START_TEST(a_suspended_process_goes_on)
{
	fake_attach();
	fake_time(S, S);
	fake_time(3600 * S, 0); /* longer than any of the limits */
	for (int i = 0; i < 30; i++)
		fake_time(S, 0);
	fake_frame(AVD_MSG_DONE);
	fake_time(3600 * S, 0);
	fake_end(AVD_END_GUEST_SHUTDOWN);
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	ck_assert_msg(verdict.result == AVD_RESULT_PASSED, "%s", verdict.result_reason);
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

/* The same where the time to give up at passes in the middle of a step, after the machine's last
 * words: the wait for it must not become one without end. */
START_TEST(stubborn_machine_at_the_last_moment)
{
	fake.stubborn = 1;
	fake.quiet = 1;
	fake_text("last words\n");
	make();
	ck_assert_int_eq(avd_cell_start(cell), 0);
	avd_cell_cancel(cell);
	fake.looks = 3; /* as it stops the machine; after its step; for the watchdog */
	fake.leap = 11 * S;
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_HOST_STOP);
	ck_assert_uint_eq(fake.looks, 0);
}
END_TEST

/* Cancelled as it goes on after a pause: the machine gets its time to end all the same. */
START_TEST(cancelled_after_a_pause)
{
	fake.stubborn = 1;
	fake.pace_wall = S;
	make();
	ck_assert_int_eq(avd_cell_start(cell), 0);
	ck_assert_int_eq(avd_cell_step(cell), 1);
	fake.now += 60 * S;
	const uint64_t then = fake.now;
	avd_cell_cancel(cell);
	run(AVD_OUTCOME_UNCONFIRMED, AVD_REASON_HOST_STOP);
	ck_assert_uint_ge(fake.now - then, 10 * S);
	ck_assert_uint_lt(fake.now - then, 20 * S);
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

static struct avd_msg_end_cause told;

static void take_end(void *userdata, const struct avd_event *event)
{
	(void)userdata;
	if (event->message && event->message->kind == AVD_MSG_END_CAUSE)
		told = event->message->u.end_cause;
}

/* What the handle says and what the recording will say are the same. */
START_TEST(statistics_are_recorded)
{
	struct avd_machine_stats stats = AVD_OPTIONS_INIT(struct avd_machine_stats);
	memset(&told, 0, sizeof(told));
	fake.stats.valid = _i ? AVD_STAT_EXITS | AVD_STAT_MEMORY : 0;
	fake.stats.exits = 251;
	fake.stats.ram_resident_bytes = 111;
	fake.stats.overhead_bytes = 77;
	fake_time(5 * S, 3 * S);
	fake_good();
	options.on_event = take_end;
	make();
	ck_assert_int_eq(avd_cell_get_stats(cell, &stats), -EINVAL);
	ck_assert_int_eq(avd_cell_start(cell), 0);
	ck_assert_int_eq(avd_cell_get_stats(cell, &stats), 0);
	ck_assert_uint_eq(stats.valid & (AVD_STAT_INIT | AVD_STAT_VERDICT), 0);
	ck_assert_int_eq(avd_cell_run(cell), 0);
	ck_assert_int_eq(avd_cell_get_stats(cell, &stats), 0);
	ck_assert_uint_eq(stats.valid,
			  AVD_STAT_CPU | AVD_STAT_INIT | AVD_STAT_VERDICT | fake.stats.valid);
	ck_assert_uint_eq(stats.cpu_ns, 3 * S);
	ck_assert_uint_ge(stats.init_ns, 5 * S);
	ck_assert_uint_gt(stats.verdict_ns, stats.init_ns);
	ck_assert_uint_eq(stats.exits, _i ? 251 : 0);
	ck_assert_uint_eq(stats.overhead_bytes, _i ? 77 : 0);
	ck_assert_uint_eq(told.stats_valid, stats.valid & ~(uint32_t)AVD_STAT_CPU);
	ck_assert_uint_eq(told.machine_cpu_ns, stats.cpu_ns);
	ck_assert_uint_eq(told.exits, stats.exits);
	ck_assert_uint_eq(told.exits_io, stats.exits_io);
	ck_assert_uint_eq(told.init_ns, stats.init_ns);
	ck_assert_uint_eq(told.verdict_ns, stats.verdict_ns);
	ck_assert_uint_eq(told.ram_resident_bytes, stats.ram_resident_bytes);
	ck_assert_uint_eq(told.overhead_bytes, stats.overhead_bytes);
}
END_TEST

/* A cell of a plan says of which one it is; one that is run alone says none. */
START_TEST(recordings_name_their_cell)
{
	char id[] = "7.3/fifo/2";
	fake_good();
	make();
	if (_i)
		ck_assert_int_eq(avd__cell_set_planned(cell, id, UINT64_MAX), 0);
	memset(id, 'x', sizeof(id) - 1); /* it was copied */
	run(AVD_OUTCOME_ATTACHED, AVD_REASON_NONE);
	const struct avd__evidence *evidence = avd__stream_evidence(avd_cell_stream(cell));
	ck_assert_str_eq(evidence->id, _i ? "7.3/fifo/2" : "");
	ck_assert_uint_eq(evidence->digest, _i ? UINT64_MAX : 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("run");
	tcase_add_loop_test(tc, statistics_are_recorded, 0, 2);
	tcase_add_loop_test(tc, recordings_name_their_cell, 0, 2);
	tcase_add_test(tc, good_cell_passes);
	tcase_add_loop_test(tc, machine_that_only_ends, 0, 5);
	tcase_add_test(tc, console_refines_only_what_is_unconfirmed);
	tcase_add_test(tc, console_can_not_spoil_a_clean_end);
	tcase_add_test(tc, oops_before_the_watchdog);
	tcase_add_loop_test(tc, watchdog_ends_a_dead_guest, 0, 4);
	tcase_add_test(tc, watchdog_after_the_attach_names_the_phase);
	tcase_add_test(tc, heartbeats_keep_a_cell_alive);
	tcase_add_test(tc, a_suspended_process_goes_on);
	tcase_add_test(tc, stubborn_machine);
	tcase_add_test(tc, stubborn_machine_at_the_last_moment);
	tcase_add_test(tc, cancelled_after_a_pause);
	tcase_add_test(tc, channel_over_its_limit);
	tcase_add_test(tc, console_flood_is_bounded_and_no_progress);
	tcase_add_test(tc, forged_host_frames);
	tcase_add_test(tc, machine_that_can_not_be_read);
	return run_case("cell-run", tc);
}
