/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The verdict: a value that can be copied, compared and printed.
 */
#ifndef ATTACHVERDICT_VERDICT_H
#define ATTACHVERDICT_VERDICT_H

#include <attachverdict/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero is UNCONFIRMED, so that memory which nobody filled in is never ATTACHED. */
enum avd_outcome {
	AVD_OUTCOME_UNCONFIRMED = 0,
	AVD_OUTCOME_ATTACHED = 1,
	AVD_OUTCOME_DIED = 2,
	AVD_OUTCOME_NOT_ATTACHED = 3,
};

enum avd_result {
	AVD_RESULT_FAILED = 0,
	AVD_RESULT_PASSED = 1,
};

/* Numbers and names are fixed once released. */
enum avd_reason_code {
	AVD_REASON_NONE = 0,
	/* the scheduler's process */
	AVD_REASON_EXEC_FAILED = 1,
	AVD_REASON_EXITED = 2,
	AVD_REASON_KILLED_BY_SIGNAL = 3,
	AVD_REASON_VERIFIER_REJECTED = 4,
	AVD_REASON_MISSING_KFUNC = 5,
	AVD_REASON_MISSING_MEMBER = 6,
	/* the kernel's answer */
	AVD_REASON_NO_SCHED_EXT = 7,
	AVD_REASON_BUSY = 8,
	AVD_REASON_INIT_FAILED = 9, /* ops.init of the scheduler */
	AVD_REASON_EJECTED_AT_ATTACH = 10,
	AVD_REASON_TIMEOUT = 11,
	/* the machine */
	AVD_REASON_PANIC = 12,
	AVD_REASON_OOPS = 13,
	AVD_REASON_GUEST_RESET = 14,
	AVD_REASON_TRIPLE_FAULT = 15,
	AVD_REASON_WATCHDOG = 16,
	AVD_REASON_CHANNEL_CORRUPT = 17,
	AVD_REASON_MACHINE_ERROR = 18,
	AVD_REASON_GUEST_SHUTDOWN = 19,
	AVD_REASON_GUEST_INIT_FAILED = 20, /* the guest's PID 1 crashed or gave up */
	AVD_REASON_HOST_STOP = 21,
	AVD_REASON_TRUNCATED = 22, /* the recording ends before the machine's end was written */
	/* after the attach: reasons of a failed result, the outcome stays ATTACHED */
	AVD_REASON_EJECTED = 23,
	AVD_REASON_NO_DISPATCH = 24,
	AVD_REASON_PAYLOAD_FAILED = 25,
	AVD_REASON_NO_CLEAN_END = 26,
	AVD_REASON_SCHEDULER_EXITED = 27, /* the scheduler's process ended after the attach */
	AVD_REASON_TOPOLOGY_MISMATCH = 28, /* the guest's CPUs are not those asked for */
	AVD_REASON_NOT_RUN = 29, /* a cell of a sweep without a result */
	AVD_REASON_LOST = 30, /* the same, and whoever ran the sweep said why */
};

#define AVD_VERDICT_REASON_MAX 1024u

/* Unused bytes are zero, so two verdicts are equal when their bytes are. Text is
 * UTF-8 or escaped, ends with NUL, and holds no control characters. */
struct avd_verdict {
	uint32_t outcome; /* enum avd_outcome */
	uint32_t reason_code; /* enum avd_reason_code; NONE exactly when ATTACHED */
	uint32_t result; /* enum avd_result */
	uint32_t result_code; /* enum avd_reason_code; NONE exactly when PASSED; equals
				 reason_code when the outcome is not ATTACHED */
	uint32_t end_cause; /* enum avd_end_cause */
	uint32_t reserved[11]; /* zero */
	char reason[AVD_VERDICT_REASON_MAX]; /* empty exactly when ATTACHED */
	char result_reason[AVD_VERDICT_REASON_MAX]; /* empty exactly when PASSED */
};

/* "ATTACHED", "DIED", "NOT_ATTACHED", "UNCONFIRMED". Static storage. Since 0.1. */
AVD_API const char *avd_outcome_name(uint32_t outcome);
/* "passed" or "failed". Static storage. Since 0.1. */
AVD_API const char *avd_result_name(uint32_t result);
/* "exec-failed", ... ; "unknown" for other values; "none" for 0. Static storage. Since 0.1. */
AVD_API const char *avd_reason_code_name(uint32_t code);
/* One line that explains the code, and one that says what to do about it. Static
 * storage; empty for values that are not codes. Since 0.1. */
AVD_API const char *avd_reason_code_explain(uint32_t code);
AVD_API const char *avd_reason_code_hint(uint32_t code);

/* The part of a reason that is for people: what stands behind the gate's figures
 * ("cause=exited state=disabled ... cpu_ms=76; "), or all of it if there are none, or nothing
 * behind them. For lists where the code stands beside it. Points into `reason`. Since 0.1. */
AVD_API const char *avd_reason_words(const char *reason);

/* NULL exactly when the outcome is ATTACHED, else the reason's text inside `verdict`. Since 0.1. */
AVD_API const char *avd_verdict_failure_reason(const struct avd_verdict *verdict);
/* 1 if both are equal, else 0. Since 0.1. */
AVD_API int avd_verdict_equal(const struct avd_verdict *a, const struct avd_verdict *b);
/* Prints one line ("DIED (exec-failed): ...") like snprintf: returns the length it
 * needs without the NUL, truncates to `size`. Since 0.1. */
AVD_API int avd_verdict_print(const struct avd_verdict *verdict, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
