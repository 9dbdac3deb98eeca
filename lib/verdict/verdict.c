// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/verdict.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *avd_outcome_name(uint32_t outcome)
{
	switch (outcome) {
	case AVD_OUTCOME_UNCONFIRMED:
		return "UNCONFIRMED";
	case AVD_OUTCOME_ATTACHED:
		return "ATTACHED";
	case AVD_OUTCOME_DIED:
		return "DIED";
	case AVD_OUTCOME_NOT_ATTACHED:
		return "NOT_ATTACHED";
	default: /* never to be taken for a name that promises something */
		return "UNCONFIRMED";
	}
}

const char *avd_result_name(uint32_t result)
{
	return result == AVD_RESULT_PASSED ? "passed" : "failed";
}

const char *avd_reason_words(const char *reason)
{
	bool quoted = false; /* a scheduler may have any name; quotes in it are escaped */
	if (strncmp(reason, "cause=", 6) != 0)
		return reason;
	for (const char *at = reason; *at; at++) {
		quoted ^= *at == '"';
		if (!quoted && at[0] == ';' && at[1] == ' ' && at[2])
			return at + 2;
	}
	return reason;
}

const char *avd_verdict_failure_reason(const struct avd_verdict *verdict)
{
	return verdict->outcome == AVD_OUTCOME_ATTACHED ? NULL : verdict->reason;
}

int avd_verdict_equal(const struct avd_verdict *a, const struct avd_verdict *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int avd_verdict_print(const struct avd_verdict *verdict, char *buffer, size_t size)
{
	const int attached = verdict->outcome == AVD_OUTCOME_ATTACHED;
	const int passed = verdict->result == AVD_RESULT_PASSED;
	const char *const text = attached ? verdict->result_reason : verdict->reason;
	/* A caller may have filled in the struct: don't trust its NUL. */
	const int len = (int)strnlen(text, AVD_VERDICT_REASON_MAX);
	const char *const colon = len ? ": " : "";
	if (attached && passed)
		return snprintf(buffer, size, "ATTACHED (passed)");
	if (attached)
		return snprintf(buffer, size, "ATTACHED (failed, %s)%s%.*s",
				avd_reason_code_name(verdict->result_code), colon, len, text);
	return snprintf(buffer, size, "%s (%s)%s%.*s", avd_outcome_name(verdict->outcome),
			avd_reason_code_name(verdict->reason_code), colon, len, text);
}
