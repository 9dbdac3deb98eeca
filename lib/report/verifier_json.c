// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "report/json_writer.h"
#include "report/verifier_table.h"

/* Raised when a name goes away or changes its meaning; new names don't raise it. */
#define VERIFIER_SCHEMA_VERSION 1

static void put_str(struct avd__json *json, const char *key, struct avd_str text)
{
	avd__json_cstring(json, key, text.len ? text.data : NULL);
}

/* Members have underscores, the names of figures hyphens. */
static void member_name(char out[32], const char *name)
{
	size_t i = 0;
	for (; name[i] && i < 31; i++)
		out[i] = name[i];
	out[i] = '\0';
	for (char *c = strchr(out, '-'); c; c = strchr(c, '-'))
		*c = '_';
}

static void put_figures(struct avd__json *json, const struct avd_program *program)
{
	char key[32];
	avd__json_open(json, "figures", '{');
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++) {
		member_name(key, i == AVD_FIGURE_TIME_NS ? "time-ns" : avd_figure_name(i));
		if (program->sources[i] == AVD_FIGURE_NONE) {
			avd__json_null(json, key);
			continue;
		}
		avd__json_open(json, key, '{');
		avd__json_u64(json, "value", program->figures[i]);
		avd__json_cstring(json, "source", avd_figure_source_name(program->sources[i]));
		avd__json_close(json, '}');
	}
	avd__json_close(json, '}');
}

static void put_failing(struct avd__json *json, const struct avd_program *program)
{
	if (program->verdict != AVD_PROGRAM_FAILURE) {
		avd__json_null(json, "failing");
		return;
	}
	avd__json_open(json, "failing", '{');
	if (program->failing_insn >= 0)
		avd__json_i64(json, "insn", program->failing_insn);
	else
		avd__json_null(json, "insn");
	put_str(json, "message", program->message);
	put_str(json, "code", program->failing_code);
	put_str(json, "source", program->failing_source);
	avd__json_close(json, '}');
}

static void put_log(struct avd__json *json, const struct avd_program *program)
{
	if (!(program->flags & AVD_PROGRAM_HAS_LOG)) {
		avd__json_null(json, "log");
		return;
	}
	avd__json_open(json, "log", '{');
	avd__json_u64(json, "bytes", program->log_bytes);
	avd__json_u64(json, "lines", program->log_lines);
	avd__json_u64(json, "insns", program->log_insns);
	avd__json_u64(json, "branches", program->log_branches);
	avd__json_u64(json, "collapsed_lines", program->collapsed_lines);
	avd__json_bool(json, "head_missing", !!(program->flags & AVD_PROGRAM_HEAD_MISSING));
	avd__json_bool(json, "tail_missing", !!(program->flags & AVD_PROGRAM_TAIL_MISSING));
	avd__json_bool(json, "unfinished", !!(program->flags & AVD_PROGRAM_UNFINISHED));
	avd__json_bool(json, "elided", !!(program->flags & AVD_PROGRAM_ELIDED));
	avd__json_close(json, '}');
}

static void put_program(struct avd__json *json, const struct avd_program *program)
{
	avd__json_open(json, NULL, '{');
	if (program->order)
		avd__json_u64(json, "order", program->order);
	else
		avd__json_null(json, "order");
	put_str(json, "name", program->name);
	put_str(json, "type", program->type);
	if (program->prog_id)
		avd__json_u64(json, "id", program->prog_id);
	else
		avd__json_null(json, "id");
	avd__json_cstring(json, "verdict", avd_program_verdict_name(program->verdict));
	if (program->error)
		avd__json_i64(json, "errno", program->error);
	else
		avd__json_null(json, "errno");
	avd__json_u64(json, "attempts", program->attempts);
	put_figures(json, program);
	put_failing(json, program);
	put_log(json, program);
	avd__json_close(json, '}');
}

int avd__verifier_json(const avd_verifier *verifier, struct avd__buf *out)
{
	struct avd__json json = {.out = out, .empty = 1};
	struct avd_program program;
	avd__json_open(&json, NULL, '{');
	avd__json_u64(&json, "schema_version", VERIFIER_SCHEMA_VERSION);
	avd__json_cstring(&json, "origin", avd_verifier_origin(verifier));
	avd__json_open(&json, "programs", '[');
	for (uint32_t i = 0; avd_verifier_program(verifier, i, sizeof(program), &program) == 0; i++)
		put_program(&json, &program);
	avd__json_close(&json, ']');
	avd__json_u64(&json, "programs_lost", avd_verifier_programs_lost(verifier));
	avd__json_close(&json, '}');
	return avd__buf_puts(out, "\n");
}
