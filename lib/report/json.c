// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The schema is report.schema.json; a test holds the two together. */
#include <attachverdict/report.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "report/json_evidence.h"

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

static void put_verdict(struct avd__json *json, const struct avd_verdict *verdict)
{
	const char *hint = avd_reason_code_hint(verdict->result_code);
	avd__json_cstring(json, "outcome", avd_outcome_name(verdict->outcome));
	put_reason(json, "reason_code", "reason", verdict->reason_code, verdict->reason);
	avd__json_cstring(json, "result", avd_result_name(verdict->result));
	put_reason(json, "result_code", "result_reason", verdict->result_code,
		   verdict->result_reason);
	avd__json_cstring(json, "hint",
			  verdict->result_code != AVD_REASON_NONE && *hint ? hint : NULL);
	avd__json_cstring(json, "end_cause", avd_end_cause_name(verdict->end_cause));
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
	put_verdict(&json, &verdict);
	put_machine(&json, ev);
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
