// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Bytes to lines; which of them are logs. Frame lines: libbpf's bpf_object_load_prog(). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "verifier/log.h"

#define LOG_BEGIN "-- BEGIN PROG LOAD LOG --"
#define LOG_END "-- END PROG LOAD LOG --"

/* Bytes of a log go to the caller escaped; a slice is a whole line, or AVD__LINE_MAX bytes of it,
 * so that it does not depend on how the text was fed. */
static int put_raw(avd_verifier *verifier, const char *bytes, size_t size, int ends)
{
	struct avd__buf out = {0};
	size_t from = 0;
	if (!verifier->options.on_raw)
		return 0;
	for (size_t i = 0; i <= size; i++) {
		if (i < size && bytes[i] != '\t')
			continue;
		avd__buf_escape(&out, bytes + from, i - from);
		if (i < size)
			avd__buf_puts(&out, "\t");
		from = i + 1;
	}
	if (ends)
		avd__buf_puts(&out, "\n");
	int r = out.error;
	if (r == 0 && out.len)
		r = verifier->options.on_raw(verifier->options.userdata, out.data, out.len);
	avd__buf_free(&out);
	return r < 0 ? r : 0;
}

/* "libbpf: prog 'NAME': WORDS": the name, and what follows. A name may hold anything. */
static int split_prog(struct avd_str line, const char *words, struct avd_str *ret_name,
		      struct avd_str *ret_rest)
{
	const size_t start = avd__find(line, "prog '");
	if (start == SIZE_MAX)
		return 0;
	struct avd_str name = avd__skip(line, start + 6);
	const size_t end = avd__find(name, words);
	if (end == SIZE_MAX)
		return 0;
	*ret_rest = avd__skip(name, end + strlen(words));
	name.len = end;
	*ret_name = name;
	return 1;
}

static int same_name(const struct avd__verified *program, struct avd_str name)
{
	const size_t len = name.len < AVD__TEXT_MAX ? name.len : AVD__TEXT_MAX;
	return program->raw_name_len == len && memcmp(program->raw_name, name.data, len) == 0;
}

/* A log that was refused right before and has no name, because its start was lost, is this one's.
 */
static int name_last(avd_verifier *verifier, struct avd_str name, int32_t error)
{
	if (verifier->count == 0)
		return 0;
	struct avd__verified *program = &verifier->programs[verifier->count - 1];
	if (program->from_frame || program->raw_name_len || program->told.error ||
	    program->told.verdict != AVD_PROGRAM_FAILURE)
		return 0;
	program->told.error = error;
	program->raw_name_len = name.len < AVD__TEXT_MAX ? name.len : AVD__TEXT_MAX;
	if (name.len)
		memcpy(program->raw_name, name.data, program->raw_name_len);
	return avd__program_text(&program->name, name);
}

/* "prog 'x': failed to load: -13", after the log */
static int set_error(avd_verifier *verifier, struct avd_str name, struct avd_str rest)
{
	uint64_t error;
	if (!avd__take(&rest, "-") || !avd__take_number(&rest, &error) || error > INT32_MAX)
		return 0;
	for (uint32_t i = verifier->count; i-- > 0;) {
		struct avd__verified *program = &verifier->programs[i];
		if (program->from_frame || !same_name(program, name))
			continue;
		program->told.error = (int32_t)error;
		program->told.verdict = AVD_PROGRAM_FAILURE;
		return 0;
	}
	return name_last(verifier, name, (int32_t)error);
}

/* veristat -v: "PROCESSING a.bpf.o/x, DURATION US: 12, VERDICT: success, VERIFIER LOG:" */
static int is_veristat_head(struct avd_str line, struct avd_str *ret_name)
{
	if (!avd__take(&line, "PROCESSING ") || !avd__ends_with(line, ", VERIFIER LOG:"))
		return 0;
	const size_t end = avd__find(line, ", DURATION US: ");
	if (end == SIZE_MAX)
		return 0;
	line.len = end;
	const char *slash = memrchr(line.data, '/', line.len);
	if (slash)
		line = avd__skip(line, (size_t)(slash + 1 - line.data));
	*ret_name = line;
	return 1;
}

/* Lines that nothing but a log has, in case nothing frames it. */
static int starts_bare_log(struct avd_str line)
{
	struct avd_verifier_line parsed = {.text = line};
	avd__line_classify(&parsed);
	switch (parsed.kind) {
	case AVD_LINE_INSN:
	case AVD_LINE_BRANCH:
		return 1;
	case AVD_LINE_STATE:
		return parsed.insn >= 0 && parsed.state.len;
	case AVD_LINE_TABLE:
	case AVD_LINE_TRACE:
		return avd__starts_with(line, "func#") || avd__starts_with(line, "Live regs ") ||
		       avd__starts_with(line, "Validating ");
	case AVD_LINE_STATS:
		return avd__starts_with(line, "processed ") &&
		       avd__find(line, " insns (limit ") != SIZE_MAX;
	default:
		return 0;
	}
}

static int log_line(avd_verifier *verifier, struct avd__text_in *text, struct avd_str line)
{
	/* What is over the limit was shown as it came. */
	int r = text->cut ? 0 : put_raw(verifier, line.data, line.len, 1);
	if (r == 0)
		r = avd__vlog_line(verifier, text->log, line, text->cut);
	if (r > 0) { /* the verifier's last line */
		struct avd__vlog *log = text->log;
		text->log = NULL;
		r = avd__vlog_end(verifier, log, 1);
	}
	return r;
}

static int end_log(avd_verifier *verifier, struct avd__text_in *text, int is_whole)
{
	struct avd__vlog *log = text->log;
	text->log = NULL;
	return log ? avd__vlog_end(verifier, log, is_whole) : 0;
}

static int begin_log(avd_verifier *verifier, struct avd__text_in *text, struct avd_str line,
		     struct avd_str name, int is_bare)
{
	/* One in another can only be when the first one's end was lost. */
	int r = end_log(verifier, text, 0);
	if (r == 0 && !is_bare)
		r = put_raw(verifier, line.data, line.len, 1);
	if (r == 0)
		r = avd__vlog_begin(verifier, name, is_bare, &text->log);
	if (r < 0 || !text->log)
		return r;
	char escaped[AVD__TEXT_MAX];
	avd__escape(escaped, sizeof(escaped), name.data, name.len);
	text->log->load_failed = *text->failed && strcmp(escaped, text->failed) == 0;
	text->failed[0] = '\0';
	return 0;
}

static int between_logs(avd_verifier *verifier, struct avd__text_in *text, struct avd_str line)
{
	struct avd_str name, rest;
	if (split_prog(line, "': failed to load: ", &name, &rest)) {
		return set_error(verifier, name, rest);
	} else if (split_prog(line, "': BPF program load failed: ", &name, &rest)) {
		avd__escape(text->failed, sizeof(text->failed), name.data, name.len);
	} else if (is_veristat_head(line, &name)) {
		return begin_log(verifier, text, line, name, 1);
	} else if (starts_bare_log(line)) {
		const int r = begin_log(verifier, text, line, (struct avd_str){"", 0}, 1);
		return r < 0 || !text->log ? r : log_line(verifier, text, line);
	}
	return 0;
}

/* libbpf's words follow the log in the same message; a logger may put its own in front. */
static int is_log_end(struct avd_str line)
{
	return avd__starts_with(line, LOG_END) ||
	       (avd__ends_with(line, LOG_END) && avd__find(line, "libbpf") != SIZE_MAX &&
		!avd__starts_with(line, ";"));
}

/* What libbpf says before and after a log: nothing of it can stand in one that it does not frame.
 */
static int is_frame_word(struct avd_str line)
{
	struct avd_str name, rest;
	return !avd__starts_with(line, ";") &&
	       (split_prog(line, "': BPF program load failed: ", &name, &rest) ||
		split_prog(line, "': failed to load: ", &name, &rest));
}

static int take_line(avd_verifier *verifier, struct avd__text_in *text)
{
	struct avd_str line = {text->line, text->len}, name = {"", 0}, rest;
	if (line.len && line.data[line.len - 1] == '\r' && !text->cut)
		line.len--;
	/* Source lines start with ';' and may quote anything. */
	if (avd__ends_with(line, LOG_BEGIN) && !avd__starts_with(line, ";") && !text->cut) {
		(void)split_prog(line, "': " LOG_BEGIN, &name, &rest); /* else it has no name */
		return begin_log(verifier, text, line, name, 0);
	}
	if (text->log && text->log->is_bare && is_frame_word(line)) {
		const int r = end_log(verifier, text, 0);
		if (r < 0)
			return r;
	}
	if (!text->log)
		return between_logs(verifier, text, line);
	if (text->cut || !is_log_end(line))
		return log_line(verifier, text, line);
	const int r = put_raw(verifier, line.data, line.len, 1);
	return r < 0 ? r : end_log(verifier, text, 1);
}

/* The next piece of a line that is over the limit. */
static int flush_more(avd_verifier *verifier, struct avd__text_in *text, int ends)
{
	const int r = text->log ? put_raw(verifier, text->more, text->more_len, ends) : 0;
	text->more_len = 0;
	return r;
}

/* The line has come to its end, or the text has. */
static int end_line(avd_verifier *verifier, struct avd__text_in *text)
{
	int r = text->cut ? flush_more(verifier, text, 1) : 0;
	if (r == 0)
		r = take_line(verifier, text);
	text->len = 0;
	text->cut = 0;
	return r;
}

/* Bytes of a line beyond its first part: they are counted, and shown raw. */
static int overflow(avd_verifier *verifier, struct avd__text_in *text, const char *bytes,
		    size_t size)
{
	const struct avd_str line = {text->line, text->len};
	int r = 0;
	if (!text->cut) {
		if (!text->log && starts_bare_log(line))
			r = begin_log(verifier, text, line, (struct avd_str){"", 0}, 1);
		if (r == 0 && text->log)
			r = put_raw(verifier, line.data, line.len, 0);
	}
	text->cut += size;
	while (r == 0 && size && verifier->options.on_raw) {
		const size_t room = AVD__LINE_MAX - text->more_len;
		const size_t n = size < room ? size : room;
		memcpy(text->more + text->more_len, bytes, n);
		text->more_len += n;
		bytes += n;
		size -= n;
		if (text->more_len == AVD__LINE_MAX)
			r = flush_more(verifier, text, 0);
	}
	return r;
}

static int prepare(struct avd__text_in *text)
{
	if (!text->line)
		text->line = malloc(AVD__LINE_MAX);
	if (!text->more)
		text->more = malloc(AVD__LINE_MAX);
	return text->line && text->more ? 0 : -ENOMEM;
}

int avd__text_feed(avd_verifier *verifier, struct avd__text_in *text, const void *bytes,
		   size_t size)
{
	const char *p = bytes;
	int r = prepare(text);
	while (r == 0 && size) {
		const char *end = memchr(p, '\n', size);
		const size_t n = end ? (size_t)(end - p) : size;
		const size_t room = text->cut ? 0 : AVD__LINE_MAX - text->len;
		const size_t fits = n < room ? n : room;
		memcpy(text->line + text->len, p, fits);
		text->len += fits;
		if (n > fits)
			r = overflow(verifier, text, p + fits, n - fits);
		if (r == 0 && end)
			r = end_line(verifier, text);
		p += n + (end ? 1 : 0);
		size -= n + (end ? 1 : 0);
	}
	return r;
}

int avd__text_finish(avd_verifier *verifier, struct avd__text_in *text)
{
	int r = text->len ? end_line(verifier, text) : 0;
	if (r == 0)
		r = end_log(verifier, text, text->log && text->log->is_bare);
	return r;
}

void avd__text_free(avd_verifier *verifier, struct avd__text_in *text)
{
	(void)verifier;
	free(text->line);
	free(text->more);
	avd__vlog_free(text->log);
	*text = (struct avd__text_in){0};
}
