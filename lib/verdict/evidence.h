/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a report tells beside the verdict, gathered from sound frames as they
 * come. Bounded: hostile guests can't make it grow. A pure function of the stream.
 *
 * Text fields are escaped already (base/buf.h; doing it again changes nothing) and cut
 * to fit. Outputs, the console and the argv fields are raw bytes.
 */
#ifndef AVD_LIB_VERDICT_EVIDENCE_H
#define AVD_LIB_VERDICT_EVIDENCE_H

#include <attachverdict/stream.h>

#include "topology/topology.h"

#define AVD__EVIDENCE_TEXT 256u /* a text field */
#define AVD__EVIDENCE_TAIL 16384u /* last bytes of an output stream or of the console */
#define AVD__EVIDENCE_KERNEL_LINES                                                              \
	48u /* telling kernel lines (sched_ext, panic, Oops, BUG, watchdog): the first 16, then \
	       the last ones */
#define AVD__EVIDENCE_BACKTRACE 2048u /* some 30 lines; the kernel keeps 64 (SCX_EXIT_BT_LEN) */
#define AVD__EVIDENCE_PROGRAMS \
	256u /* BPF programs: the first ones; the field's largest load some 60 */
#define AVD__EVIDENCE_ARGV 2048u /* a command, items joined by NUL */

struct avd__tail {
	uint64_t total; /* bytes that came */
	uint32_t len; /* bytes kept: the last ones, in order after avd__tail_linear() */
	uint32_t start; /* ring */
	char data[AVD__EVIDENCE_TAIL];
};

struct avd__kernel_line {
	uint64_t time_us;
	uint32_t level;
	uint32_t len;
	char text[AVD__EVIDENCE_TEXT];
};

struct avd__program {
	struct avd_msg_program figures; /* name points nowhere: it stands below */
	char name[4 * AVD_PROGRAM_NAME_MAX + 1];
};

struct avd__evidence {
	/* cell */
	int have_cell, have_hello, have_end_cause;
	char version[32], kernel[AVD__EVIDENCE_TEXT], machine[16],
		machine_reason[AVD__EVIDENCE_TEXT], accel[16], carrier[16],
		topology[AVD__EVIDENCE_TEXT];
	char scheduler[AVD__EVIDENCE_ARGV], payload[AVD__EVIDENCE_ARGV];
	uint32_t scheduler_len, payload_len; /* with the NULs between items */
	uint32_t cpus;
	uint64_t memory_bytes, settle_ms, budget_cpu_ms, started_unix_ns, payload_ms;
	uint32_t dispatch_mode;
	char id[AVD__EVIDENCE_TEXT]; /* of the cell in its sweep's plan; "": none */
	uint64_t digest; /* of that cell; 0: none */
	/* guest */
	char release[128];
	uint32_t cpus_online, slowness_permille;
	uint32_t last_phase;
	uint64_t phase_ns[8]; /* guest time of each phase's first frame, 0: never */
	uint64_t first_ns, last_ns; /* guest time of the first and the last frame */
	int have_started, have_attached, have_failure, have_dispatch, have_scheduler_exit,
		have_payload_exit, have_done, have_init_failed, have_payload_starting;
	uint32_t pid;
	/* Views in the messages below point to the escaped text beside them. */
	struct avd_msg_attached attached;
	char ops[AVD__EVIDENCE_TEXT];
	struct avd_msg_failure failure; /* of the deciding failure frame */
	uint32_t failure_kind; /* its enum avd_message_kind */
	char failure_reason[AVD_VERDICT_REASON_MAX];
	struct avd_msg_dispatch dispatch;
	uint8_t dispatch_cpus[128]; /* 1024 CPUs */
	char dispatch_reason[AVD_VERDICT_REASON_MAX];
	struct avd_msg_scheduler_exit scheduler_exit;
	char exit_reason[AVD__EVIDENCE_TEXT], exit_message[AVD_VERDICT_REASON_MAX];
	char backtrace[AVD__EVIDENCE_BACKTRACE]; /* raw */
	uint32_t backtrace_len;
	struct avd_msg_payload_exit payload_exit;
	char payload_reason[AVD__EVIDENCE_TEXT];
	struct avd_msg_init_failed init_failed;
	char init_reason[AVD__EVIDENCE_TEXT];
	struct avd_msg_end_cause end_cause;
	char end_detail[AVD_VERDICT_REASON_MAX];
	char sandbox[16];
	struct avd_msg_done done;
	/* CPUs: what was asked, where this library can read it, and the first topology frame */
	int have_asked, have_topology;
	struct avd__topology asked;
	struct avd_msg_topology seen; /* its cpus are in seen_cpus */
	struct avd_topology_cpu seen_cpus[AVD_TOPOLOGY_CPUS_MAX];
	uint32_t seen_count;
	char topology_difference[AVD__EVIDENCE_TEXT]; /* the first; empty: none, or can't be told */
	/* outputs; index by enum avd_log_stream */
	struct avd__tail output[AVD_STREAM_DUMP + 1];
	uint64_t output_dropped[AVD_STREAM_DUMP + 1];
	struct avd__tail console;
	struct avd__kernel_line kernel_lines[AVD__EVIDENCE_KERNEL_LINES];
	uint32_t kernel_line_count, kernel_line_next; /* read them by avd__evidence_kernel_line() */
	uint64_t kernel_lines_total;
	struct avd__program programs[AVD__EVIDENCE_PROGRAMS];
	uint32_t program_count; /* of those kept */
	uint64_t programs_total, programs_rejected; /* of all that came */
	/* the channel */
	uint64_t frames, bytes, gaps, skipped_bytes, faults;
	char first_fault[AVD__EVIDENCE_TEXT];
	uint64_t first_fault_offset;
};

/* The i-th kept kernel line, oldest first; i < kernel_line_count. */
const struct avd__kernel_line *avd__evidence_kernel_line(const struct avd__evidence *evidence,
							 uint32_t i);

/* The evidence of a stream; owned by the stream. */
const struct avd__evidence *avd__stream_evidence(const avd_stream *stream);

/* Makes the kept bytes contiguous into out (at least AVD__EVIDENCE_TAIL bytes); returns their
 * count. */
size_t avd__tail_copy(const struct avd__tail *tail, char *out);

#endif
