// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec/fields.h"

/* What the kernel allows: a number beyond it was not meant as what the field says. */
#define SIGNAL_MAX 64 /* _NSIG */
#define ERRNO_MAX 4095 /* MAX_ERRNO */
#define EXIT_STATUS_MAX 255 /* WEXITSTATUS() */
#define LOG_LEVEL_MAX 7 /* LOG_DEBUG */
#define VERIFIER_LOG_MAX 15 /* BPF_LOG_MASK of include/linux/bpf_verifier.h */

#define FIELD(key_, type_, member, optional_, min_, max_)                               \
	{                                                                               \
		.name = #member, .offset = offsetof(struct avd_message, u.IN.member),   \
		.key = (key_), .type = (type_), .optional = (optional_), .min = (min_), \
		.max = (max_)                                                           \
	}
#define NEEDED false
#define OPTIONAL true
#define U32(key, member, opt) FIELD(key, AVD__FIELD_U32, member, opt, 0, UINT32_MAX)
#define U32_TO(key, member, opt, max) FIELD(key, AVD__FIELD_U32, member, opt, 0, max)
#define U64(key, member, opt) FIELD(key, AVD__FIELD_U64, member, opt, 0, UINT64_MAX)
#define I64(key, member, opt) FIELD(key, AVD__FIELD_I64, member, opt, INT64_MIN, INT64_MAX)
#define TEXT(key, member, opt) FIELD(key, AVD__FIELD_TEXT, member, opt, 0, UINT32_MAX)
#define BYTES(key, member, opt) FIELD(key, AVD__FIELD_BYTES, member, opt, 0, UINT32_MAX)
#define STRV(key, member, opt) FIELD(key, AVD__FIELD_STRV, member, opt, 0, UINT32_MAX)
/* -1 stands for "did not exit", so it can't be left out as zero can. */
#define EXIT_STATUS(key, member) FIELD(key, AVD__FIELD_I32, member, NEEDED, -1, EXIT_STATUS_MAX)
#define NONCE(key, member) \
	FIELD(key, AVD__FIELD_BYTES, member, NEEDED, AVD_NONCE_SIZE, AVD_NONCE_SIZE)

#define IN hello
static const struct avd__field hello[] = {
	U32(2, protocol, NEEDED),
	NONCE(3, nonce),
	TEXT(4, release, NEEDED),
	U32(5, cpus_online, NEEDED),
	U32(6, slowness_permille, OPTIONAL),
	TEXT(7, carrier, OPTIONAL),
};
#undef IN

#define IN phase
static const struct avd__field phase[] = {
	U32(2, phase, NEEDED),
};
#undef IN

#define IN started
static const struct avd__field started[] = {
	U32(2, pid, NEEDED),
	U64(3, enable_seq, NEEDED),
};
#undef IN

#define IN attached
static const struct avd__field attached[] = {
	TEXT(2, ops, NEEDED),	    U64(3, enable_seq_before, NEEDED),
	U64(4, enable_seq, NEEDED), U64(5, wall_ns, NEEDED),
	U64(6, cpu_ns, NEEDED),	    U32_TO(7, switch_all, NEEDED, 1),
};
#undef IN

#define IN failure
static const struct avd__field failure[] = {
	U32(2, code, NEEDED),
	TEXT(3, reason, NEEDED),
	EXIT_STATUS(4, exit_status),
	U32_TO(5, signal, OPTIONAL, SIGNAL_MAX),
	U32_TO(6, error, OPTIONAL, ERRNO_MAX),
};
#undef IN

#define IN dispatch
static const struct avd__field dispatch[] = {
	U32_TO(2, ok, NEEDED, 1), U32(3, cpus_online, NEEDED), BYTES(4, cpus_ok, NEEDED),
	U64(5, wall_ns, NEEDED),  TEXT(6, reason, OPTIONAL),   U32(7, mode, OPTIONAL),
	U32(8, tasks, OPTIONAL),  U32(9, tasks_ok, OPTIONAL),  U64(10, rounds, OPTIONAL),
};
#undef IN

#define IN scheduler_exit
static const struct avd__field scheduler_exit[] = {
	U64(2, exit_kind, OPTIONAL), I64(3, exit_code, OPTIONAL),  U32(4, code, NEEDED),
	U32(5, phase, NEEDED),	     TEXT(6, reason, OPTIONAL),	   TEXT(7, message, OPTIONAL),
	U32(8, source, OPTIONAL),    TEXT(9, backtrace, OPTIONAL), U64(10, phase_ns, OPTIONAL),
};
#undef IN

#define IN payload_exit
static const struct avd__field payload_exit[] = {
	EXIT_STATUS(2, exit_status),
	U32_TO(3, signal, OPTIONAL, SIGNAL_MAX),
	U32_TO(4, error, OPTIONAL, ERRNO_MAX),
	U64(5, wall_ns, NEEDED),
	U32(6, ended_by, OPTIONAL),
	U32_TO(7, left_some, OPTIONAL, 1),
	TEXT(8, reason, OPTIONAL),
};
#undef IN

#define IN program
static const struct avd__field program[] = {
	FIELD(2, AVD__FIELD_BYTES, name, OPTIONAL, 0, AVD_PROGRAM_NAME_MAX),
	U32(3, order, NEEDED),
	U32(4, from_probe, NEEDED),
	U32(5, from_info, NEEDED),
	U32(6, type, OPTIONAL),
	U32(7, prog_id, OPTIONAL),
	U32_TO(8, error, OPTIONAL, ERRNO_MAX),
	U32(9, verified_insns, OPTIONAL),
	U32(10, processed_insns, OPTIONAL),
	U32(11, total_states, OPTIONAL),
	U32(12, peak_states, OPTIONAL),
	U32(13, max_states_per_insn, OPTIONAL),
	U32(14, stack_depth, OPTIONAL),
	U32(15, xlated_bytes, OPTIONAL),
	U32(16, jited_bytes, OPTIONAL),
	U64(17, verification_ns, OPTIONAL),
};
#undef IN

#define IN log
static const struct avd__field log_fields[] = {
	U32(2, stream, NEEDED),
	BYTES(3, bytes, NEEDED),
	U64(4, dropped, OPTIONAL),
};
#undef IN

#define IN kernel_log
static const struct avd__field kernel_log[] = {
	U32_TO(2, level, NEEDED, LOG_LEVEL_MAX),
	U64(3, log_seq, NEEDED),
	U64(4, log_time_us, NEEDED),
	BYTES(5, bytes, NEEDED),
};
#undef IN

#define IN done
static const struct avd__field done[] = {
	U32_TO(2, enabled_at_end, NEEDED, 1),
};
#undef IN

#define IN topology
static const struct avd__field topology[] = {
	U32(2, cpus_possible, NEEDED),
	U32(3, nodes, NEEDED),
	BYTES(4, cpus, NEEDED),
};
#undef IN

#define IN init_failed
static const struct avd__field init_failed[] = {
	U32_TO(2, signal, OPTIONAL, SIGNAL_MAX),
	TEXT(3, reason, NEEDED),
};
#undef IN

#define IN cell
static const struct avd__field cell[] = {
	U32(2, protocol, NEEDED),
	NONCE(3, nonce),
	TEXT(4, version, NEEDED),
	TEXT(5, kernel, NEEDED),
	TEXT(6, release, OPTIONAL),
	STRV(7, scheduler, NEEDED),
	STRV(8, payload, OPTIONAL),
	TEXT(9, machine, NEEDED),
	TEXT(10, accel, NEEDED),
	TEXT(11, carrier, NEEDED),
	TEXT(12, topology, NEEDED),
	U32(13, cpus, NEEDED),
	U64(14, memory_bytes, NEEDED),
	U64(15, settle_ms, NEEDED),
	U64(16, budget_cpu_ms, NEEDED),
	U64(17, budget_wall_ms, NEEDED),
	U64(18, payload_ms, OPTIONAL),
	U64(19, log_limit, NEEDED),
	U32(20, dispatch, OPTIONAL),
	U64(21, started_unix_ns, NEEDED),
	U64(22, dispatch_ms, OPTIONAL),
	TEXT(23, machine_reason, OPTIONAL),
	U32_TO(24, verifier_stats, OPTIONAL, 1),
	U32_TO(25, verifier_log, OPTIONAL, VERIFIER_LOG_MAX),
	TEXT(26, id, OPTIONAL),
	U64(27, digest, OPTIONAL),
};
#undef IN

#define IN end_cause
static const struct avd__field end_cause[] = {
	U32(2, cause, NEEDED),
	U32(3, code, OPTIONAL),
	TEXT(4, detail, OPTIONAL),
	BYTES(5, console_tail, OPTIONAL),
	U64(6, console_bytes, NEEDED),
	U64(7, wall_ns, NEEDED),
	U64(8, machine_cpu_ns, NEEDED),
	U32(9, stats_valid, OPTIONAL),
	U64(10, exits, OPTIONAL),
	U64(11, exits_io, OPTIONAL),
	U64(12, exits_mmio, OPTIONAL),
	U64(13, exits_hlt, OPTIONAL),
	U64(14, exits_shutdown, OPTIONAL),
	U64(15, exits_intr, OPTIONAL),
	U64(16, exits_other, OPTIONAL),
	U64(17, first_instruction_ns, OPTIONAL),
	U64(18, start_cpu_ns, OPTIONAL),
	U64(19, init_ns, OPTIONAL),
	U64(20, verdict_ns, OPTIONAL),
	U64(21, ram_resident_bytes, OPTIONAL),
	U64(22, overhead_bytes, OPTIONAL),
	TEXT(23, sandbox, OPTIONAL),
};
#undef IN

#define KIND(name_, fields_)                                                 \
	{                                                                    \
		name_, true, sizeof(fields_) / sizeof((fields_)[0]), fields_ \
	}
#define EMPTY_KIND(name_)            \
	{                            \
		name_, true, 0, NULL \
	}

static const struct avd__kind guest_kinds[] = {
	[AVD_MSG_HELLO] = KIND("hello", hello),
	[AVD_MSG_PHASE] = KIND("phase", phase),
	[AVD_MSG_SCHEDULER_STARTED] = KIND("scheduler-started", started),
	[AVD_MSG_SCHEDULER_ATTACHED] = KIND("scheduler-attached", attached),
	[AVD_MSG_SCHEDULER_DIED] = KIND("scheduler-died", failure),
	[AVD_MSG_SCHEDULER_NOT_ATTACHED] = KIND("scheduler-not-attached", failure),
	[AVD_MSG_PAYLOAD_STARTING] = EMPTY_KIND("payload-starting"),
	[AVD_MSG_DISPATCH] = KIND("dispatch", dispatch),
	[AVD_MSG_SCHEDULER_EXIT] = KIND("scheduler-exit", scheduler_exit),
	[AVD_MSG_PAYLOAD_EXIT] = KIND("payload-exit", payload_exit),
	[AVD_MSG_PROGRAM] = KIND("program", program),
	[AVD_MSG_LOG] = KIND("log", log_fields),
	[AVD_MSG_KERNEL_LOG] = KIND("kernel-log", kernel_log),
	[AVD_MSG_DONE] = KIND("done", done),
	[AVD_MSG_TOPOLOGY] = KIND("topology", topology),
	[AVD_MSG_HEARTBEAT] = EMPTY_KIND("heartbeat"),
	[AVD_MSG_INIT_FAILED] = KIND("init-failed", init_failed),
};

static const struct avd__kind host_kinds[] = {
	[0] = KIND("cell", cell), /* AVD_MSG_CELL is the first of the host's */
	[AVD_MSG_END_CAUSE - AVD_MSG_CELL] = KIND("end-cause", end_cause),
};

const struct avd__kind *avd__kind_find(uint32_t kind)
{
	const struct avd__kind *found = NULL;
	if (kind < sizeof(guest_kinds) / sizeof(guest_kinds[0]))
		found = &guest_kinds[kind];
	else if (kind >= AVD_MSG_CELL &&
		 kind - AVD_MSG_CELL < sizeof(host_kinds) / sizeof(host_kinds[0]))
		found = &host_kinds[kind - AVD_MSG_CELL];
	return found && found->name ? found : NULL;
}
