// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sweep/plan.h"

const char *const avd__axis_names[AVD__AXIS_COUNT] = {
	[AVD__AXIS_SCHEDULER] = "scheduler",
	[AVD__AXIS_KERNEL] = "kernel",
	[AVD__AXIS_TOPOLOGY] = "topology",
	[AVD__AXIS_PAYLOAD] = "payload",
};

#define OUTCOMES (AVD_OUTCOME_NOT_ATTACHED + 1u)

static uint32_t code_by_name(const char *name)
{
	/* Codes are numbered without a large gap; "unknown" ends no search too early. */
	for (uint32_t code = 1; code < 256; code++) {
		if (strcmp(avd_reason_code_name(code), name) == 0 && strcmp(name, "unknown") != 0)
			return code;
	}
	return AVD_REASON_NONE;
}

int avd__expectation_parse(const char *text, struct avd_expectation *ret_expect,
			   struct avd__error *error)
{
	struct avd_expectation expect = {0};
	const char *slash = strchr(text, '/');
	const size_t len = slash ? (size_t)(slash - text) : strlen(text);
	bool known = true;
	if (strcmp(text, "passed") == 0 || strcmp(text, "failed") == 0) {
		expect.any_outcome = 1;
		expect.result = *text == 'p' ? AVD_RESULT_PASSED : AVD_RESULT_FAILED;
	} else {
		known = false;
	}
	for (uint32_t outcome = 0; !known && outcome < OUTCOMES; outcome++) {
		const char *name = avd_outcome_name(outcome);
		if (strlen(name) != len || strncmp(name, text, len) != 0)
			continue;
		expect.outcome = outcome;
		expect.result = outcome == AVD_OUTCOME_ATTACHED && !slash ? AVD_RESULT_PASSED
									  : AVD_RESULT_FAILED;
		expect.code = slash ? code_by_name(slash + 1) : AVD_REASON_NONE;
		known = !slash || expect.code != AVD_REASON_NONE;
	}
	if (!known)
		return avd__fail(error, EINVAL,
				 "expect \"%.64s\" is none of: passed, failed, ATTACHED, DIED, "
				 "NOT_ATTACHED, UNCONFIRMED, or one of these and /REASON_CODE as "
				 "in DIED/verifier-rejected",
				 text);
	*ret_expect = expect;
	return 0;
}

int avd_expectation_met(const struct avd_expectation *expect, const struct avd_verdict *verdict)
{
	if (verdict->result != expect->result)
		return 0;
	if (expect->any_outcome) /* a failure that nobody saw is no expected one */
		return verdict->result == AVD_RESULT_PASSED ||
		       verdict->outcome != AVD_OUTCOME_UNCONFIRMED;
	return verdict->outcome == expect->outcome &&
	       (!expect->code || verdict->result_code == expect->code);
}

int avd_expectation_print(const struct avd_expectation *expect, char *buffer, size_t size)
{
	if (expect->any_outcome)
		return snprintf(buffer, size, "%s", avd_result_name(expect->result));
	return snprintf(buffer, size, "%s%s%s", avd_outcome_name(expect->outcome),
			expect->code ? "/" : "",
			expect->code ? avd_reason_code_name(expect->code) : "");
}

/* One AXIS=PATTERN; takes `part` apart. */
static int read_part(struct avd__rule *rule, char *part, struct avd__error *error)
{
	char *pattern = strchr(part, '=');
	char **into = NULL;
	if (pattern)
		*pattern++ = '\0';
	for (int axis = 0; pattern && axis < AVD__AXIS_COUNT; axis++) {
		if (strcmp(part, avd__axis_names[axis]) == 0)
			into = &rule->pattern[axis];
	}
	if (pattern && strcmp(part, "id") == 0)
		into = &rule->id;
	if (!into || !*pattern)
		return avd__fail(error, EINVAL,
				 "rule \"%.200s\": each part is AXIS=PATTERN; AXIS is scheduler, "
				 "kernel, topology, payload or id",
				 rule->match);
	if (*into)
		return avd__fail(error, EINVAL, "rule \"%.200s\" has two patterns for %s",
				 rule->match, part);
	*into = strdup(pattern);
	return *into ? 0 : avd__fail(error, ENOMEM, "out of memory");
}

int avd__rule_parse(struct avd__rule *rule, uint32_t kind, const char *match, const char *expect,
		    struct avd__error *error)
{
	*rule = (struct avd__rule){.kind = kind, .match = strdup(match)};
	char *parts = strdup(match), *rest = parts;
	int r = 0;
	if (!parts || !rule->match)
		r = avd__fail(error, ENOMEM, "out of memory");
	else if (kind < AVD_RULE_INCLUDE || kind > AVD_RULE_EXPECT)
		r = avd__fail(error, EINVAL, "%u is no enum avd_rule_kind", kind);
	else if (!expect != (kind != AVD_RULE_EXPECT))
		r = avd__fail(error, EINVAL,
			      "rule \"%.200s\": what to expect belongs to a rule of that kind, "
			      "and to no other",
			      match);
	else if (expect)
		r = avd__expectation_parse(expect, &rule->expect, error);
	if (r == 0 && !*match)
		r = avd__fail(error, EINVAL, "a rule is empty; AXIS=PATTERN, or id=* for all");
	/* Not strtok(): it would pass over empty parts, and a rule without a part matches all. */
	for (char *part; r == 0 && (part = strsep(&rest, ","));)
		r = read_part(rule, part, error);
	free(parts);
	if (r < 0)
		avd__rule_free(rule);
	return r;
}

void avd__rule_free(struct avd__rule *rule)
{
	free(rule->match);
	free(rule->id);
	for (int axis = 0; axis < AVD__AXIS_COUNT; axis++)
		free(rule->pattern[axis]);
	*rule = (struct avd__rule){0};
}

bool avd__rule_matches(const struct avd__rule *rule, const char *const *names, const char *id)
{
	for (int axis = 0; axis < AVD__AXIS_COUNT; axis++) {
		if (rule->pattern[axis] && fnmatch(rule->pattern[axis], names[axis], 0) != 0)
			return false;
	}
	return !rule->id || fnmatch(rule->id, id, 0) == 0;
}
