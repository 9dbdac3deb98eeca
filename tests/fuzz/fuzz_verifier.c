// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Bytes as a text with verifier logs. Whatever they are: slices make no difference, the collapsed
 * log stands for as many lines as the log has, and nothing that a terminal obeys comes out.
 */
#include <attachverdict/verifier.h>
#include <string.h>

#include "fuzz.h"

#define SIZE_MAX_FUZZED 65536u

struct text {
	char *data;
	size_t size;
};

static int put(void *userdata, const char *bytes, size_t size)
{
	struct text *out = userdata;
	out->data = realloc(out->data, out->size + size + 1);
	FUZZ_CHECK(out->data);
	memcpy(out->data + out->size, bytes, size);
	out->size += size;
	out->data[out->size] = '\0';
	return 0;
}

static void check_line(void *userdata, const struct avd_verifier_line *line)
{
	struct avd_verifier_reg reg = {0};
	struct avd_str state = line->state;
	size_t count = 0;
	(void)userdata;
	FUZZ_CHECK(line->kind >= AVD_LINE_BLANK && line->kind <= AVD_LINE_MESSAGE);
	while (avd_verifier_state_next(&state, &reg))
		FUZZ_CHECK(++count <= line->state.len);
	FUZZ_CHECK(!memchr(line->text.data, '\n', line->text.len));
}

/* Lines of a collapsed text: those outside of loops, and what the outermost loops' feet say. A line
 * of the log itself may look like either, so only logs without such lines are counted. */
static int expand(const struct text *text, uint64_t *ret_lines)
{
	*ret_lines = 0;
	for (const char *line = text->data; line && *line; line = strchr(line, '\n') + 1) {
		const int foot = (*line == '\\' || *line == '*') && line[1] == ' ';
		const char *comma = foot ? strstr(line, " times, ") : NULL;
		if (foot && !comma)
			return 0;
		if (comma)
			*ret_lines += strtoull(comma + 8, NULL, 10);
		else if (!((*line == '/' || *line == '|') && line[1] == ' '))
			++*ret_lines;
	}
	return 1;
}

static void check_clean(const struct text *text)
{
	for (size_t i = 0; i < text->size; i++) {
		const uint8_t c = (uint8_t)text->data[i];
		FUZZ_CHECK((c >= ' ' && c != 0x7f) || c == '\n' || c == '\t');
	}
}

static int has_our_marks(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++) {
		if ((i == 0 || bytes[i - 1] == '\n') && bytes[i + 1] == ' ' &&
		    memchr("/|\\-*", bytes[i], 5))
			return 1;
	}
	return 0;
}

static void describe(const avd_verifier *verifier, struct text *out, int count_lines)
{
	struct avd_program p;
	char line[512];
	for (uint32_t i = 0; avd_verifier_program(verifier, i, sizeof(p), &p) == 0; i++) {
		struct text collapsed = {0};
		uint64_t lines;
		snprintf(line, sizeof(line), "%u %x %d %lld %llu %llu\n", p.verdict, p.flags,
			 p.error, (long long)p.failing_insn, (unsigned long long)p.log_bytes,
			 (unsigned long long)p.figures[AVD_FIGURE_PROCESSED_INSNS]);
		put(out, line, strlen(line));
		put(out, p.name.data, p.name.len);
		put(out, p.message.data, p.message.len);
		FUZZ_CHECK(avd_verifier_collapsed(verifier, i, put, &collapsed) == 0);
		if (collapsed.data) {
			if (count_lines && !(p.flags & AVD_PROGRAM_ELIDED) &&
			    expand(&collapsed, &lines))
				FUZZ_CHECK(lines == p.log_lines);
			put(out, collapsed.data, collapsed.size);
		}
		free(collapsed.data);
	}
}

static struct text run(const uint8_t *bytes, size_t size, size_t slice)
{
	struct text out = {0}, raw = {0};
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	avd_verifier *verifier;
	options.on_line = check_line;
	options.on_raw = put;
	options.userdata = &raw;
	options.tail_lines = 8;
	options.keep_limit = 32768;
	const int count = !has_our_marks(bytes, size);
	FUZZ_CHECK(avd_verifier_new(&options, &verifier) == 0);
	while (size) {
		const size_t n = slice && slice < size ? slice : size;
		uint8_t *exact = malloc(n); /* what was fed may be gone afterwards */
		FUZZ_CHECK(exact);
		memcpy(exact, bytes, n);
		FUZZ_CHECK(avd_verifier_feed(verifier, exact, n) == 0);
		free(exact);
		bytes += n;
		size -= n;
	}
	FUZZ_CHECK(avd_verifier_finish(verifier) == 0);
	describe(verifier, &out, count);
	avd_verifier_free(verifier);
	check_clean(&out);
	check_clean(&raw);
	put(&out, raw.data ? raw.data : "", raw.size);
	free(raw.data);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size > SIZE_MAX_FUZZED)
		return 0;
	struct text whole = run(bytes, size, 0);
	struct text sliced = run(bytes, size, 1 + size % 61);
	FUZZ_CHECK(whole.size == sliced.size && memcmp(whole.data, sliced.data, whole.size) == 0);
	free(whole.data);
	free(sliced.data);
	return 0;
}
