/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a frame carries. One struct for all kinds, decoded from and encoded to a
 * CBOR map with small integer keys; lib/codec/messages.cddl is the schema
 * (RFC 8610). Numbers are fixed once released. Views point into the payload the
 * message was decoded from and live as long as it does.
 */
#ifndef ATTACHVERDICT_MESSAGE_H
#define ATTACHVERDICT_MESSAGE_H

#include <attachverdict/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a guest and a host of different releases can't understand each other. */
#define AVD_PROTOCOL_VERSION 1u

/* Bytes of the nonce that ties a stream to one boot. */
#define AVD_NONCE_SIZE 16u

/* The host numbers its own frames from here on; the guest numbers from 0. */
#define AVD_HOST_SEQ_BASE UINT32_C(0x80000000)

enum avd_message_kind {
	/* 0 is never a kind. */
	AVD_MSG_HELLO = 1,
	AVD_MSG_PHASE = 2,
	AVD_MSG_SCHEDULER_STARTED = 3,
	AVD_MSG_SCHEDULER_ATTACHED = 4,
	AVD_MSG_SCHEDULER_DIED = 5,
	AVD_MSG_SCHEDULER_NOT_ATTACHED = 6,
	AVD_MSG_PAYLOAD_STARTING = 7,
	AVD_MSG_DISPATCH = 8,
	AVD_MSG_SCHEDULER_EXIT = 9,
	AVD_MSG_PAYLOAD_EXIT = 10,
	AVD_MSG_PROGRAM = 11, /* what the verifier made of one BPF program; at any time */
	AVD_MSG_LOG = 12,
	AVD_MSG_KERNEL_LOG = 13,
	AVD_MSG_DONE = 14,
	AVD_MSG_TOPOLOGY = 15, /* what the guest's kernel shows of its CPUs */
	AVD_MSG_HEARTBEAT = 16,
	AVD_MSG_INIT_FAILED = 17,
	/* From the host. */
	AVD_MSG_CELL = 128,
	AVD_MSG_END_CAUSE = 129,
};

/* Phases of the guest, in the order in which a healthy cell goes through them. */
enum avd_phase {
	AVD_PHASE_BOOT = 1, /* init runs: mounts, channel, preparations */
	AVD_PHASE_START = 2, /* the scheduler is being started */
	AVD_PHASE_GATE = 3, /* waiting for proof of the attach */
	AVD_PHASE_DISPATCH = 4, /* after the attach: does every CPU make progress */
	AVD_PHASE_PAYLOAD = 5, /* the payload runs */
	AVD_PHASE_TEARDOWN = 6, /* the scheduler is being stopped, in order */
};

enum avd_log_stream {
	AVD_STREAM_SCHEDULER_STDOUT = 1,
	AVD_STREAM_SCHEDULER_STDERR = 2,
	AVD_STREAM_PAYLOAD_STDOUT = 3,
	AVD_STREAM_PAYLOAD_STDERR = 4,
	AVD_STREAM_INIT = 5,
	AVD_STREAM_DUMP = 6, /* the kernel's dump of its state when it ejected the scheduler */
};

/* Where kind, reason and message of an ejection come from. */
enum avd_exit_source {
	AVD_EXIT_FROM_KERNEL_LOG = 0, /* which does not have the exit code */
	AVD_EXIT_FROM_PROBE = 1, /* a BPF probe on the kernel's exit path: exit_code is known */
};

/* Why the guest's init ended a payload that had not ended by itself. */
enum avd_payload_end {
	AVD_PAYLOAD_ENDED_ITSELF = 0,
	AVD_PAYLOAD_TIME_LIMIT = 1, /* the cell's payload_ms */
	AVD_PAYLOAD_SCHEDULER_GONE = 2, /* there was nothing left to try it under */
};

/* How a machine ended, as its runner saw it. Never evidence for a verdict. */
enum avd_end_cause {
	AVD_END_UNKNOWN = 0,
	AVD_END_GUEST_RESET = 1, /* reboot, panic=-1's reset, keyboard reset */
	AVD_END_GUEST_SHUTDOWN = 2, /* ACPI power-off */
	AVD_END_TRIPLE_FAULT = 3,
	AVD_END_WATCHDOG = 4, /* the host gave up waiting */
	AVD_END_VCPU_ERROR = 5,
	AVD_END_HOST_STOP = 6, /* the caller cancelled */
	AVD_END_SPAWN_ERROR = 7, /* the machine could not be started */
	AVD_END_MACHINE_KILLED = 8, /* the machine's process was killed or crashed */
};

/* Longest name of a BPF program: BPF_OBJ_NAME_LEN of include/uapi/linux/bpf.h without its NUL. */
#define AVD_PROGRAM_NAME_MAX 15u

/* Figures of a BPF program: the bits of the two masks in struct avd_msg_program that say
 * where each one comes from. A figure in neither mask is not known, and is 0. */
enum avd_program_figure {
	AVD_PROGRAM_NAME = 1u << 0,
	AVD_PROGRAM_TYPE = 1u << 1,
	AVD_PROGRAM_ID = 1u << 2,
	AVD_PROGRAM_ERROR = 1u << 3,
	AVD_PROGRAM_VERIFIED_INSNS = 1u << 4,
	AVD_PROGRAM_PROCESSED_INSNS = 1u << 5,
	AVD_PROGRAM_TOTAL_STATES = 1u << 6,
	AVD_PROGRAM_PEAK_STATES = 1u << 7,
	AVD_PROGRAM_MAX_STATES_PER_INSN = 1u << 8,
	AVD_PROGRAM_VERIFICATION_NS = 1u << 9,
	AVD_PROGRAM_STACK_DEPTH = 1u << 10,
	AVD_PROGRAM_XLATED_BYTES = 1u << 11,
	AVD_PROGRAM_JITED_BYTES = 1u << 12,
};

/* A CBOR array of text strings, still encoded; read it with avd_strv_next(). */
struct avd_strv {
	struct avd_bytes cbor; /* the items, without the array's head */
	uint32_t count;
};

struct avd_msg_hello {
	uint32_t protocol;
	struct avd_bytes nonce;
	struct avd_str release; /* utsname.release */
	uint32_t cpus_online;
	uint32_t slowness_permille; /* guest's own measure of how slow it is; 1000 = nominal */
	struct avd_str carrier; /* what carries the channel in the end; empty: as the cell asked */
};
struct avd_msg_phase {
	uint32_t phase; /* enum avd_phase */
};
struct avd_msg_started {
	uint32_t pid;
	uint64_t enable_seq; /* before the start */
};
struct avd_msg_attached {
	struct avd_str ops;
	uint64_t enable_seq_before, enable_seq;
	uint64_t wall_ns; /* start of the scheduler to first proof, guest time */
	uint64_t cpu_ns; /* CPU time of the scheduler process until then */
	uint32_t switch_all;
};
/* scheduler-died and scheduler-not-attached */
struct avd_msg_failure {
	uint32_t code; /* enum avd_reason_code */
	struct avd_str reason;
	int32_t exit_status; /* -1: did not exit by itself */
	uint32_t signal; /* 0: not killed by one */
	uint32_t error; /* errno of exec, 0: none */
};
struct avd_msg_dispatch {
	uint32_t ok; /* 1: every CPU and every task made progress */
	uint32_t cpus_online;
	struct avd_bytes cpus_ok; /* bit n of byte n/8: CPU n saw progress */
	uint64_t wall_ns; /* how long it was looked for */
	struct avd_str reason; /* empty if ok */
	uint32_t mode; /* as the cell frame's dispatch: 1 quick, 2 full; 0: not told */
	uint32_t tasks, tasks_ok; /* all tasks of the probe, and those that made progress */
	uint64_t rounds; /* what all of them did: each time one gave the CPU away and got it back */
};
struct avd_msg_scheduler_exit {
	uint64_t exit_kind; /* kernel's enum scx_exit_kind, 0: not known */
	int64_t exit_code; /* struct scx_exit_info's; 0 also if it is not known: see source */
	uint32_t code; /* enum avd_reason_code */
	uint32_t phase; /* enum avd_phase in which it was seen */
	struct avd_str reason; /* kernel's words, or the guest's */
	struct avd_str message;
	uint32_t source; /* enum avd_exit_source */
	struct avd_str backtrace; /* where in the kernel it was thrown out: lines, may be empty */
	uint64_t phase_ns; /* from the beginning of the phase to when it was seen; 0: not told */
};
struct avd_msg_payload_exit {
	int32_t exit_status; /* -1: did not exit by itself */
	uint32_t signal;
	uint32_t error; /* errno of exec */
	uint64_t wall_ns;
	uint32_t ended_by; /* enum avd_payload_end */
	uint32_t left_some; /* 1: it left other processes behind, which were killed at the end */
	struct avd_str reason; /* why it could not be started; empty if it was */
};
/* One BPF program that the scheduler loaded, or tried to. Information, never evidence: it may
 * come at any time, and not at all. */
struct avd_msg_program {
	struct avd_bytes name; /* at most AVD_PROGRAM_NAME_MAX bytes, of any kind; may be empty */
	uint32_t order; /* of the load, from 0; one that is missing could not be told */
	uint32_t from_probe; /* enum avd_program_figure: seen by the BPF probe as it was loaded */
	uint32_t from_info; /* the same: asked of the kernel (BPF_OBJ_GET_INFO_BY_FD) later */
	uint32_t type; /* enum bpf_prog_type */
	uint32_t prog_id; /* 0: never got one */
	uint32_t error; /* errno of the load, 0: it was accepted */
	uint32_t verified_insns; /* as bpf_prog_info has it */
	uint32_t processed_insns; /* as the last line of the verifier's log has it */
	uint32_t total_states, peak_states, max_states_per_insn; /* the same */
	uint32_t stack_depth; /* bytes; the sum over its functions, as veristat has it */
	uint32_t xlated_bytes, jited_bytes; /* as bpf_prog_info has them */
	uint64_t verification_ns;
};
struct avd_msg_log {
	uint32_t stream; /* enum avd_log_stream */
	struct avd_bytes bytes;
	uint64_t dropped; /* bytes of this stream thrown away so far, over its limit */
};
struct avd_msg_kernel_log {
	uint32_t level; /* syslog priority 0..7 */
	uint64_t log_seq;
	uint64_t log_time_us;
	struct avd_bytes bytes; /* one record, no line end */
};
struct avd_msg_done {
	uint32_t enabled_at_end; /* 1: before the teardown the same scheduler was still enabled and
				    alive */
};
/* Read from the guest's sysfs before the scheduler is started. */
struct avd_msg_topology {
	uint32_t cpus_possible; /* online or not */
	uint32_t nodes; /* NUMA nodes online, those without CPUs too; 1 without NUMA */
	struct avd_bytes cpus; /* those online: read them with avd_topology_next() */
};
struct avd_msg_init_failed {
	uint32_t signal; /* 0: init gave up by itself */
	struct avd_str reason;
};

/* More online CPUs than this the guest's init does not tell of. */
#define AVD_TOPOLOGY_CPUS_MAX 512u
/* Where the kernel shows no package or no cache. */
#define AVD_TOPOLOGY_UNKNOWN UINT16_MAX

/* An online CPU as its kernel shows it. A cache and a core are named by the lowest CPU that
 * they belong to, so CPUs share one exactly when the numbers are equal. Six uint16 in network
 * order in the frame. */
struct avd_topology_cpu {
	uint16_t cpu; /* its number */
	uint16_t node; /* NUMA node; 0 without NUMA */
	uint16_t package; /* physical_package_id, or AVD_TOPOLOGY_UNKNOWN */
	uint16_t llc; /* last-level cache, or AVD_TOPOLOGY_UNKNOWN */
	uint16_t core;
	uint16_t thread; /* of its core, from 0 */
};

/* What was asked. The host puts this frame first into the recording and gives
 * the same frame to the guest's init as its only configuration. */
struct avd_msg_cell {
	uint32_t protocol;
	struct avd_bytes nonce;
	struct avd_str version; /* of the library */
	struct avd_str kernel; /* path on the host */
	struct avd_str release; /* of the image, may be empty */
	struct avd_strv scheduler; /* argv; [0] is the path in the guest */
	struct avd_strv payload; /* argv, may be empty */
	struct avd_str machine; /* "qemu", "kvm" */
	struct avd_str machine_reason; /* why that one: "kvm: it stops at ..."; empty: asked for */
	struct avd_str accel; /* "tcg", "kvm" */
	struct avd_str carrier; /* "serial", "window" */
	struct avd_str topology; /* as asked */
	uint32_t cpus;
	uint64_t memory_bytes;
	uint64_t settle_ms; /* gate's settling time, guest time */
	uint64_t budget_cpu_ms; /* scheduler's CPU time until the gate gives up */
	uint64_t budget_wall_ms; /* wall guard of the same */
	uint64_t payload_ms; /* payload's time limit, 0: none */
	uint64_t log_limit; /* bytes of output kept per stream */
	uint32_t dispatch; /* 0 off, 1 quick, 2 full */
	uint64_t started_unix_ns;
	uint64_t dispatch_ms; /* dispatch's time limit, guest time, 0: the guest's own choice */
	uint32_t verifier_stats; /* 1: take the verifier's statistics of each program */
	uint32_t verifier_log; /* log level of a .bpf.o's programs, 0: of failures only */
	struct avd_str id; /* of the cell in its sweep's plan; empty: run alone */
	uint64_t digest; /* of what defines that cell (struct avd_cell_result); 0: run alone */
};
struct avd_msg_end_cause {
	uint32_t cause; /* enum avd_end_cause */
	uint32_t code; /* enum avd_reason_code, host's best guess from console and runner: panic,
			  oops, ... */
	struct avd_str
		detail; /* one line: the panic's line, the watchdog's rule, the runner's error */
	struct avd_bytes console_tail; /* last bytes of the console, raw */
	uint64_t console_bytes; /* all that the console wrote */
	uint64_t wall_ns; /* host: start of the machine to its end */
	uint64_t machine_cpu_ns; /* host CPU time that it used */
	/* struct avd_machine_stats (attachverdict/machine.h), member by member */
	uint32_t stats_valid; /* enum avd_machine_stat; CPU time is above */
	uint64_t exits, exits_io, exits_mmio, exits_hlt, exits_shutdown, exits_intr, exits_other;
	uint64_t first_instruction_ns, start_cpu_ns, init_ns, verdict_ns;
	uint64_t ram_resident_bytes, overhead_bytes;
	struct avd_str sandbox; /* what confined the machine: "seccomp", "none"; empty: not known */
};

struct avd_message {
	uint32_t kind; /* enum avd_message_kind; other values are skipped by readers */
	uint64_t time_ns; /* sender's monotonic time */
	union {
		struct avd_msg_hello hello;
		struct avd_msg_phase phase;
		struct avd_msg_started started;
		struct avd_msg_attached attached;
		struct avd_msg_failure failure;
		struct avd_msg_dispatch dispatch;
		struct avd_msg_scheduler_exit scheduler_exit;
		struct avd_msg_payload_exit payload_exit;
		struct avd_msg_program program;
		struct avd_msg_log log;
		struct avd_msg_kernel_log kernel_log;
		struct avd_msg_done done;
		struct avd_msg_topology topology;
		struct avd_msg_init_failed init_failed;
		struct avd_msg_cell cell;
		struct avd_msg_end_cause end_cause;
		uint8_t reserved[512]; /* the struct keeps its size as kinds grow */
	} u;
};

/* Names as in reports ("scheduler-attached", "gate", "guest-reset"); "unknown"
 * for other values. Static storage. Thread-safe. Since 0.1. */
AVD_API const char *avd_message_kind_name(uint32_t kind);
AVD_API const char *avd_phase_name(uint32_t phase);
AVD_API const char *avd_log_stream_name(uint32_t stream);
AVD_API const char *avd_end_cause_name(uint32_t cause);

/* Takes the next item off `strv`. Returns 1 and sets *ret_item, or 0 at the end.
 * Thread-safe on distinct strv. Since 0.1. */
AVD_API int avd_strv_next(struct avd_strv *strv, struct avd_str *ret_item);

/* Takes the next CPU off `cpus`. Returns 1 and sets *ret_cpu, or 0 at the end; bytes that are
 * left then are no whole CPU. Thread-safe on distinct cpus. Since 0.1. */
AVD_API int avd_topology_next(struct avd_bytes *cpus, struct avd_topology_cpu *ret_cpu);

#ifdef __cplusplus
}
#endif

#endif
