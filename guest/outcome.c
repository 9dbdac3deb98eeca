// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/verdict.h>
#include <string.h>

#include "clock.h"
#include "init.h"
#include "reason.h"

/* Between two readings. An attach takes hundreds of milliseconds; one that is lost again
 * within milliseconds is what the settling time is for. */
#define READING_INTERVAL (2 * AVD__NS_PER_MS)
/* CPU time is added up by the kernel from all CPUs, which costs more than the readings. */
#define CPU_INTERVAL (20 * AVD__NS_PER_MS)
/* After the end of the process: for the kernel to say its part. */
#define KERNEL_WORDS_LIMIT AVD__NS_PER_S
/* A process that ended and left others: for those to turn a scheduler on, so that the reason
 * can name it. */
#define LEFT_SOME_LIMIT (2 * AVD__NS_PER_S)

struct gate_run {
	struct avd__gate_reading last;
	struct avd__budget budget;
	uint64_t cpu_ns, cpu_at;
	uint64_t proof_cpu_ns;
};

static void count_cpu(const struct avd__init *init, struct gate_run *run)
{
	run->cpu_ns = avd__scheduler_cpu_ns(init);
	run->cpu_at = avd__guest_now();
}

static enum avd__gate_decision read_once(struct avd__init *init, struct gate_run *run)
{
	struct avd__gate_reading *reading = &run->last;

	reading->alive_before = avd__child_alive(&init->scheduler);
	avd__scx_read(&init->scx, &reading->scx);
	reading->alive_after = avd__child_alive(&init->scheduler);
	reading->now = avd__guest_now();
	if (reading->now - run->cpu_at >= CPU_INTERVAL)
		count_cpu(init, run);
	reading->budget_used_up = avd__budget_step(&run->budget, reading->now, run->cpu_ns);
	reading->kernel_disabled = init->facts.kernel.disabled > 0;
	const enum avd__gate_decision decision = avd__gate_feed(&init->gate, reading);
	if (init->gate.settling && init->gate.settle_readings == 1) {
		count_cpu(init, run);
		run->proof_cpu_ns = run->cpu_ns;
	}
	return decision;
}

static void attached(struct avd__init *init, const struct gate_run *run)
{
	const struct avd__gate *gate = &init->gate;
	struct avd_message message = {
		.kind = AVD_MSG_SCHEDULER_ATTACHED,
		.u.attached = {.ops = {.data = gate->proof_ops, .len = strlen(gate->proof_ops)},
			       .enable_seq_before = gate->seq_before,
			       .enable_seq = gate->proof_seq,
			       .wall_ns = gate->proof_at - init->started_at,
			       .cpu_ns = run->proof_cpu_ns,
			       .switch_all = run->last.scx.switch_all ? 1 : 0}};

	init->switch_all = run->last.scx.switch_all != 0;
	/* What the kernel says of this one's end comes after it has stopped reading as enabled. */
	avd__facts_attached(&init->facts);
	avd__channel_send(&init->channel, &message);
	message = (struct avd_message){.kind = AVD_MSG_PAYLOAD_STARTING};
	avd__channel_send(&init->channel, &message);
}

static void send_failure(struct avd__init *init, uint32_t kind, uint32_t code,
			 const struct avd__text *reason)
{
	const struct avd__exit *exit = &init->scheduler.exit;
	struct avd_message message = {.kind = kind,
				      .u.failure = {.code = code,
						    .reason = avd__text_str(reason),
						    .exit_status = exit->status,
						    .signal = exit->signal,
						    .error = exit->error}};
	avd__channel_send(&init->channel, &message);
}

/* The kernel threw it out before it had settled: how, in fields. The outcome stands. */
static void tell_ejection(struct avd__init *init, uint32_t code)
{
	const struct avd__kernel_facts *kernel = &init->facts.kernel;
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	if (code != AVD_REASON_INIT_FAILED && code != AVD_REASON_EJECTED_AT_ATTACH)
		return;
	avd__text_quote(&reason, kernel->reason.text, kernel->reason.len);
	avd__tell_exit(init, code, avd__guest_now() - init->phase_at, &reason);
}

/* The process is dead; what others have to say may take a moment more. */
static void wait_for_words(struct avd__init *init)
{
	const uint64_t start = avd__guest_now();
	const uint64_t words = avd__patience(KERNEL_WORDS_LIMIT, init->slowness);
	const uint64_t left = avd__patience(LEFT_SOME_LIMIT, init->slowness);
	struct avd__scx_reading scx;

	for (;;) {
		const uint64_t took = avd__guest_now() - start;
		avd__scx_read(&init->scx, &scx);
		const bool busy = scx.state == AVD__SCX_ENABLING || scx.state == AVD__SCX_DISABLING;
		const bool others = avd__scheduler_left_some(init) && scx.state != AVD__SCX_ENABLED;
		/* A dead process whose tracer does not let it go is never reaped. */
		const bool unreaped = !init->scheduler.reaped && took < left;
		if (!unreaped && !(busy && took < words) && !(others && took < left))
			break;
		avd__turn(init, READING_INTERVAL);
	}
	avd__drain(init);
}

static void died(struct avd__init *init, struct gate_run *run)
{
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));
	struct avd__scx_reading scx;

	count_cpu(init, run);
	wait_for_words(init);
	const struct avd__child *child = &init->scheduler;
	const uint32_t code = avd__classify_death(&init->facts, &child->exit);
	avd__reason_head(&reason, code, &run->last.scx, init->seq_before,
			 run->last.now - init->started_at, run->cpu_ns);
	if (child->exit.exec_failed) {
		if (strcmp(child->failed_step, "execve"))
			avd__text_add(&reason, "; %s: %s", child->failed_step,
				      strerror((int)child->exit.error));
		else
			avd__explain_exec(&reason, init->config.scheduler[0],
					  (int)child->exit.error);
	} else {
		if (!child->reaped)
			avd__text_add(&reason, "; dead, but held by a process that traces it");
		avd__reason_exit(&reason, &child->exit);
		avd__reason_kernel(&reason, &init->facts.kernel);
		avd__scx_read(&init->scx, &scx);
		if (scx.state == AVD__SCX_ENABLED)
			avd__text_add(&reason,
				      "; a scheduler is enabled now, by another process: the "
				      "scheduler must stay in the foreground");
		else if (avd__scheduler_left_some(init))
			avd__text_add(&reason,
				      "; it left other processes behind: the scheduler must stay "
				      "in the foreground");
		avd__reason_output(&reason, &init->facts.output);
	}
	send_failure(init, AVD_MSG_SCHEDULER_DIED, code, &reason);
	tell_ejection(init, code);
}

static void not_attached(struct avd__init *init, struct gate_run *run, bool ejected)
{
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	count_cpu(init, run);
	avd__drain(init);
	const uint32_t code = avd__classify_not_attached(&init->facts, ejected);
	avd__reason_head(&reason, code, &run->last.scx, init->seq_before,
			 run->last.now - init->started_at, run->cpu_ns);
	avd__text_add(&reason, "; its process is alive");
	avd__reason_kernel(&reason, &init->facts.kernel);
	avd__reason_output(&reason, &init->facts.output);
	send_failure(init, AVD_MSG_SCHEDULER_NOT_ATTACHED, code, &reason);
	tell_ejection(init, code);
}

bool avd__outcome(struct avd__init *init)
{
	const struct avd_msg_cell *cell = &init->config.cell;
	struct gate_run run = {0};
	enum avd__gate_decision decision;

	avd__gate_init(&init->gate, init->seq_before, cell->settle_ms * AVD__NS_PER_MS);
	avd__budget_init(&run.budget, cell->budget_cpu_ms, cell->budget_wall_ms, init->slowness);
	while ((decision = read_once(init, &run)) == AVD__GATE_WAIT)
		avd__turn(init, READING_INTERVAL);
	if (decision == AVD__GATE_ATTACHED)
		attached(init, &run);
	else if (decision == AVD__GATE_DIED)
		died(init, &run);
	else
		not_attached(init, &run, decision == AVD__GATE_EJECTED);
	return decision == AVD__GATE_ATTACHED;
}

void avd__outcome_refuse(struct avd__init *init, uint32_t code, const struct avd__scx_reading *scx,
			 const char *why)
{
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	init->scheduler.exit.status = -1;
	avd__reason_head(&reason, code, scx, scx->enable_seq, 0, 0);
	avd__text_add(&reason, "; %s", why);
	send_failure(init, AVD_MSG_SCHEDULER_NOT_ATTACHED, code, &reason);
}
