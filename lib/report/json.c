// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The schema is report.schema.json; a test holds the two together. */
#include <attachverdict/machine.h>
#include <attachverdict/report.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "report/hint.h"
#include "report/json_evidence.h"
#include "report/topology.h"

/* Raised when a name goes away or changes its meaning; new names don't raise it. */
#define SCHEMA_VERSION 1

/* RFC 3339, UTC. */
static void put_time(struct avd__json *json, const char *key, uint64_t unix_ns)
{
	const time_t seconds = (time_t)(unix_ns / UINT64_C(1000000000));
	struct tm tm;
	char date[64];
	char text[96];
	if (!unix_ns || !gmtime_r(&seconds, &tm) ||
	    !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm)) {
		avd__json_null(json, key);
		return;
	}
	snprintf(text, sizeof(text), "%s.%09" PRIu64 "Z", date, unix_ns % UINT64_C(1000000000));
	avd__json_cstring(json, key, text);
}

/* Code, text and hint; all null when there is nothing to give a reason for. */
static void put_reason(struct avd__json *json, const char *code_key, const char *reason_key,
		       uint32_t code, const char *reason)
{
	if (code == AVD_REASON_NONE) {
		avd__json_null(json, code_key);
		avd__json_null(json, reason_key);
	} else {
		avd__json_cstring(json, code_key, avd_reason_code_name(code));
		avd__json_cstring(json, reason_key, reason);
	}
}

static void put_verdict(struct avd__json *json, const struct avd__evidence *ev,
			const struct avd_verdict *verdict)
{
	const char *hint = avd__hint(ev, verdict);
	avd__json_cstring(json, "outcome", avd_outcome_name(verdict->outcome));
	put_reason(json, "reason_code", "reason", verdict->reason_code, verdict->reason);
	avd__json_cstring(json, "result", avd_result_name(verdict->result));
	put_reason(json, "result_code", "result_reason", verdict->result_code,
		   verdict->result_reason);
	avd__json_cstring(json, "hint", *hint ? hint : NULL);
	avd__json_cstring(json, "end_cause", avd_end_cause_name(verdict->end_cause));
}

static void put_known(struct avd__json *json, const char *key, uint64_t value, uint32_t known)
{
	if (known)
		avd__json_u64(json, key, value);
	else
		avd__json_null(json, key);
}

/* What is not known is null, never 0. */
static void put_statistics(struct avd__json *json, const struct avd_msg_end_cause *end)
{
	const uint32_t valid = end->stats_valid;
	if (!valid) {
		avd__json_null(json, "statistics");
		return;
	}
	avd__json_open(json, "statistics", '{');
	if (valid & AVD_STAT_EXITS) {
		avd__json_open(json, "exits", '{');
		avd__json_u64(json, "total", end->exits);
		avd__json_u64(json, "io", end->exits_io);
		avd__json_u64(json, "mmio", end->exits_mmio);
		avd__json_u64(json, "hlt", end->exits_hlt);
		avd__json_u64(json, "shutdown", end->exits_shutdown);
		avd__json_u64(json, "intr", end->exits_intr);
		avd__json_u64(json, "other", end->exits_other);
		avd__json_close(json, '}');
	} else {
		avd__json_null(json, "exits");
	}
	put_known(json, "first_instruction_ns", end->first_instruction_ns,
		  valid & AVD_STAT_FIRST_INSTRUCTION);
	put_known(json, "start_cpu_ns", end->start_cpu_ns, valid & AVD_STAT_START_CPU);
	put_known(json, "init_ns", end->init_ns, valid & AVD_STAT_INIT);
	put_known(json, "verdict_ns", end->verdict_ns, valid & AVD_STAT_VERDICT);
	put_known(json, "ram_resident_bytes", end->ram_resident_bytes, valid & AVD_STAT_MEMORY);
	put_known(json, "overhead_bytes", end->overhead_bytes, valid & AVD_STAT_MEMORY);
	avd__json_close(json, '}');
}

static void put_machine(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "machine", '{');
	avd__json_cstring(json, "kind", *ev->machine ? ev->machine : NULL);
	avd__json_cstring(json, "accel", *ev->accel ? ev->accel : NULL);
	avd__json_cstring(json, "carrier", *ev->carrier ? ev->carrier : NULL);
	avd__json_cstring(json, "topology", *ev->topology ? ev->topology : NULL);
	avd__json_u64(json, "cpus", ev->cpus);
	avd__json_u64(json, "memory_bytes", ev->memory_bytes);
	avd__json_cstring(json, "reason", *ev->machine_reason ? ev->machine_reason : NULL);
	avd__json_cstring(json, "sandbox", *ev->sandbox ? ev->sandbox : NULL);
	put_statistics(json, &ev->end_cause);
	avd__json_close(json, '}');

	avd__json_open(json, "kernel", '{');
	avd__json_cstring(json, "release", *ev->release ? ev->release : NULL);
	avd__json_cstring(json, "path", *ev->kernel ? ev->kernel : NULL);
	avd__json_close(json, '}');
}

int avd_report_json(const avd_stream *stream, uint32_t flags, char **ret_text, size_t *ret_size)
{
	struct avd_verdict verdict;
	(void)flags; /* none changes what the object holds */

	if (!stream || !ret_text)
		return -EINVAL;
	int r = avd_stream_verdict(stream, &verdict);
	if (r < 0)
		return r;
	const struct avd__evidence *ev = avd__stream_evidence(stream);
	struct avd__buf out = {0};
	struct avd__json json = {.out = &out, .empty = 1};
	avd__json_open(&json, NULL, '{');
	avd__json_u64(&json, "schema_version", SCHEMA_VERSION);
	put_verdict(&json, ev, &verdict);
	put_machine(&json, ev);
	avd__json_topology(&json, ev);
	avd__json_cstring(&json, "recorded_by", *ev->version ? ev->version : NULL);
	put_time(&json, "started", ev->started_unix_ns);
	r = avd__json_evidence(&json, ev);
	avd__json_close(&json, '}');
	avd__buf_puts(&out, "\n");
	if (r < 0) {
		avd__buf_free(&out);
		return r;
	}
	return avd__buf_take(&out, ret_text, ret_size);
}
