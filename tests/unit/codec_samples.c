// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec_samples.h"

#include <string.h>

#define STR(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}
#define BYTES(text)                                       \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
#define NONCE BYTES("0123456789abcdef")

/* clang-format off */
static const struct avd_message typical[] = {
	{.kind = AVD_MSG_HELLO, .time_ns = 2100000000, .u.hello = {
		.protocol = 1, .nonce = NONCE, .release = STR("7.2.12-cloud-amd64"),
		.cpus_online = 2, .slowness_permille = 3500, .carrier = STR("window")}},
	{.kind = AVD_MSG_PHASE, .time_ns = 2100000001, .u.phase = {.phase = AVD_PHASE_GATE}},
	{.kind = AVD_MSG_SCHEDULER_STARTED, .time_ns = 2200000000, .u.started = {
		.pid = 77, .enable_seq = 3}},
	{.kind = AVD_MSG_SCHEDULER_ATTACHED, .time_ns = 2700000000, .u.attached = {
		.ops = STR("fifo"), .enable_seq_before = 3, .enable_seq = 4,
		.wall_ns = 400000000, .cpu_ns = 150000000, .switch_all = 1}},
	{.kind = AVD_MSG_SCHEDULER_DIED, .time_ns = 2300000000, .u.failure = {
		.code = 4, .reason = STR("R1 invalid mem access 'scalar'"), .exit_status = 1,
		.signal = 0, .error = 0}},
	{.kind = AVD_MSG_SCHEDULER_NOT_ATTACHED, .time_ns = 37000000000, .u.failure = {
		.code = 11, .reason = STR("cause=timeout state=disabled ops=missing "
					  "enable_seq=3->3 wall_ms=35000 cpu_ms=12"),
		.exit_status = -1, .signal = 9, .error = 2}},
	{.kind = AVD_MSG_PAYLOAD_STARTING, .time_ns = 2900000000},
	{.kind = AVD_MSG_DISPATCH, .time_ns = 2950000000, .u.dispatch = {
		.ok = 0, .cpus_online = 9, .cpus_ok = BYTES("\xfe\x01"), .wall_ns = 50000000,
		.reason = STR("CPU 0 made no progress"), .mode = 2, .tasks = 18, .tasks_ok = 17,
		.rounds = 3400}},
	{.kind = AVD_MSG_SCHEDULER_EXIT, .time_ns = 3000000000, .u.scheduler_exit = {
		.exit_kind = 1026, .exit_code = -110, .code = 23, .phase = 5,
		.reason = STR("runnable task stall"),
		.message = STR("sh[80] failed to run for 30.1s"), .source = 1,
		.backtrace = STR("check_rq_for_timeouts+0x12c/0x160\n"), .phase_ns = 2970000000}},
	{.kind = AVD_MSG_PAYLOAD_EXIT, .time_ns = 3100000000, .u.payload_exit = {
		.exit_status = -1, .signal = 15, .error = 13, .wall_ns = 200000000, .ended_by = 1,
		.left_some = 1, .reason = STR("cannot execute \"/x\"")}},
	{.kind = AVD_MSG_PROGRAM, .time_ns = 2240000000, .u.program = {
		.name = BYTES("fifo_enq\x1b[\xff"), .order = 3, .from_probe = 0x17ff,
		.from_info = 0x800, .type = 27, .prog_id = 41, .error = 13, .verified_insns = 512,
		.processed_insns = 511, .total_states = 30, .peak_states = 29,
		.max_states_per_insn = 4, .stack_depth = 48, .xlated_bytes = 1024,
		.jited_bytes = 700, .verification_ns = 1234567}},
	{.kind = AVD_MSG_LOG, .time_ns = 2250000000, .u.log = {
		.stream = AVD_STREAM_SCHEDULER_STDERR, .bytes = BYTES("loading\n\xff\x1b[0m"),
		.dropped = 4096}},
	{.kind = AVD_MSG_KERNEL_LOG, .time_ns = 2260000000, .u.kernel_log = {
		.level = 6, .log_seq = 412, .log_time_us = 2260000,
		.bytes = BYTES("sched_ext: BPF scheduler \"fifo\" enabled")}},
	{.kind = AVD_MSG_DONE, .time_ns = 3200000000, .u.done = {.enabled_at_end = 1}},
	{.kind = AVD_MSG_TOPOLOGY, .time_ns = 2110000000, .u.topology = {
		.cpus_possible = 4, .nodes = 1,
		.cpus = BYTES("\0\0" "\0\0" "\0\0" "\0\0" "\0\0" "\0\0"
			      "\0\1" "\0\0" "\0\0" "\0\0" "\0\0" "\0\1")}},
	{.kind = AVD_MSG_HEARTBEAT, .time_ns = 3000000001},
	{.kind = AVD_MSG_INIT_FAILED, .time_ns = 1900000000, .u.init_failed = {
		.signal = 11, .reason = STR("init crashed at 0x401234")}},
	{.kind = AVD_MSG_CELL, .time_ns = 17, .u.cell = {
		.protocol = 1, .nonce = NONCE, .version = STR("0.1.0"),
		.kernel = STR("/boot/vmlinuz"), .release = STR("7.2.12-cloud-amd64"),
		.scheduler = {BYTES("\x6d/usr/bin/fifo" "\x43\x80\x81\x82"), 2},
		.payload = {BYTES("\x69/bin/true"), 1},
		.machine = STR("qemu"), .accel = STR("tcg"), .carrier = STR("serial"),
		.topology = STR("2"), .cpus = 2, .memory_bytes = 1073741824, .settle_ms = 100,
		.budget_cpu_ms = 35000, .budget_wall_ms = 120000, .payload_ms = 60000,
		.log_limit = 4194304, .dispatch = 1,
		.started_unix_ns = 1795435200000000000, .dispatch_ms = 5000,
		.machine_reason = STR("kvm: it stops at \u201cshlx\u201d"), .verifier_stats = 1,
		.verifier_log = 4, .id = STR("7.2/fifo/2"), .digest = 0xfedcba9876543210}},
	{.kind = AVD_MSG_END_CAUSE, .time_ns = 9000000000, .u.end_cause = {
		.cause = AVD_END_GUEST_RESET, .code = 12,
		.detail = STR("Kernel panic - not syncing: \u201cboom\u201d"),
		.console_tail = BYTES("---[ end"), .console_bytes = 9000,
		.wall_ns = 8000000000, .machine_cpu_ns = 7500000000, .stats_valid = 127,
		.exits = 251, .exits_io = 201, .exits_mmio = 31, .exits_hlt = 1, .exits_shutdown = 2,
		.exits_intr = 9, .exits_other = 7, .first_instruction_ns = 8100000,
		.start_cpu_ns = 7900000, .init_ns = 2400000000, .verdict_ns = 3100000000,
		.ram_resident_bytes = 111149056, .overhead_bytes = 1519616,
		.sandbox = STR("seccomp")}},
};
/* clang-format on */

const char *sample_name(enum sample sample)
{
	static const char *const names[SAMPLE_COUNT] = {"typical", "lowest", "highest", "foreign"};
	return names[sample];
}

uint32_t sample_next_kind(uint32_t kind)
{
	while (kind < AVD_MSG_END_CAUSE) {
		const struct avd__kind *found = avd__kind_find(++kind);
		if (found && found->known)
			return kind;
	}
	return 0;
}

static void set_number(void *at, const struct avd__field *field, uint64_t value)
{
	const uint32_t narrow = (uint32_t)value;
	if (field->type == AVD__FIELD_U64 || field->type == AVD__FIELD_I64)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

static struct avd_str sample_text(enum sample sample)
{
	static char longer[300]; /* its length takes two bytes */
	switch (sample) {
	case SAMPLE_HIGHEST:
		memset(longer, 'x', sizeof(longer));
		memcpy(longer + sizeof(longer) - 4, "\xf4\x8f\xbf\xbf", 4); /* U+10FFFF */
		return (struct avd_str){longer, sizeof(longer)};
	case SAMPLE_FOREIGN:
		return (struct avd_str)STR("\xff\xfe\x00\x1b[2J");
	default:
		return (struct avd_str){NULL, 0};
	}
}

static struct avd_strv sample_strv(enum sample sample)
{
	static uint8_t items[2048];
	struct avd_strv strv = {.cbor.data = items};
	const struct avd_str text = sample_text(sample);
	if (sample == SAMPLE_LOWEST)
		return strv;
	while (strv.count < 5)
		avd__strv_put(items, sizeof(items), &strv.cbor.len, &strv.count, text.data,
			      text.len);
	return strv;
}

static struct avd_bytes sample_bytes(const struct avd__field *field, enum sample sample)
{
	static const uint8_t like_a_frame[] = "\xd9\xd9\xf7\x83\x1a\xd9\xd9\xf7\x83\x1a\x00\x00"
					      "\x00\x00\x5a\xff";
	static const uint8_t many[70000]; /* its length takes four bytes */
	if (field->max == AVD_NONCE_SIZE)
		return (struct avd_bytes){like_a_frame, AVD_NONCE_SIZE};
	size_t len = sample == SAMPLE_LOWEST ? 0 : 16;
	if (sample == SAMPLE_HIGHEST)
		len = sizeof(many);
	if (len > field->max)
		len = field->max;
	return (struct avd_bytes){len > sizeof(like_a_frame) ? many : like_a_frame, len};
}

struct avd_message sample_message(uint32_t kind, enum sample sample)
{
	if (sample == SAMPLE_TYPICAL) {
		for (size_t i = 0; i < sizeof(typical) / sizeof(typical[0]); i++) {
			if (typical[i].kind == kind)
				return typical[i];
		}
	}
	const struct avd__kind *found = avd__kind_find(kind);
	struct avd_message message = {.kind = kind};
	message.time_ns = sample == SAMPLE_LOWEST ? 0 : UINT64_MAX;
	for (size_t i = 0; i < found->field_count; i++) {
		const struct avd__field *field = &found->fields[i];
		void *at = (char *)&message + field->offset;
		switch ((enum avd__field_type)field->type) {
		case AVD__FIELD_TEXT:
			*(struct avd_str *)at = sample_text(sample);
			break;
		case AVD__FIELD_BYTES:
			*(struct avd_bytes *)at = sample_bytes(field, sample);
			break;
		case AVD__FIELD_STRV:
			*(struct avd_strv *)at = sample_strv(sample);
			break;
		default:
			set_number(at, field,
				   sample == SAMPLE_HIGHEST ? field->max : (uint64_t)field->min);
		}
	}
	return message;
}

static bool same_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
	return a_size == b_size && (!a_size || memcmp(a, b, a_size) == 0);
}

bool sample_equal(const struct avd_message *a, const struct avd_message *b)
{
	if (a->kind != b->kind || a->time_ns != b->time_ns)
		return false;
	const struct avd__kind *kind = avd__kind_find(a->kind);
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct avd__field *field = &kind->fields[i];
		const void *x = (const char *)a + field->offset;
		const void *y = (const char *)b + field->offset;
		const struct avd_bytes *xs = x, *ys = y; /* a text has the same layout */
		const struct avd_strv *xv = x, *yv = y;
		bool same;
		switch ((enum avd__field_type)field->type) {
		case AVD__FIELD_TEXT:
		case AVD__FIELD_BYTES:
			same = same_bytes(xs->data, xs->len, ys->data, ys->len);
			break;
		case AVD__FIELD_STRV:
			same = xv->count == yv->count &&
			       same_bytes(xv->cbor.data, xv->cbor.len, yv->cbor.data, yv->cbor.len);
			break;
		case AVD__FIELD_U64:
		case AVD__FIELD_I64:
			same = memcmp(x, y, sizeof(uint64_t)) == 0;
			break;
		default:
			same = memcmp(x, y, sizeof(uint32_t)) == 0;
		}
		if (!same)
			return false;
	}
	return true;
}
