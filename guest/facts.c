// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "facts.h"

#include <attachverdict/verdict.h>
#include <signal.h>
#include <string.h>

static void line_set(struct avd__line *line, const char *text, size_t len)
{
	line->len = len < AVD__LINE_MAX ? len : AVD__LINE_MAX;
	memcpy(line->text, text, line->len);
}

static bool line_has(const struct avd__line *line, const char *word)
{
	return avd__bytes_have(line->text, line->len, word);
}

static bool starts_with(const char *text, size_t len, const char *word)
{
	return len >= strlen(word) && !memcmp(text, word, strlen(word));
}

/* libbpf says it before the log of a program that failed; the log alone, which a loader can ask
 * for, may be one of a program that was accepted. */
#define LOAD_FAILED "BPF program load failed"

/* Words of libbpf (src/libbpf.c of 1.x) and of strerror(3), which loaders print. */
static uint32_t code_of_line(const struct avd__line *line)
{
	if (line_has(line, "extern (func ksym)") &&
	    (line_has(line, "not found in kernel") || line_has(line, "incompatible with")))
		return AVD_REASON_MISSING_KFUNC;
	if (line_has(line, "Cannot find member ") ||
	    (line_has(line, "struct ") && line_has(line, " is not found in kernel BTF")))
		return AVD_REASON_MISSING_MEMBER;
	if (line_has(line, LOAD_FAILED))
		return AVD_REASON_VERIFIER_REJECTED;
	if (line_has(line, "Device or resource busy") || line_has(line, "EBUSY") ||
	    line_has(line, "-16"))
		return AVD_REASON_BUSY;
	return AVD_REASON_NONE;
}

/* "-16" alone may be any number: only near words of attaching it is an error code. */
static bool is_about_attaching(const struct avd__line *line)
{
	return line_has(line, "attach") || line_has(line, "struct_ops") ||
	       line_has(line, "register");
}

/* Text between the first two single quotes: libbpf's way to name a program. */
static void quoted_name(struct avd__line *out, const struct avd__line *line)
{
	const char *open = memchr(line->text, '\'', line->len);
	if (!open)
		return;
	const size_t start = (size_t)(open - line->text) + 1;
	const char *close = memchr(line->text + start, '\'', line->len - start);
	if (close)
		line_set(out, line->text + start, (size_t)(close - line->text) - start);
}

/* What the verifier counts at higher log levels, after its words (kernel/bpf/verifier.c). */
static bool is_count(const struct avd__line *line)
{
	static const char *const starts[] = {"stack depth ", "insns processed ", "subprog ",
					     "verification time "};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (starts_with(line->text, line->len, starts[i]))
			return true;
	}
	return false;
}

/* The verifier's own words are the last line before its "processed N insns ..."; kernels
 * that explain (7.3: "Verification failed: KIND", then a page) say them before that. */
static void verifier_log_line(struct avd__output_facts *output, const struct avd__line *line)
{
	if (line_has(line, "-- END PROG LOAD LOG --")) {
		output->in_verifier_log = false;
	} else if (starts_with(line->text, line->len, "processed ") ||
		   starts_with(line->text, line->len, "Verification failed: ")) {
		if (!output->verifier_line.len)
			output->verifier_line = output->verifier_previous;
	} else if (!is_count(line)) {
		output->verifier_previous = *line;
	}
}

/* What follows is about the program that the line names. */
static void verifier_program(struct avd__output_facts *output, const struct avd__line *line)
{
	output->verifier_previous.len = output->verifier_line.len = 0;
	quoted_name(&output->verifier_program, line);
}

static void output_line(struct avd__output_facts *output, const struct avd__line *line,
			bool is_stderr)
{
	if (!line->len)
		return;
	if (output->in_verifier_log) {
		verifier_log_line(output, line);
		return;
	}
	if (line_has(line, "-- BEGIN PROG LOAD LOG --")) {
		output->in_verifier_log = true;
		verifier_program(output, line);
		return;
	}
	if (is_stderr || !output->last_is_stderr) {
		output->last = *line;
		output->last_is_stderr = is_stderr;
	}
	const uint32_t code = code_of_line(line);
	if (!code || (code == AVD_REASON_BUSY && !is_about_attaching(line)))
		return;
	if (code == AVD_REASON_VERIFIER_REJECTED && line_has(line, "prog '"))
		verifier_program(output, line); /* an empty log is not told */
	/* The latest trouble is what ended it; of one trouble the first line tells most. */
	if (code != output->code) {
		output->code = code;
		output->telling = *line;
	}
}

void avd__facts_output(struct avd__facts *facts, uint32_t stream, const void *bytes, size_t size)
{
	const bool is_stderr = stream == AVD_STREAM_SCHEDULER_STDERR;
	struct avd__line *partial = &facts->output.partial[is_stderr];
	bool *cut = &facts->output.cut[is_stderr];
	const char *at = bytes, *end = at + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const size_t n = (size_t)((newline ? newline : end) - at);
		const size_t room = AVD__LINE_MAX - partial->len;
		memcpy(partial->text + partial->len, at, n < room ? n : room);
		partial->len += n < room ? n : room;
		*cut = *cut || n > room;
		if (!newline)
			return;
		output_line(&facts->output, partial, is_stderr);
		partial->len = 0;
		*cut = false;
		at = newline + 1;
	}
}

void avd__facts_output_end(struct avd__facts *facts)
{
	for (int i = 0; i < 2; i++) {
		output_line(&facts->output, &facts->output.partial[i], i == 1);
		facts->output.partial[i].len = 0;
	}
}

/* scx_exit_reason() of kernel/sched/ext.c */
static uint64_t kind_of_reason(const struct avd__line *reason)
{
	static const struct {
		const char *words;
		uint64_t kind;
	} kinds[] = {
		{"unregistered from user space", AVD__SCX_EXIT_UNREG},
		{"unregistered from BPF", AVD__SCX_EXIT_UNREG_BPF},
		{"unregistered from the main kernel", AVD__SCX_EXIT_UNREG_KERN},
		{"disabled by sysrq-S", AVD__SCX_EXIT_SYSRQ},
		{"runtime error", AVD__SCX_EXIT_ERROR},
		{"scx_bpf_error", AVD__SCX_EXIT_ERROR_BPF},
		{"runnable task stall", AVD__SCX_EXIT_ERROR_STALL},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].words) == reason->len &&
		    !memcmp(kinds[i].words, reason->text, reason->len))
			return kinds[i].kind;
	return 0;
}

#define DISABLED_WORD "\" disabled ("
#define ENABLED_WORD "\" enabled"
#define SCHEDULER_WORD "BPF scheduler \""

/* NAME" disabled (REASON) */
static void disabled_record(struct avd__kernel_facts *kernel, const char *text, size_t len,
			    size_t at)
{
	const size_t reason = at + strlen(DISABLED_WORD);
	const size_t end = len && text[len - 1] == ')' ? len - 1 : len;

	kernel->disabled++;
	kernel->init_failed = false; /* that of one before, which is forgotten */
	kernel->message.len = 0;
	kernel->backtrace_len = 0;
	line_set(&kernel->name, text, at);
	line_set(&kernel->reason, text + reason, end > reason ? end - reason : 0);
	kernel->kind = kind_of_reason(&kernel->reason);
}

static void set_message(struct avd__kernel_facts *kernel, const char *text, size_t len)
{
	line_set(&kernel->message, text, len);
	/* Callbacks that run while it is being enabled: ops.init(), ops.init_task(),
	 * ops.cgroup_init() ... "failed (-errno)". */
	if (starts_with(kernel->message.text, kernel->message.len, "ops.") &&
	    line_has(&kernel->message, "init") && line_has(&kernel->message, "() failed"))
		kernel->init_failed = true;
}

/* "NAME: MESSAGE" of the scheduler that was just disabled */
static void message_record(struct avd__kernel_facts *kernel, const char *text, size_t len)
{
	const size_t name = kernel->name.len;

	if (!kernel->disabled || kernel->message.len || len < name + 2 ||
	    memcmp(text, kernel->name.text, name) || memcmp(text + name, ": ", 2))
		return;
	set_message(kernel, text + name + 2, len - name - 2);
}

/* "   symbol+0x1/0x2" after the message: stack_trace_print() with two blanks and one more. */
static void backtrace_record(struct avd__kernel_facts *kernel, const char *text, size_t len)
{
	size_t blanks = 0;

	while (blanks < len && text[blanks] == ' ')
		blanks++;
	text += blanks;
	len -= blanks;
	if (!kernel->disabled || blanks != 3 || !avd__bytes_have(text, len, "+0x") ||
	    len + 1 > AVD__BACKTRACE_MAX - kernel->backtrace_len)
		return;
	memcpy(kernel->backtrace + kernel->backtrace_len, text, len);
	kernel->backtrace_len += len;
	kernel->backtrace[kernel->backtrace_len++] = '\n';
}

void avd__facts_exit(struct avd__facts *facts, const struct avd__exit_record *record)
{
	struct avd__kernel_facts *kernel = &facts->kernel;

	/* The log tells of the same end, before or after this. */
	if (!kernel->disabled)
		kernel->disabled = 1;
	kernel->probed = true;
	kernel->kind = record->kind;
	kernel->exit_code = record->exit_code;
	kernel->init_failed = false;
	line_set(&kernel->reason, record->reason, strnlen(record->reason, sizeof(record->reason)));
	set_message(kernel, record->message, strnlen(record->message, sizeof(record->message)));
}

void avd__facts_attached(struct avd__facts *facts)
{
	struct avd__output_facts *output = &facts->output;

	facts->kernel = (struct avd__kernel_facts){0};
	output->code = 0;
	output->telling.len = output->verifier_line.len = 0;
}

bool avd__facts_kernel(struct avd__facts *facts, const struct avd__kmsg_record *record)
{
	static const char prefix[] = "sched_ext: ";
	const char *text = record->text;
	size_t len = record->len;

	if (record->facility)
		return false;
	if (!starts_with(text, len, prefix)) {
		backtrace_record(&facts->kernel, text, len);
		return false;
	}
	text += strlen(prefix);
	len -= strlen(prefix);
	if (!starts_with(text, len, SCHEDULER_WORD)) {
		message_record(&facts->kernel, text, len);
		return true;
	}
	text += strlen(SCHEDULER_WORD);
	len -= strlen(SCHEDULER_WORD);
	const size_t disabled = avd__bytes_find(text, len, DISABLED_WORD);
	if (disabled != SIZE_MAX)
		disabled_record(&facts->kernel, text, len, disabled);
	else if (avd__bytes_have(text, len, ENABLED_WORD))
		facts->kernel.enabled++;
	return true;
}

static bool kernel_found_fault(const struct avd__facts *facts)
{
	return facts->kernel.kind >= AVD__SCX_EXIT_ERROR || facts->kernel.init_failed;
}

uint32_t avd__classify_not_attached(const struct avd__facts *facts, bool ejected)
{
	if (facts->kernel.init_failed)
		return AVD_REASON_INIT_FAILED;
	if (ejected)
		return AVD_REASON_EJECTED_AT_ATTACH;
	if (facts->output.code == AVD_REASON_BUSY)
		return AVD_REASON_BUSY;
	return AVD_REASON_TIMEOUT;
}

uint32_t avd__classify_death(const struct avd__facts *facts, const struct avd__exit *exit)
{
	if (exit->exec_failed)
		return AVD_REASON_EXEC_FAILED;
	if (kernel_found_fault(facts))
		return facts->kernel.init_failed ? AVD_REASON_INIT_FAILED
						 : AVD_REASON_EJECTED_AT_ATTACH;
	/* A loader that gives up may end by abort() as well. */
	if (facts->output.code && (exit->status > 0 || exit->signal == SIGABRT))
		return facts->output.code;
	return exit->signal ? AVD_REASON_KILLED_BY_SIGNAL : AVD_REASON_EXITED;
}
