/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What the scheduler's output and the kernel log said, line by line: the telling lines are
 * kept, the rest is forgotten. Pure: fed by logs.c and kmsg.c.
 */
#ifndef AVD_GUEST_FACTS_H
#define AVD_GUEST_FACTS_H

#include <attachverdict/message.h>

#include "exit_record.h"
#include "kmsg_record.h"
#include "text.h"

#define AVD__LINE_MAX 320u /* a longer line is cut: it goes into a reason of 1 KiB */

#define AVD__BACKTRACE_MAX 2048u /* some 40 lines; the kernel keeps 64 (SCX_EXIT_BT_LEN) */

struct avd__line {
	char text[AVD__LINE_MAX];
	size_t len;
};

/* enum scx_exit_kind of kernel/sched/ext.c */
enum {
	AVD__SCX_EXIT_UNREG = 64,
	AVD__SCX_EXIT_UNREG_BPF = 65,
	AVD__SCX_EXIT_UNREG_KERN = 66,
	AVD__SCX_EXIT_SYSRQ = 67,
	AVD__SCX_EXIT_ERROR = 1024, /* from here on: the scheduler did something wrong */
	AVD__SCX_EXIT_ERROR_BPF = 1025,
	AVD__SCX_EXIT_ERROR_STALL = 1026,
};

struct avd__kernel_facts {
	uint32_t enabled, disabled; /* how often the kernel said so */
	uint64_t kind; /* of the last one disabled; 0: not known */
	bool init_failed; /* ops.init() or another callback of the enabling returned an error */
	struct avd__line name, reason; /* of the last one disabled: in quotes, in parentheses */
	struct avd__line message; /* "sched_ext: NAME: ..." after that; may be empty */
	bool probed; /* the BPF probe told of the last one, too: */
	int64_t exit_code;
	char backtrace[AVD__BACKTRACE_MAX]; /* lines, each ended by a line feed */
	size_t backtrace_len;
};

struct avd__output_facts {
	uint32_t code; /* enum avd_reason_code that the lines point to, 0: none */
	struct avd__line telling; /* the line that did */
	struct avd__line last; /* last line that is not empty; standard error goes first */
	bool last_is_stderr;
	bool in_verifier_log;
	struct avd__line verifier_program, verifier_line, verifier_previous;
	struct avd__line partial[2]; /* of standard output and error, not ended yet */
	bool cut[2]; /* the rest of a line that is too long is being skipped */
};

struct avd__facts {
	struct avd__kernel_facts kernel;
	struct avd__output_facts output;
};

/* Bytes of AVD_STREAM_SCHEDULER_STDOUT or _STDERR. */
void avd__facts_output(struct avd__facts *facts, uint32_t stream, const void *bytes, size_t size);
/* The stream has ended: an unfinished line counts too. */
void avd__facts_output_end(struct avd__facts *facts);
/* Returns whether the record is one of sched_ext's own. Records of user space never are. */
bool avd__facts_kernel(struct avd__facts *facts, const struct avd__kmsg_record *record);

/* What the BPF probe saw of a scheduler's end. */
void avd__facts_exit(struct avd__facts *facts, const struct avd__exit_record *record);

/* A scheduler is attached: what was said of others before, ejected ones or trials that failed,
 * explains nothing that happens from here on. */
void avd__facts_attached(struct avd__facts *facts);

/* How the scheduler's process ended. */
struct avd__exit {
	bool exec_failed;
	int32_t status; /* -1: did not exit by itself */
	uint32_t signal;
	uint32_t error; /* errno of exec */
};

uint32_t avd__classify_death(const struct avd__facts *facts, const struct avd__exit *exit);
uint32_t avd__classify_not_attached(const struct avd__facts *facts, bool ejected);

#endif
