// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report_samples.h"

#include <attachverdict/machine.h>
#include <string.h>

#include "codec/message.h"

#define STR(text) ((struct avd_str){(text), sizeof(text) - 1})
#define MS UINT64_C(1000000)

static struct avd_strv argv_of(const char *const *items, uint8_t *out, size_t size)
{
	struct avd_strv argv = {{out, 0}, 0};
	for (; *items; items++)
		avd__strv_put(out, size, &argv.cbor.len, &argv.count, *items, strlen(*items));
	return argv;
}

static void start(struct kit *kit, const char *const *scheduler, const char *const *payload)
{
	static uint8_t space[2][1024];
	static const char *const none[] = {NULL};
	struct avd_msg_cell cell = kit_message(AVD_MSG_CELL).u.cell;
	cell.kernel = STR("/boot/vmlinuz-7.3.4-cloud-amd64");
	cell.scheduler = argv_of(scheduler, space[0], sizeof(space[0]));
	cell.payload = argv_of(payload ? payload : none, space[1], sizeof(space[1]));
	cell.machine_reason = STR("kvm: it stops at \x1b[31mshlx");
	cell.started_unix_ns = UINT64_C(1795437296123456789);
	kit_start_cell(kit, &cell);
}

static void at(struct kit *kit, uint64_t ms)
{
	kit->time_ns = ms * MS;
}

static void phase(struct kit *kit, uint32_t which, uint64_t ms)
{
	struct avd_message m = kit_message(AVD_MSG_PHASE);
	m.u.phase.phase = which;
	at(kit, ms);
	kit_add_message(kit, &m);
}

static void boot(struct kit *kit)
{
	struct avd_message m = kit_message(AVD_MSG_HELLO);
	m.u.hello.release = STR("7.3.4-cloud-amd64");
	at(kit, 1900);
	kit_add_message(kit, &m);
	phase(kit, AVD_PHASE_BOOT, 1910);
	kit_add(kit, AVD_MSG_TOPOLOGY);
	phase(kit, AVD_PHASE_START, 2010);
	m = kit_message(AVD_MSG_SCHEDULER_STARTED);
	m.u.started.enable_seq = 0;
	kit_add_message(kit, &m);
	phase(kit, AVD_PHASE_GATE, 2020);
}

static void kernel_line(struct kit *kit, uint64_t us, const char *text)
{
	struct avd_message m = {.kind = AVD_MSG_KERNEL_LOG};
	m.u.kernel_log.level = 6;
	m.u.kernel_log.log_time_us = us;
	m.u.kernel_log.bytes = (struct avd_bytes){(const uint8_t *)text, strlen(text)};
	kit_add_message(kit, &m);
}

static void attached(struct kit *kit)
{
	struct avd_message m = kit_message(AVD_MSG_SCHEDULER_ATTACHED);
	m.u.attached.enable_seq_before = 0;
	m.u.attached.enable_seq = 1;
	m.u.attached.wall_ns = 412 * MS;
	m.u.attached.cpu_ns = 118 * MS;
	m.u.attached.switch_all = 1;
	kernel_line(kit, 2400000, "sched_ext: BPF scheduler \"fifo\" enabled");
	at(kit, 2530);
	kit_add_message(kit, &m);
	kit_add(kit, AVD_MSG_PAYLOAD_STARTING);
	phase(kit, AVD_PHASE_DISPATCH, 2540);
}

/* One that was accepted and one that was not; neither counts for the verdict. */
static void programs(struct kit *kit, const char *rejected)
{
	struct avd_message m = kit_message(AVD_MSG_PROGRAM);
	kit_add_message(kit, &m);
	if (!rejected)
		return;
	m.u.program = (struct avd_msg_program){
		.name = {(const uint8_t *)rejected, strlen(rejected)},
		.order = 1,
		.from_probe = 0x1fff & ~(uint32_t)AVD_PROGRAM_XLATED_BYTES,
		.from_info = UINT32_MAX,
		.type = UINT32_MAX,
		.error = 13,
		.processed_insns = 7,
		.verification_ns = UINT64_MAX,
	};
	kit_add_message(kit, &m);
}

static void end(struct kit *kit, uint32_t cause, uint32_t code, const char *detail,
		const char *console)
{
	struct avd_message m = kit_message(AVD_MSG_END_CAUSE);
	m.u.end_cause = (struct avd_msg_end_cause){
		.cause = cause,
		.code = code,
		.detail = {detail, strlen(detail)},
		.console_tail = {(const uint8_t *)console, strlen(console)},
		.console_bytes = strlen(console),
		.wall_ns = 4210 * MS,
		.machine_cpu_ns = 7900 * MS,
		.stats_valid = AVD_STAT_FIRST_INSTRUCTION | AVD_STAT_INIT | AVD_STAT_MEMORY |
			       (code == AVD_REASON_NONE ? AVD_STAT_EXITS : 0),
		.exits = 251,
		.exits_io = 240,
		.exits_intr = 11,
		.first_instruction_ns = 212 * MS,
		.init_ns = 1650 * MS,
		.ram_resident_bytes = 108 << 20,
		.overhead_bytes = 158 << 20,
		.sandbox = {"seccomp", 7},
	};
	kit_add_seq(kit, &m, AVD_HOST_SEQ_BASE + 1);
}

static const char *const fifo[] = {"/opt/scx/scx_fifo", "--slice", "20000", NULL};

static void passed(struct kit *kit)
{
	start(kit, fifo, NULL);
	boot(kit);
	kit_log(kit, AVD_STREAM_SCHEDULER_STDOUT, "scx_fifo: attached\nlocal=1 global=12\n");
	programs(kit, NULL);
	attached(kit);
	kit_add(kit, AVD_MSG_DISPATCH);
	phase(kit, AVD_PHASE_TEARDOWN, 2900);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

static void payload_failed(struct kit *kit)
{
	static const char *const payload[] = {
		"/usr/bin/stress-ng", "--cpu", "2", "-k", "it's", NULL};
	struct avd_message m = kit_message(AVD_MSG_PAYLOAD_EXIT);
	start(kit, fifo, payload);
	boot(kit);
	attached(kit);
	kit_add(kit, AVD_MSG_DISPATCH);
	phase(kit, AVD_PHASE_PAYLOAD, 2800);
	kit_log(kit, AVD_STREAM_PAYLOAD_STDERR, "stress-ng: error\tno such option -k\r\n");
	m.u.payload_exit.exit_status = 2;
	m.u.payload_exit.wall_ns = 31 * MS;
	kit_add_message(kit, &m);
	phase(kit, AVD_PHASE_TEARDOWN, 2900);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

static void ejected(struct kit *kit)
{
	struct avd_message m = kit_message(AVD_MSG_SCHEDULER_EXIT);
	start(kit, fifo, NULL);
	boot(kit);
	attached(kit);
	kernel_line(kit, 7400000,
		    "sched_ext: BPF scheduler \"fifo\" disabled (runnable task stall)");
	kernel_line(kit, 7400120, "sched_ext: fifo: kworker/1:0[27] failed to run for 5.012s");
	m.u.scheduler_exit.phase = AVD_PHASE_DISPATCH;
	m.u.scheduler_exit.message = STR("kworker/1:0[27] failed to run for 5.012s");
	m.u.scheduler_exit.source = AVD_EXIT_FROM_PROBE;
	m.u.scheduler_exit.phase_ns = 4870 * MS;
	m.u.scheduler_exit.backtrace =
		STR("scx_watchdog_workfn+0x154/0x1e0\nprocess_one_work+0x18e/0x3e0\n");
	kit_log(kit, AVD_STREAM_DUMP, "CPU states\n----------\n\nCPU 1   : nr_run=1 flags=0x1\n");
	at(kit, 7410);
	kit_add_message(kit, &m);
	m = kit_message(AVD_MSG_DISPATCH);
	m.u.dispatch.ok = 0;
	m.u.dispatch.cpus_ok.data = (const uint8_t *)"\x01";
	m.u.dispatch.reason = STR("CPU 1 made no progress in 4870 ms");
	m.u.dispatch.wall_ns = 4870 * MS;
	m.u.dispatch.mode = 1;
	m.u.dispatch.tasks = 4;
	m.u.dispatch.tasks_ok = 3;
	m.u.dispatch.rounds = 60;
	kit_add_message(kit, &m);
	phase(kit, AVD_PHASE_TEARDOWN, 7500);
	m = kit_message(AVD_MSG_DONE);
	m.u.done.enabled_at_end = 0;
	kit_add_message(kit, &m);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

static void init_failed(struct kit *kit)
{
	struct avd_message m = kit_message(AVD_MSG_SCHEDULER_NOT_ATTACHED);
	start(kit, fifo, NULL);
	boot(kit);
	kernel_line(kit, 2401000, "sched_ext: ops.init() failed (-95)");
	m.u.failure.reason = STR("cause=init-failed state=disabled ops=missing enable_seq=0->0 "
				 "wall_ms=402 cpu_ms=120: sched_ext: ops.init() failed (-95)");
	at(kit, 2430);
	kit_add_message(kit, &m);
	phase(kit, AVD_PHASE_TEARDOWN, 2440);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

static void exec_failed(struct kit *kit)
{
	static const char *const missing[] = {"/opt/scx/no such", NULL};
	struct avd_message m = kit_message(AVD_MSG_SCHEDULER_DIED);
	start(kit, missing, NULL);
	boot(kit);
	m.u.failure.code = AVD_REASON_EXEC_FAILED;
	m.u.failure.reason = STR("cause=exec-failed state=disabled ops=missing enable_seq=0->0 "
				 "wall_ms=1 cpu_ms=0: No such file or directory");
	m.u.failure.exit_status = -1;
	m.u.failure.error = 2;
	kit_add_message(kit, &m);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

/* Many long lines of a loader, so that the report has to choose. */
static void verifier_rejected(struct kit *kit)
{
	struct avd_message m = kit_message(AVD_MSG_SCHEDULER_DIED);
	start(kit, fifo, NULL);
	boot(kit);
	programs(kit, "fifo_enqueue");
	for (unsigned i = 0; i < 40; i++)
		kit_log(kit, AVD_STREAM_SCHEDULER_STDERR, "0: R1=ctx() R10=fp0\n");
	kit_log(kit, AVD_STREAM_SCHEDULER_STDERR,
		"9: (79) r1 = *(u64 *)(r0 +0)\nR0 invalid mem access '\033[2Jscalar'\n"
		"processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"
		"-- END PROG LOAD LOG --\nlibbpf: prog 'fifo_enqueue': failed to load: -13\n");
	kit_log(kit, AVD_STREAM_SCHEDULER_STDERR,
		"libbpf: prog 'fifo_enqueue': BPF program load failed: Permission denied, and then "
		"this line goes on and on to tell at length what everybody knew when it began: "
		"that "
		"the program was not accepted\n");
	m.u.failure.code = AVD_REASON_VERIFIER_REJECTED;
	m.u.failure.reason =
		STR("cause=verifier-rejected state=disabled ops=missing enable_seq=0->0 "
		    "wall_ms=210 cpu_ms=80: libbpf: prog 'fifo_enqueue': BPF program "
		    "load failed: Permission denied");
	kit_add_message(kit, &m);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

/* A loader with a libbpf that knows no `.struct_ops.link`: refused before the first instruction. */
static void not_tied(struct kit *kit)
{
	struct avd_message m = kit_message(AVD_MSG_SCHEDULER_DIED), program;
	start(kit, fifo, NULL);
	boot(kit);
	program = kit_message(AVD_MSG_PROGRAM);
	program.u.program = (struct avd_msg_program){
		.name = {(const uint8_t *)"fifo_enqueue", 12},
		.from_probe = AVD_PROGRAM_NAME | AVD_PROGRAM_TYPE | AVD_PROGRAM_ERROR |
			      AVD_PROGRAM_PROCESSED_INSNS,
		.type = 27,
		.error = 524,
	};
	kit_add_message(kit, &program);
	kit_log(kit, AVD_STREAM_SCHEDULER_STDERR,
		"libbpf: prog 'fifo_enqueue': BPF program load failed: ERROR: strerror_r(524)=22\n"
		"libbpf: prog 'fifo_enqueue': -- BEGIN PROG LOAD LOG --\n"
		"processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"
		"-- END PROG LOAD LOG --\nlibbpf: prog 'fifo_enqueue': failed to load: -524\n");
	m.u.failure.code = AVD_REASON_VERIFIER_REJECTED;
	m.u.failure.reason =
		STR("cause=verifier-rejected state=disabled ops=missing enable_seq=0->0 "
		    "wall_ms=189 cpu_ms=80: libbpf: prog 'fifo_enqueue': BPF program load failed: "
		    "ERROR: strerror_r(524)=22");
	kit_add_message(kit, &m);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

static void panic(struct kit *kit)
{
	start(kit, fifo, NULL);
	boot(kit);
	kernel_line(kit, 2102000, "Kernel panic - not syncing: sysrq triggered crash");
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC,
	    "Kernel panic - not syncing: sysrq triggered crash",
	    "[    2.102000] Kernel panic - not syncing: sysrq triggered crash\r\n"
	    "[    2.102100] CPU: 0 PID: 112 Comm: scx_fifo\r\n\r\n"
	    "[    2.102200] Call Trace:\r\n"
	    "[    2.102300]  <TASK>\r\n"
	    "[    2.102400]  dump_stack_lvl+0x5d/0x80\r\n"
	    "[    2.103000] Rebooting in 1 seconds..\r\n");
}

/* A recorder that was killed. */
static void truncated(struct kit *kit)
{
	start(kit, fifo, NULL);
	boot(kit);
	attached(kit);
}

/* Bytes in the middle that are no frame. */
static void corrupt(struct kit *kit)
{
	start(kit, fifo, NULL);
	boot(kit);
	kit_add_raw(kit, "\033[2Jnoise\n", 10);
	attached(kit);
	kit_add(kit, AVD_MSG_DONE);
	end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "", "");
}

/* All that a guest can do to its reader: control characters, broken UTF-8, text that looks like
 * the report's own, numbers at their limits. */
static void hostile(struct kit *kit)
{
	static const char *const scheduler[] = {"/opt/\033[31mred", "", "a\nb", "say \"hi\" \\",
						NULL};
	static const char ops[] = "x\"\033]0;owned\007\n\xff\xfe";
	struct avd_message m;
	start(kit, scheduler, NULL);
	boot(kit);
	programs(kit, "\xff\xff\xff\x1b[2J\n\r\x9b\"\\\x7f,;");
	for (unsigned i = 0; i < 4; i++) {
		uint8_t all[256];
		for (unsigned j = 0; j < sizeof(all); j++)
			all[j] = (uint8_t)j;
		m = kit_message(AVD_MSG_LOG);
		m.u.log.stream = AVD_STREAM_SCHEDULER_STDOUT + i;
		m.u.log.bytes = (struct avd_bytes){all, sizeof(all)};
		m.u.log.dropped = i == 1 ? UINT64_MAX : 0;
		kit_add_message(kit, &m);
	}
	kit_log(kit, AVD_STREAM_SCHEDULER_STDOUT, "\nATTACHED: scheduler \"fifo\"\npassed\r");
	kernel_line(kit, UINT64_MAX, "sched_ext: \033[2J\xc3( \xe2\x80\xae \xe2\x80\xac");
	m = kit_message(AVD_MSG_SCHEDULER_ATTACHED);
	m.u.attached = (struct avd_msg_attached){.ops = {ops, sizeof(ops) - 1},
						 .enable_seq_before = UINT64_MAX - 1,
						 .enable_seq = UINT64_MAX,
						 .wall_ns = UINT64_MAX,
						 .cpu_ns = (UINT64_C(1) << 53) - 1};
	kit_add_message(kit, &m);
	kit_add(kit, AVD_MSG_PAYLOAD_STARTING);
	m = kit_message(AVD_MSG_SCHEDULER_EXIT);
	m.u.scheduler_exit = (struct avd_msg_scheduler_exit){.exit_kind = UINT64_MAX,
							     .exit_code = INT64_MIN,
							     .code = UINT32_MAX,
							     .phase = UINT32_MAX,
							     .reason = STR("\r\x9b"),
							     .source = 1,
							     .backtrace = STR("\033[2J\n\n\xff")};
	kit_add_message(kit, &m);
	end(kit, UINT32_MAX, UINT32_MAX, "\033c", "\033c\xf0\x9f\x90\xa7\r\nFAILED\033[A");
}

/* A payload that would not end, on a machine that the watchdog ended. */
static void watchdog(struct kit *kit)
{
	static const char *const payload[] = {"/bin/sleep", "inf", NULL};
	start(kit, fifo, payload);
	boot(kit);
	attached(kit);
	kit_add(kit, AVD_MSG_DISPATCH);
	phase(kit, AVD_PHASE_PAYLOAD, 2800);
	end(kit, AVD_END_WATCHDOG, AVD_REASON_WATCHDOG, "the whole cell took longer than 60 s", "");
}

const struct report_sample report_samples[REPORT_SAMPLE_COUNT] = {
	{"passed", passed},	      {"payload-failed", payload_failed},
	{"ejected", ejected},	      {"init-failed", init_failed},
	{"exec-failed", exec_failed}, {"verifier-rejected", verifier_rejected},
	{"not-tied", not_tied},	      {"panic", panic},
	{"truncated", truncated},     {"corrupt", corrupt},
	{"hostile", hostile},	      {"watchdog", watchdog},
};
