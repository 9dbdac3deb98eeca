// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Names of the reason codes, what they mean and what to do about them. */
#include <attachverdict/verdict.h>

#include "base/util.h"

struct reason {
	const char *name;
	const char *explain;
	const char *hint;
};

static const struct reason reasons[] = {
	[AVD_REASON_NONE] = {"none", "", ""},
	[AVD_REASON_EXEC_FAILED] =
		{"exec-failed", "The scheduler's program could not be started in the guest.",
		 "Check that the path is right and the file is executable, of this architecture, "
		 "and has its interpreter; bring missing files along with --include."},
	[AVD_REASON_EXITED] =
		{"exited", "The scheduler's process exited before its scheduler was enabled.",
		 "Read the last lines of its output; run it with its verbose option after `--`. "
		 "The guest has it and its libraries only: --include brings what else it uses. "
		 "A program that daemonizes must be told to stay in the foreground."},
	[AVD_REASON_KILLED_BY_SIGNAL] =
		{"killed-by-signal",
		 "A signal killed the scheduler's process before its scheduler was enabled.",
		 "SIGSEGV or SIGABRT: a crash of the loader, see its last output; SIGKILL without "
		 "a crash: the guest ran out of memory, give it more with --memory."},
	[AVD_REASON_VERIFIER_REJECTED] =
		{"verifier-rejected", "The kernel's BPF verifier rejected one of the programs.",
		 "The last lines of the verifier's log name the instruction and the reason; have "
		 "the loader print the log (libbpf: kernel_log_level = 1)."},
	[AVD_REASON_MISSING_KFUNC] =
		{"missing-kfunc", "The scheduler calls a kernel function that this kernel lacks.",
		 "Declare the kfunc __weak and test it with bpf_ksym_exists(), or use a kernel "
		 "that has it."},
	[AVD_REASON_MISSING_MEMBER] =
		{"missing-member",
		 "The scheduler sets a member of sched_ext_ops that this kernel lacks.",
		 "Leave the member zero on this kernel (libbpf 1.4 and later then ignores it), or "
		 "use a kernel that has it."},
	[AVD_REASON_NO_SCHED_EXT] =
		{"no-sched-ext",
		 "The guest's kernel has no sched_ext: /sys/kernel/sched_ext is missing.",
		 "Choose a kernel built with CONFIG_SCHED_CLASS_EXT=y, 6.12 or later; "
		 "`attachverdict kernel list` shows those at hand, attachverdict-fetch-kernel gets "
		 "one."},
	[AVD_REASON_BUSY] =
		{"busy",
		 "Another scheduler was attached already, so the kernel refused this one (EBUSY).",
		 "The command must start one scheduler only; look for a wrapper or a service that "
		 "starts another one."},
	[AVD_REASON_INIT_FAILED] =
		{"init-failed",
		 "The scheduler's ops.init() or ops.init_task() failed, so the kernel did not "
		 "enable it.",
		 "The kernel's line `ops.init() failed (-N)` gives the error; the loader's attach "
		 "call succeeds all the same, so its exit code does not tell."},
	[AVD_REASON_EJECTED_AT_ATTACH] = {"ejected-at-attach",
					  "The kernel enabled the scheduler and threw it out again "
					  "before the attach had settled.",
					  "The kernel's sched_ext lines name the callback and the "
					  "error; a bad dispatch or an "
					  "unknown DSQ in the first callbacks is the usual cause."},
	[AVD_REASON_TIMEOUT] = {"timeout",
				"The scheduler's process stayed alive, but its scheduler was never "
				"enabled in time.",
				"Check that the program attaches its struct_ops map and keeps the "
				"link; if it only "
				"needs longer, raise --budget-wall, or --budget-cpu if that is "
				"what it used up."},
	[AVD_REASON_PANIC] =
		{"panic", "The guest's kernel panicked.",
		 "The panic's lines are in the evidence; run the same cell with another kernel to "
		 "tell a bug of the kernel from one that the scheduler provokes."},
	[AVD_REASON_OOPS] = {"oops",
			     "The guest's kernel hit a bug (Oops, BUG) and could not go on.",
			     "The RIP line in the evidence names the function; try another kernel. "
			     "Emulation by "
			     "QEMU below 10 with several threads is known to cause some of them."},
	[AVD_REASON_GUEST_RESET] =
		{"guest-reset", "The guest reset before there was a verdict.",
		 "Look at the console's last lines: a panic with panic=-1, the keyboard controller "
		 "or the scheduler itself may have reset it."},
	[AVD_REASON_TRIPLE_FAULT] = {"triple-fault",
				     "The guest's CPU met a fault while it handled a double fault.",
				     "The kernel died without a word; the last phase tells where. "
				     "Try another kernel or "
				     "the other machine (--machine)."},
	[AVD_REASON_WATCHDOG] =
		{"watchdog", "The guest made no progress, so the host's watchdog ended it.",
		 "The reason names the rule that bit. A stalled scheduler shows in the kernel's "
		 "lines; for a slow host raise --timeout."},
	[AVD_REASON_CHANNEL_CORRUPT] = {"channel-corrupt",
					"Frames from the guest were damaged, lost, repeated or out "
					"of order: a failure may be among what was lost.",
					"Run the cell again and keep the recording; if it happens "
					"again, report it with the "
					"recording: the channel is meant to be lossless."},
	[AVD_REASON_MACHINE_ERROR] =
		{"machine-error",
		 "The virtual machine could not be started or failed while it ran.",
		 "The runner's own words are in the reason; `attachverdict doctor` tells what this "
		 "host can run."},
	[AVD_REASON_GUEST_SHUTDOWN] =
		{"guest-shutdown", "The guest powered off before there was a verdict.",
		 "Something in the guest asked for the power-off, likely the scheduler's command: "
		 "see its output and the console's last lines."},
	[AVD_REASON_GUEST_INIT_FAILED] =
		{"guest-init-failed", "attachverdict's own init crashed in the guest or gave up.",
		 "The reason says at what; more memory (--memory) helps if it ran out. Else it is "
		 "a "
		 "bug of attachverdict: report it with the recording."},
	[AVD_REASON_HOST_STOP] = {"host-stop",
				  "The caller stopped the machine before there was a verdict.",
				  "Run the cell again and let it end."},
	[AVD_REASON_TRUNCATED] =
		{"truncated", "The stream or recording ends before the guest's end was written.",
		 "The recorder was killed or its disk was full: run the cell again."},
	[AVD_REASON_EJECTED] = {"ejected",
				"The scheduler attached, and the kernel ejected it later.",
				"The kernel's reason and message name the cause: `runnable task "
				"stall` is a task that "
				"was never dispatched, `runtime error` a misuse of the interface."},
	[AVD_REASON_NO_DISPATCH] =
		{"no-dispatch",
		 "The scheduler attached, but not every CPU or task made progress under it.",
		 "Look for tasks that are enqueued on a DSQ which those CPUs never consume, and "
		 "for "
		 "CPU affinities that the scheduler ignores."},
	[AVD_REASON_PAYLOAD_FAILED] =
		{"payload-failed", "The scheduler attached, but the payload failed.",
		 "See the payload's output and status; run it on the kernel's own scheduler to "
		 "compare."},
	[AVD_REASON_NO_CLEAN_END] =
		{"no-clean-end",
		 "The scheduler attached, but the cell did not come to its orderly end.",
		 "The last phase and the console's last lines tell where it stopped or when the "
		 "scheduler was lost."},
	[AVD_REASON_SCHEDULER_EXITED] =
		{"scheduler-exited",
		 "The scheduler attached, and its process ended by itself later.",
		 "See its last output: it must stay until it gets SIGINT or SIGTERM."},
	[AVD_REASON_TOPOLOGY_MISMATCH] =
		{"topology-mismatch",
		 "The scheduler attached, but in a guest whose CPUs are not those asked for.",
		 "CPUs that are missing did not come up: see the console, and --kernel-args for "
		 "maxcpus= or nosmt. Else try the other machine (--machine) or another shape."},
	[AVD_REASON_NOT_RUN] =
		{"not-run", "A cell of the sweep was not run, or its result was lost.",
		 "Start the sweep again into the same directory: it runs what is missing; with "
		 "several machines, look why this cell's part ended early."},
	[AVD_REASON_LOST] =
		{"lost", "The machine or job that was to run this cell of the sweep was lost.",
		 "The reason has the words of the engine that ran it, such as Slurm's: see to "
		 "that, "
		 "then start the sweep again into the same directory; it runs what is missing."},
};

static const struct reason *find(uint32_t code)
{
	static const struct reason unknown = {"unknown", "", ""};
	return code < AVD__ARRAY_SIZE(reasons) ? &reasons[code] : &unknown;
}

const char *avd_reason_code_name(uint32_t code)
{
	return find(code)->name;
}

const char *avd_reason_code_explain(uint32_t code)
{
	return find(code)->explain;
}

const char *avd_reason_code_hint(uint32_t code)
{
	return find(code)->hint;
}
