// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "gate.h"

#include <string.h>

static const char *const state_names[] = {
	[AVD__SCX_UNKNOWN] = "unknown",	    [AVD__SCX_DISABLED] = "disabled",
	[AVD__SCX_ENABLING] = "enabling",   [AVD__SCX_ENABLED] = "enabled",
	[AVD__SCX_DISABLING] = "disabling",
};

const char *avd__scx_state_name(enum avd__scx_state state)
{
	return state_names[state];
}

enum avd__scx_state avd__scx_state_of(const char *name)
{
	for (int i = AVD__SCX_DISABLED; i <= AVD__SCX_DISABLING; i++)
		if (!strcmp(name, state_names[i]))
			return (enum avd__scx_state)i;
	return AVD__SCX_UNKNOWN;
}

void avd__gate_init(struct avd__gate *gate, uint64_t seq_before, uint64_t settle_ns)
{
	*gate = (struct avd__gate){.seq_before = seq_before, .settle_ns = settle_ns};
}

bool avd__gate_still(const struct avd__gate *gate, const struct avd__scx_reading *scx)
{
	return scx->state == AVD__SCX_ENABLED && scx->ops_there &&
	       scx->enable_seq == gate->proof_seq && !strcmp(scx->ops, gate->proof_ops);
}

static bool is_proof(const struct avd__gate *gate, const struct avd__scx_reading *scx)
{
	return scx->state == AVD__SCX_ENABLED && scx->ops_there && scx->ops[0] != '\0' &&
	       scx->enable_seq > gate->seq_before;
}

static enum avd__gate_decision settle(struct avd__gate *gate,
				      const struct avd__gate_reading *reading)
{
	if (gate->settling && !avd__gate_still(gate, &reading->scx)) {
		gate->settling = false;
		gate->proofs_lost++;
	}
	if (!gate->settling) {
		gate->settling = true;
		gate->settle_readings = 0;
		gate->proof_at = reading->now;
		gate->proof_seq = reading->scx.enable_seq;
		memcpy(gate->proof_ops, reading->scx.ops, sizeof(gate->proof_ops));
	}
	gate->gone_since = 0;
	gate->settle_readings++;
	if (reading->now - gate->proof_at >= gate->settle_ns &&
	    gate->settle_readings > AVD__GATE_SETTLE_READINGS)
		return AVD__GATE_ATTACHED;
	return AVD__GATE_WAIT;
}

/* Was there a scheduler of ours that is no more? A failing ops.init leaves enable_seq as it
 * was; only the kernel log tells. */
static bool is_gone(const struct avd__gate *gate, const struct avd__gate_reading *reading)
{
	return reading->scx.state == AVD__SCX_DISABLED &&
	       (reading->kernel_disabled || reading->scx.enable_seq > gate->seq_before);
}

enum avd__gate_decision avd__gate_feed(struct avd__gate *gate,
				       const struct avd__gate_reading *reading)
{
	/* Death beats a stale `enabled`. */
	if (!reading->alive_before || !reading->alive_after)
		return AVD__GATE_DIED;
	/* An attach that is seen at the deadline counts: it may settle beyond it. */
	if (is_proof(gate, &reading->scx))
		return settle(gate, reading);
	if (gate->settling) {
		gate->settling = false;
		gate->proofs_lost++;
	}
	if (!is_gone(gate, reading)) {
		gate->gone_since = 0;
		return reading->budget_used_up ? AVD__GATE_TIMEOUT : AVD__GATE_WAIT;
	}
	if (!gate->gone_since)
		gate->gone_since = reading->now ? reading->now : 1;
	if (reading->budget_used_up || reading->now - gate->gone_since >= AVD__GATE_EJECT_GRACE)
		return AVD__GATE_EJECTED;
	return AVD__GATE_WAIT;
}
