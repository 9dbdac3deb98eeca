// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What a stream keeps beside the verdict: bounded, escaped, the telling part. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "codec/frame.h"
#include "codec/message.h"
#include "verdict/evidence.h"
#include "verdict_kit.h"

#define RECORDING AVD_STREAM_RECORDING

static struct kit kit;
static uint8_t frame[AVD__FRAME_MAX];

static avd_stream *judged(void)
{
	avd_stream *const stream = kit_stream(kit.flags, NULL, NULL);
	ck_assert_int_eq(avd_stream_feed(stream, kit.bytes, kit.size), 0);
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	return stream;
}

static void feed_message(avd_stream *stream, const struct avd_message *message)
{
	const size_t size = avd__message_frame(message, kit.seq++, frame, sizeof(frame));
	ck_assert_uint_gt(size, 0);
	ck_assert_int_eq(avd_stream_feed(stream, frame, size), 0);
}

START_TEST(facts_of_a_passing_cell)
{
	kit_pass(&kit, RECORDING);
	avd_stream *const stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_int_eq(ev->have_cell && ev->have_hello && ev->have_started && ev->have_attached &&
				 ev->have_payload_starting && ev->have_dispatch &&
				 ev->have_payload_exit && ev->have_done && ev->have_end_cause,
			 1);
	ck_assert_int_eq(ev->have_failure || ev->have_scheduler_exit || ev->have_init_failed, 0);
	ck_assert_str_eq(ev->kernel, "/boot/vmlinuz");
	ck_assert_str_eq(ev->release, "6.16.12");
	ck_assert_str_eq(ev->ops, "fifo");
	ck_assert_ptr_eq(ev->attached.ops.data, ev->ops);
	ck_assert_uint_eq(ev->attached.enable_seq, 8);
	ck_assert_uint_eq(ev->pid, 100);
	ck_assert_mem_eq(ev->scheduler, "/usr/bin/scx_fifo", ev->scheduler_len);
	ck_assert_mem_eq(ev->payload, "/bin/true", ev->payload_len);
	ck_assert_uint_eq(ev->last_phase, AVD_PHASE_GATE);
	ck_assert_uint_eq(ev->phase_ns[AVD_PHASE_START], UINT64_C(2002000000));
	ck_assert_uint_eq(ev->phase_ns[AVD_PHASE_GATE], UINT64_C(2004000000));
	ck_assert_uint_eq(ev->first_ns, UINT64_C(2001000000));
	ck_assert_uint_eq(ev->last_ns, UINT64_C(2011000000));
	ck_assert_uint_eq(ev->frames, kit.count);
	ck_assert_uint_eq(ev->bytes, kit.size);
	ck_assert_uint_eq(ev->gaps + ev->faults + ev->skipped_bytes, 0);
	ck_assert_str_eq(ev->first_fault, "");
	ck_assert_uint_eq(ev->dispatch_cpus[0], 3);
	avd_stream_free(stream);
}
END_TEST

START_TEST(text_of_the_guest_is_escaped)
{
	static const char wild[] = "a\x1b[31m\0b";
	const struct avd_str words = {wild, sizeof(wild) - 1};
	struct avd_message attached = kit_message(AVD_MSG_SCHEDULER_ATTACHED);
	struct avd_message gone = kit_message(AVD_MSG_SCHEDULER_EXIT);
	struct avd_message line = {.kind = AVD_MSG_KERNEL_LOG};
	attached.u.attached.ops = words;
	gone.u.scheduler_exit.reason = gone.u.scheduler_exit.message = words;
	line.u.kernel_log.bytes = (struct avd_bytes){(const uint8_t *)"sched_ext: \x07", 12};
	kit_start(&kit, RECORDING);
	kit_boot(&kit);
	kit_add_message(&kit, &attached);
	kit_add_message(&kit, &gone);
	kit_add_message(&kit, &line);
	avd_stream *const stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_str_eq(ev->ops, "a\\x1b[31m\\x00b");
	ck_assert_uint_eq(ev->attached.ops.len, strlen(ev->ops));
	ck_assert_str_eq(ev->exit_reason, ev->ops);
	ck_assert_str_eq(ev->exit_message, ev->ops);
	ck_assert_str_eq(avd__evidence_kernel_line(ev, 0)->text, "sched_ext: \\x07");
	avd_stream_free(stream);
}
END_TEST

/* The tail is the end of all that came, whatever the pieces. */
START_TEST(output_tails)
{
	static char all[400000], tail[AVD__EVIDENCE_TAIL];
	uint64_t state = 5;
	for (int round = 0; round < 40; round++) {
		size_t total = 0;
		kit_start(&kit, 0);
		avd_stream *const stream = kit_stream(0, NULL, NULL);
		for (int i = 0; i < 20; i++) {
			struct avd_message log = kit_message(AVD_MSG_LOG);
			size_t n = kit_random(&state) % (round % 4 ? 3000 : 20000);
			if (i == 7)
				n = AVD__EVIDENCE_TAIL + (size_t)(round - 20);
			for (size_t j = 0; j < n; j++)
				all[total + j] = (char)kit_random(&state);
			log.u.log.stream = AVD_STREAM_SCHEDULER_STDERR;
			log.u.log.bytes = (struct avd_bytes){(uint8_t *)all + total, n};
			total += n;
			feed_message(stream,
				     i ? &log : &(struct avd_message){.kind = AVD_MSG_PHASE});
			if (i == 0)
				total = 0;
			const struct avd__tail *const kept =
				&avd__stream_evidence(stream)->output[AVD_STREAM_SCHEDULER_STDERR];
			const size_t want = total < sizeof(tail) ? total : sizeof(tail);
			ck_assert_uint_eq(kept->total, total);
			ck_assert_uint_eq(avd__tail_copy(kept, tail), want);
			if (want)
				ck_assert_mem_eq(tail, all + total - want, want);
		}
		avd_stream_free(stream);
	}
}
END_TEST

START_TEST(dropped_output_and_unknown_streams)
{
	kit_start(&kit, 0);
	kit_add(&kit, AVD_MSG_HELLO);
	struct avd_message log = kit_message(AVD_MSG_LOG);
	log.u.log.dropped = 77;
	kit_add_message(&kit, &log);
	log.u.log.dropped = 5; /* counts only grow */
	kit_add_message(&kit, &log);
	log.u.log.bytes = (struct avd_bytes){(const uint8_t *)"x", 1};
	log.u.log.stream = 0;
	kit_add_message(&kit, &log);
	log.u.log.stream = 6;
	kit_add_message(&kit, &log);
	log.u.log.stream = UINT32_MAX;
	kit_add_message(&kit, &log);
	avd_stream *const stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_uint_eq(ev->output_dropped[AVD_STREAM_SCHEDULER_STDOUT], 77);
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(ev->output[i].total, 0);
	ck_assert_uint_eq(ev->faults, 0);
	avd_stream_free(stream);
}
END_TEST

START_TEST(kernel_lines_first_and_last)
{
	for (unsigned int count = 0; count < 200; count += 7) {
		kit_start(&kit, 0);
		avd_stream *const stream = kit_stream(0, NULL, NULL);
		feed_message(stream, &(struct avd_message){.kind = AVD_MSG_PHASE});
		for (unsigned int i = 0; i < count; i++) {
			char text[64];
			struct avd_message line = {.kind = AVD_MSG_KERNEL_LOG};
			const int n = snprintf(text, sizeof(text), "sched_ext: line %u", i);
			line.u.kernel_log.bytes = (struct avd_bytes){(uint8_t *)text, (size_t)n};
			line.u.kernel_log.log_time_us = i;
			feed_message(stream, &line);
			line.u.kernel_log.bytes = (struct avd_bytes){(const uint8_t *)"usb 1", 5};
			feed_message(stream, &line); /* tells nothing */
		}
		const struct avd__evidence *const ev = avd__stream_evidence(stream);
		const unsigned int max = AVD__EVIDENCE_KERNEL_LINES;
		ck_assert_uint_eq(ev->kernel_lines_total, count);
		ck_assert_uint_eq(ev->kernel_line_count, count < max ? count : max);
		for (unsigned int i = 0; i < ev->kernel_line_count; i++) {
			const unsigned int want = i < 16 || count <= max ? i : count - max + i;
			ck_assert_uint_eq(avd__evidence_kernel_line(ev, i)->time_us, want);
		}
		avd_stream_free(stream);
	}
}
END_TEST

START_TEST(which_kernel_lines_tell)
{
	static const struct {
		const char *text;
		int tells;
	} cases[] = {
		{"sched_ext: BPF scheduler \"fifo\" enabled", 1},
		{"Kernel panic - not syncing: Attempted to kill init!", 1},
		{"Oops: int3: 0000 [#1] SMP", 1},
		{"BUG: kernel NULL pointer dereference", 1},
		{"WARNING: CPU: 0 PID: 1 at kernel/sched/ext.c:1", 1},
		{"RIP: 0010:foo+0x1/0x2", 1},
		{"rcu: INFO: rcu_preempt self-detected stall on CPU", 1},
		{"watchdog: BUG: soft lockup - CPU#1 stuck for 22s!", 1},
		{"traps: x[1] general protection fault ip:1", 1},
		{"Out of memory: Killed process 7 (scx)", 1},
		{"ACPI: PM-Timer IO Port: 0x608", 0},
		{"", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct avd_message line = {.kind = AVD_MSG_KERNEL_LOG};
		line.u.kernel_log.bytes =
			(struct avd_bytes){(const uint8_t *)cases[i].text, strlen(cases[i].text)};
		kit_start(&kit, 0);
		kit_add(&kit, AVD_MSG_HELLO);
		kit_add_message(&kit, &line);
		avd_stream *const stream = judged();
		ck_assert_msg(avd__stream_evidence(stream)->kernel_line_count ==
				      (uint32_t)cases[i].tells,
			      "%s", cases[i].text);
		avd_stream_free(stream);
	}
}
END_TEST

START_TEST(long_commands_are_cut)
{
	static uint8_t items[8192];
	struct avd_message cell = kit_message(AVD_MSG_CELL);
	struct avd_strv argv = {{items, 0}, 0};
	char longer[300];
	memset(longer, 'x', sizeof(longer));
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(avd__strv_put(items, sizeof(items), &argv.cbor.len, &argv.count,
					       longer, sizeof(longer)),
				 0);
	cell.u.cell.scheduler = argv;
	kit_start_cell(&kit, &cell.u.cell);
	avd_stream *const stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_uint_le(ev->scheduler_len, sizeof(ev->scheduler));
	ck_assert_uint_gt(ev->scheduler_len, sizeof(ev->scheduler) - 3);
	ck_assert_int_eq(ev->scheduler[ev->scheduler_len - 1], '\0');
	ck_assert_uint_eq(strlen(ev->scheduler), sizeof(longer));
	avd_stream_free(stream);
}
END_TEST

START_TEST(cpus_beyond_the_room_are_cut)
{
	static uint8_t cpus[4096];
	struct avd_message dispatch = kit_message(AVD_MSG_DISPATCH);
	memset(cpus, 0xff, sizeof(cpus));
	dispatch.u.dispatch.cpus_ok = (struct avd_bytes){cpus, sizeof(cpus)};
	kit_start(&kit, 0);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add_message(&kit, &dispatch);
	avd_stream *const stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_uint_eq(ev->dispatch.cpus_ok.len, sizeof(ev->dispatch_cpus));
	ck_assert_ptr_eq(ev->dispatch.cpus_ok.data, ev->dispatch_cpus);
	avd_stream_free(stream);
}
END_TEST

START_TEST(the_first_cause_is_kept)
{
	struct avd_message died = kit_message(AVD_MSG_SCHEDULER_DIED);
	struct avd_message not_attached = kit_message(AVD_MSG_SCHEDULER_NOT_ATTACHED);
	kit_start(&kit, 0);
	kit_boot(&kit);
	kit_add_message(&kit, &not_attached);
	not_attached.u.failure.code = AVD_REASON_BUSY;
	kit_add_message(&kit, &not_attached);
	avd_stream *stream = judged();
	ck_assert_uint_eq(avd__stream_evidence(stream)->failure.code, AVD_REASON_INIT_FAILED);
	avd_stream_free(stream);
	kit_add_message(&kit, &died);
	died.u.failure.code = AVD_REASON_EXEC_FAILED;
	kit_add_message(&kit, &died);
	kit_add_message(&kit, &not_attached);
	stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_uint_eq(ev->failure_kind, AVD_MSG_SCHEDULER_DIED);
	ck_assert_uint_eq(ev->failure.code, AVD_REASON_EXITED);
	ck_assert_str_eq(ev->failure_reason, "cause=exited status=1");
	avd_stream_free(stream);
}
END_TEST

START_TEST(console_and_end_cause)
{
	static uint8_t console[40000];
	static char tail[AVD__EVIDENCE_TAIL];
	for (size_t i = 0; i < sizeof(console); i++)
		console[i] = (uint8_t)(i * 7);
	struct avd_message end = kit_message(AVD_MSG_END_CAUSE);
	end.u.end_cause.console_tail = (struct avd_bytes){console, sizeof(console)};
	end.u.end_cause.console_bytes = 123456;
	kit_start(&kit, RECORDING);
	kit_add_seq(&kit, &end, AVD_HOST_SEQ_BASE + 1);
	avd_stream *const stream = judged();
	const struct avd__evidence *const ev = avd__stream_evidence(stream);
	ck_assert_uint_eq(ev->console.total, 123456);
	ck_assert_uint_eq(avd__tail_copy(&ev->console, tail), sizeof(tail));
	ck_assert_mem_eq(tail, console + sizeof(console) - sizeof(tail), sizeof(tail));
	ck_assert_ptr_null(ev->end_cause.console_tail.data);
	avd_stream_free(stream);
}
END_TEST

KIT_MAIN(facts_of_a_passing_cell, text_of_the_guest_is_escaped, output_tails,
	 dropped_output_and_unknown_streams, kernel_lines_first_and_last, which_kernel_lines_tell,
	 long_commands_are_cut, cpus_beyond_the_room_are_cut, the_first_cause_is_kept,
	 console_and_end_cause)
