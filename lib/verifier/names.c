// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/verifier.h>

#include "base/util.h"

static const char *name_at(const char *const *names, size_t count, uint32_t value,
			   const char *other)
{
	return value < count && names[value] ? names[value] : other;
}

const char *avd_figure_name(uint32_t figure)
{
	static const char *const names[AVD_FIGURE_COUNT] = {
		[AVD_FIGURE_VERIFIED_INSNS] = "verified-insns",
		[AVD_FIGURE_PROCESSED_INSNS] = "processed-insns",
		[AVD_FIGURE_TOTAL_STATES] = "total-states",
		[AVD_FIGURE_PEAK_STATES] = "peak-states",
		[AVD_FIGURE_MAX_STATES_PER_INSN] = "max-states-per-insn",
		[AVD_FIGURE_TIME_NS] = "time",
		[AVD_FIGURE_STACK_DEPTH] = "stack-depth",
		[AVD_FIGURE_XLATED_BYTES] = "xlated-bytes",
		[AVD_FIGURE_JITED_BYTES] = "jited-bytes",
		[AVD_FIGURE_MARK_READ] = "mark-read",
	};
	return name_at(names, AVD__ARRAY_SIZE(names), figure, "unknown");
}

const char *avd_figure_source_name(uint32_t source)
{
	static const char *const names[] = {
		[AVD_FIGURE_NONE] = "none",
		[AVD_FIGURE_FROM_LOG] = "log",
		[AVD_FIGURE_FROM_PROBE] = "probe",
		[AVD_FIGURE_FROM_PROG_INFO] = "prog-info",
	};
	return name_at(names, AVD__ARRAY_SIZE(names), source, "unknown");
}

const char *avd_program_verdict_name(uint32_t verdict)
{
	static const char *const names[] = {
		[AVD_PROGRAM_UNKNOWN] = "unknown",
		[AVD_PROGRAM_SUCCESS] = "success",
		[AVD_PROGRAM_FAILURE] = "failure",
	};
	return name_at(names, AVD__ARRAY_SIZE(names), verdict, "unknown");
}

const char *avd_program_type_name(uint32_t type)
{
	/* enum bpf_prog_type of include/uapi/linux/bpf.h: fixed, new ones come at the end */
	static const char *const names[] = {
		NULL,
		"socket_filter",
		"kprobe",
		"sched_cls",
		"sched_act",
		"tracepoint",
		"xdp",
		"perf_event",
		"cgroup_skb",
		"cgroup_sock",
		"lwt_in",
		"lwt_out",
		"lwt_xmit",
		"sock_ops",
		"sk_skb",
		"cgroup_device",
		"sk_msg",
		"raw_tracepoint",
		"cgroup_sock_addr",
		"lwt_seg6local",
		"lirc_mode2",
		"sk_reuseport",
		"flow_dissector",
		"cgroup_sysctl",
		"raw_tracepoint_writable",
		"cgroup_sockopt",
		"tracing",
		"struct_ops",
		"ext",
		"lsm",
		"sk_lookup",
		"syscall",
		"netfilter",
	};
	return name_at(names, AVD__ARRAY_SIZE(names), type, "");
}
