// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verdict_kit.h"

#include <check.h>
#include <string.h>

#include "codec/frame.h"
#include "codec/message.h"

const uint8_t kit_nonce[AVD_NONCE_SIZE] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
					   0xd9, 0xd9, 0xf7, 0x83, 0x1a, 0x00, 0x5a, 0xff};

#define STR(text) ((struct avd_str){(text), sizeof(text) - 1})

uint64_t kit_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static struct avd_strv argv_of(const char *item, uint8_t *out, size_t size)
{
	struct avd_strv argv = {{out, 0}, 0};
	ck_assert_int_eq(avd__strv_put(out, size, &argv.cbor.len, &argv.count, item, strlen(item)),
			 0);
	return argv;
}

static struct avd_msg_cell sound_cell(void)
{
	static uint8_t scheduler[64], payload[64];
	return (struct avd_msg_cell){
		.protocol = AVD_PROTOCOL_VERSION,
		.nonce = {kit_nonce, sizeof(kit_nonce)},
		.version = STR("0.1.0"),
		.kernel = STR("/boot/vmlinuz"),
		.scheduler = argv_of("/usr/bin/scx_fifo", scheduler, sizeof(scheduler)),
		.payload = argv_of("/bin/true", payload, sizeof(payload)),
		.machine = STR("qemu"),
		.accel = STR("tcg"),
		.carrier = STR("serial"),
		.topology = STR("2"),
		.cpus = 2,
		.memory_bytes = 1u << 30,
		.settle_ms = 100,
		.budget_cpu_ms = 35000,
		.dispatch = 1,
	};
}

static void fill_guest(struct avd_message *m)
{
	static const uint8_t cpus = 3;
	/* as codec/cpus.h has it: two cores of one package and LLC */
	static const uint8_t two_cpus[2 * 12] = {[13] = 1, [21] = 1};
	switch (m->kind) {
	case AVD_MSG_HELLO:
		m->u.hello = (struct avd_msg_hello){.protocol = AVD_PROTOCOL_VERSION,
						    .nonce = {kit_nonce, sizeof(kit_nonce)},
						    .release = STR("6.16.12"),
						    .cpus_online = 2,
						    .slowness_permille = 1000};
		break;
	case AVD_MSG_PHASE:
		m->u.phase.phase = AVD_PHASE_GATE;
		break;
	case AVD_MSG_SCHEDULER_STARTED:
		m->u.started = (struct avd_msg_started){.pid = 100, .enable_seq = 7};
		break;
	case AVD_MSG_SCHEDULER_ATTACHED:
		m->u.attached = (struct avd_msg_attached){
			.ops = STR("fifo"), .enable_seq_before = 7, .enable_seq = 8};
		break;
	case AVD_MSG_SCHEDULER_DIED:
		m->u.failure = (struct avd_msg_failure){.code = AVD_REASON_EXITED,
							.reason = STR("cause=exited status=1"),
							.exit_status = 1};
		break;
	case AVD_MSG_SCHEDULER_NOT_ATTACHED:
		m->u.failure = (struct avd_msg_failure){.code = AVD_REASON_INIT_FAILED,
							.reason = STR("cause=init-failed"),
							.exit_status = -1};
		break;
	case AVD_MSG_DISPATCH:
		m->u.dispatch =
			(struct avd_msg_dispatch){.ok = 1, .cpus_online = 2, .cpus_ok = {&cpus, 1}};
		break;
	case AVD_MSG_SCHEDULER_EXIT:
		m->u.scheduler_exit =
			(struct avd_msg_scheduler_exit){.exit_kind = 1026,
							.code = AVD_REASON_EJECTED,
							.phase = AVD_PHASE_PAYLOAD,
							.reason = STR("runnable task stall"),
							.message = STR("task 1 stalled")};
		break;
	case AVD_MSG_PROGRAM:
		m->u.program = (struct avd_msg_program){
			.name = {(const uint8_t *)"fifo_enqueue", 12},
			.from_probe = 0x1fff,
			.type = 27,
			.prog_id = 30,
			.verified_insns = 512,
			.processed_insns = 512,
			.total_states = 21,
			.peak_states = 20,
			.max_states_per_insn = 3,
			.stack_depth = 48,
			.xlated_bytes = 1024,
			.jited_bytes = 700,
			.verification_ns = 1500000,
		};
		break;
	case AVD_MSG_TOPOLOGY:
		m->u.topology = (struct avd_msg_topology){
			.cpus_possible = 2, .nodes = 1, .cpus = {two_cpus, sizeof(two_cpus)}};
		break;
	case AVD_MSG_LOG:
		m->u.log.stream = AVD_STREAM_SCHEDULER_STDOUT;
		break;
	case AVD_MSG_DONE:
		m->u.done.enabled_at_end = 1;
		break;
	case AVD_MSG_INIT_FAILED:
		m->u.init_failed.reason = STR("init gave up");
		break;
	default: /* payload-exit: status 0; others without fields */
		break;
	}
}

struct avd_message kit_message(uint32_t kind)
{
	struct avd_message m = {.kind = kind};
	if (kind == AVD_MSG_CELL)
		m.u.cell = sound_cell();
	else if (kind == AVD_MSG_END_CAUSE)
		m.u.end_cause.cause = AVD_END_GUEST_RESET;
	else
		fill_guest(&m);
	return m;
}

void kit_add_raw(struct kit *kit, const void *bytes, size_t size)
{
	ck_assert_uint_le(size, sizeof(kit->bytes) - kit->size);
	memcpy(kit->bytes + kit->size, bytes, size);
	kit->size += size;
	kit->at[kit->count] = kit->size;
}

void kit_add_seq(struct kit *kit, const struct avd_message *message, uint32_t seq)
{
	struct avd_message m = *message;
	ck_assert_uint_lt(kit->count, KIT_FRAMES_MAX);
	if (!m.time_ns && seq < AVD_HOST_SEQ_BASE)
		m.time_ns = kit->time_ns += 1000000;
	kit->kinds[kit->count] = m.kind;
	kit->at[kit->count] = kit->size;
	const size_t size =
		avd__message_frame(&m, seq, kit->bytes + kit->size, sizeof(kit->bytes) - kit->size);
	ck_assert_uint_gt(size, 0);
	kit->size += size;
	kit->at[++kit->count] = kit->size;
}

void kit_add_message(struct kit *kit, const struct avd_message *message)
{
	kit_add_seq(kit, message, kit->seq++);
}

void kit_add(struct kit *kit, uint32_t kind)
{
	const struct avd_message m = kit_message(kind);
	kit_add_message(kit, &m);
}

void kit_start_cell(struct kit *kit, const struct avd_msg_cell *cell)
{
	const struct avd_message m = {.kind = AVD_MSG_CELL, .u.cell = *cell};
	kit->size = kit->count = kit->seq = 0;
	kit->time_ns = UINT64_C(2000000000);
	kit->flags = AVD_STREAM_RECORDING;
	kit_add_seq(kit, &m, AVD_HOST_SEQ_BASE);
}

void kit_start(struct kit *kit, uint32_t flags)
{
	const struct avd_msg_cell cell = sound_cell();
	kit_start_cell(kit, &cell);
	kit->flags = flags;
	if (!(flags & AVD_STREAM_RECORDING))
		kit->size = kit->count = 0;
}

void kit_end(struct kit *kit, uint32_t cause, uint32_t code, const char *detail)
{
	const struct avd_message m = {.kind = AVD_MSG_END_CAUSE,
				      .u.end_cause = {.cause = cause,
						      .code = code,
						      .detail = {detail, strlen(detail)},
						      .wall_ns = UINT64_C(6700000000)}};
	kit_add_seq(kit, &m, AVD_HOST_SEQ_BASE + 1);
}

void kit_log(struct kit *kit, uint32_t stream, const char *text)
{
	const struct avd_message m = {.kind = AVD_MSG_LOG,
				      .u.log = {.stream = stream,
						.bytes = {(const uint8_t *)text, strlen(text)}}};
	kit_add_message(kit, &m);
}

void kit_boot(struct kit *kit)
{
	struct avd_message phase = kit_message(AVD_MSG_PHASE);
	kit_add(kit, AVD_MSG_HELLO);
	phase.u.phase.phase = AVD_PHASE_START;
	kit_add_message(kit, &phase);
	kit_add(kit, AVD_MSG_SCHEDULER_STARTED);
	kit_add(kit, AVD_MSG_PHASE);
}

void kit_pass(struct kit *kit, uint32_t flags)
{
	kit_start(kit, flags);
	kit_boot(kit);
	kit_log(kit, AVD_STREAM_SCHEDULER_STDOUT, "attached\n");
	kit_add(kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(kit, AVD_MSG_DISPATCH);
	kit_add(kit, AVD_MSG_HEARTBEAT);
	kit_add(kit, AVD_MSG_PAYLOAD_EXIT);
	kit_add(kit, AVD_MSG_DONE);
	if (flags & AVD_STREAM_RECORDING)
		kit_end(kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
}

avd_stream *kit_stream(uint32_t flags, avd_event_fn on_event, void *userdata)
{
	const int recording = (flags & AVD_STREAM_RECORDING) != 0;
	const struct avd_stream_options options = {
		.size = sizeof(options),
		.flags = flags,
		.nonce = recording ? NULL : kit_nonce,
		.nonce_size = recording ? 0 : sizeof(kit_nonce),
		.on_event = on_event,
		.userdata = userdata,
	};
	avd_stream *stream;
	ck_assert_int_eq(avd_stream_new(&options, &stream), 0);
	return stream;
}

struct avd_verdict kit_judge_bytes(const uint8_t *bytes, size_t size, uint32_t flags, size_t slice)
{
	avd_stream *const stream = kit_stream(flags, NULL, NULL);
	struct avd_verdict verdict;
	if (slice == 0)
		slice = size;
	for (size_t at = 0; at < size; at += slice) {
		const size_t n = size - at < slice ? size - at : slice;
		ck_assert_int_eq(avd_stream_feed(stream, bytes + at, n), 0);
	}
	ck_assert_int_eq(avd_stream_finish(stream), 0);
	ck_assert_int_eq(avd_stream_verdict(stream, &verdict), 0);
	avd_stream_free(stream);
	return verdict;
}

struct avd_verdict kit_judge(const struct kit *kit)
{
	return kit_judge_bytes(kit->bytes, kit->size, kit->flags, 0);
}
