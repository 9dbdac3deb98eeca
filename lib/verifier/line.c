// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verifier/line.h"

#include <string.h>

#include "base/util.h"

/* "(07)": the opcode that the kernel's disassembler puts before each instruction. */
static int is_opcode(struct avd_str text)
{
	if (text.len < 4 || text.data[0] != '(' || text.data[3] != ')')
		return 0;
	for (int i = 1; i <= 2; i++) {
		const char c = text.data[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return 0;
	}
	return 1;
}

/* "R1=", "fp-8=", "frame1:", "R1_w=" of older kernels: a register or slot at the front. */
static int is_register(struct avd_str text)
{
	uint64_t number;
	if (avd__take(&text, "frame"))
		return avd__take_number(&text, &number) && avd__starts_with(text, ":");
	if (avd__take(&text, "fp"))
		return avd__take(&text, "-") && avd__take_number(&text, &number);
	if (!avd__take(&text, "R") || !avd__take_number(&text, &number))
		return 0;
	return avd__starts_with(text, "=") || avd__starts_with(text, "_");
}

/* Where a state with its number starts behind an instruction: "goto pc+9 19: R0=scalar()". */
static size_t find_state(struct avd_str code)
{
	uint64_t number;
	for (size_t at = avd__find(code, ": "); at != SIZE_MAX;) {
		size_t start = at;
		while (start && code.data[start - 1] >= '0' && code.data[start - 1] <= '9')
			start--;
		struct avd_str rest = avd__skip(code, start);
		if (start && code.data[start - 1] == ' ' && avd__take_number(&rest, &number) &&
		    avd__take(&rest, ": ") && is_register(avd__trim(rest)))
			return start;
		const size_t next = avd__find(avd__skip(code, at + 1), ": ");
		at = next == SIZE_MAX ? SIZE_MAX : at + 1 + next;
	}
	return SIZE_MAX;
}

/* Behind an instruction, a state follows at ';' in or behind column 40 (print_insn_state()); an
 * instruction holds no ';' itself. At level 1 the state at a branch's other end stands in the same
 * line, because "from 12 to 20" is not printed. */
static void split_code(struct avd_verifier_line *line, struct avd_str rest)
{
	const char *sign = memchr(rest.data, ';', rest.len);
	const size_t other = find_state(rest);
	line->kind = AVD_LINE_INSN;
	if (other != SIZE_MAX && (!sign || (size_t)(sign - rest.data) > other)) {
		line->code = avd__trim((struct avd_str){rest.data, other});
		line->state = avd__trim(
			avd__skip(rest, other + avd__find(avd__skip(rest, other), ":") + 1));
		return;
	}
	if (!sign) {
		line->code = avd__trim(rest);
		return;
	}
	const size_t at = (size_t)(sign - rest.data);
	line->code = avd__trim((struct avd_str){rest.data, at});
	line->state = avd__trim(avd__skip(rest, at + 1));
}

/* "12: (07) ...", "12: R1=ctx() ...", "12: safe" */
static int is_numbered(struct avd_verifier_line *line)
{
	struct avd_str rest = line->text;
	uint64_t insn;
	if (!avd__take_number(&rest, &insn) || !avd__take(&rest, ":"))
		return 0;
	rest = avd__trim(rest);
	if (is_opcode(rest)) {
		split_code(line, rest);
	} else if (is_register(rest)) {
		line->kind = AVD_LINE_STATE;
		line->state = rest;
	} else if (rest.len == 4 && avd__starts_with(rest, "safe")) {
		line->kind = AVD_LINE_PRUNED;
	} else if (rest.len == 0) { /* nothing changed */
		line->kind = AVD_LINE_STATE;
	} else {
		return 0;
	}
	line->insn = (int64_t)insn;
	return 1;
}

/* "from 12 to 20: R0=...", "from 12 to 20 (speculative execution): ...", "from 12 to 20: safe" */
static int is_branch(struct avd_verifier_line *line)
{
	struct avd_str rest = line->text;
	uint64_t from, to;
	if (!avd__take(&rest, "from ") || !avd__take_number(&rest, &from) ||
	    !avd__take(&rest, " to ") || !avd__take_number(&rest, &to))
		return 0;
	avd__take(&rest, " (speculative execution)");
	if (!avd__take(&rest, ":"))
		return 0;
	line->state = avd__trim(rest);
	line->kind = AVD_LINE_BRANCH;
	if (line->state.len == 4 && avd__starts_with(line->state, "safe")) {
		line->kind = AVD_LINE_PRUNED;
		line->state.len = 0;
	}
	line->insn = (int64_t)from;
	line->to = (int64_t)to;
	return 1;
}

/* "; foo(ctx); @ file.c:12"; before 6.8 without the place */
static int is_source(struct avd_verifier_line *line)
{
	struct avd_str rest = line->text;
	if (!avd__take(&rest, "; "))
		return 0;
	line->kind = AVD_LINE_SOURCE;
	line->source = rest;
	for (size_t i = rest.len; i-- > 1;) {
		if (rest.data[i] != '@')
			continue;
		struct avd_str place = avd__skip(rest, i + 1);
		const char *colon = memrchr(place.data, ':', place.len);
		uint64_t number;
		if (rest.data[i - 1] != ' ' || !avd__take(&place, " ") || !colon)
			break;
		struct avd_str digits = avd__skip(place, (size_t)(colon + 1 - place.data));
		if (!avd__take_number(&digits, &number) || digits.len || number > UINT32_MAX)
			break;
		line->file = (struct avd_str){place.data, (size_t)(colon - place.data)};
		line->source_line = (uint32_t)number;
		line->source.len = i - 1;
		break;
	}
	return 1;
}

/* A line of registers without a number: " R0=5 R10=fp0", " frame1: R1=..." */
static int is_bare_state(struct avd_verifier_line *line)
{
	struct avd_str rest = line->text;
	if (avd__take(&rest, "cur state:") || avd__take(&rest, "old state:"))
		rest = avd__trim(rest);
	else if (!avd__take(&rest, " "))
		return 0;
	if (!is_register(rest))
		return 0;
	line->kind = AVD_LINE_STATE;
	line->state = rest;
	return 1;
}

/* Rows of the tables before the walk are indented: " 12: (07) ...", "  1  12: .1..6... (07) ..." */
static int is_table_row(struct avd_str text)
{
	uint64_t number;
	if (!avd__take(&text, " "))
		return 0;
	text = avd__trim(text);
	if (!avd__take_number(&text, &number))
		return 0;
	if (!avd__starts_with(text, ":")) { /* the component's number before the instruction's */
		text = avd__trim(text);
		if (!avd__take_number(&text, &number))
			return 0;
	}
	if (!avd__take(&text, ":"))
		return 0;
	text = avd__trim(text);
	for (size_t i = 0; i < text.len && i < 16; i++) {
		if (is_opcode(avd__skip(text, i)))
			return 1;
	}
	return 0;
}

static const struct {
	const char *start;
	uint32_t kind;
} starts[] = {
	{"mark_precise: ", AVD_LINE_TRACE},
	{"propagating ", AVD_LINE_TRACE},
	{"caller:", AVD_LINE_TRACE},
	{"callee:", AVD_LINE_TRACE},
	{"returning from callee:", AVD_LINE_TRACE},
	{"to caller at ", AVD_LINE_TRACE},
	{"SCC enter ", AVD_LINE_TRACE},
	{"SCC exit ", AVD_LINE_TRACE},
	{"SCC backedge ", AVD_LINE_TRACE},
	{"parent ", AVD_LINE_TRACE},
	{"Func#", AVD_LINE_TRACE}, /* ... is global and assumed valid, is safe for any args ... */
	{"Validating ", AVD_LINE_TRACE},
	{"func '", AVD_LINE_TRACE}, /* ... arg0 has btf_id ... */
	{"func#", AVD_LINE_TABLE},
	{"Live regs before insn", AVD_LINE_TABLE},
	{"topo_order[", AVD_LINE_TABLE},
	{"arg JOIN ", AVD_LINE_TABLE},
	{"stack use/def subprog#", AVD_LINE_TABLE},
	{"processed ", AVD_LINE_STATS},
	{"verification time ", AVD_LINE_STATS},
	{"stack depth ", AVD_LINE_STATS},
	{"insns processed ", AVD_LINE_STATS},
	{"subprog ", AVD_LINE_STATS},
};

/* "subprog#1 clamp_slice:", "subprog#0: analyzing (depth 0)..." */
static int is_table_head(struct avd_str text)
{
	return avd__starts_with(text, "subprog#") &&
	       (avd__ends_with(text, ":") || avd__find(text, ": analyzing ") != SIZE_MAX);
}

static int is_note(struct avd_str text)
{
	return avd__starts_with(text, "Global function ") &&
	       avd__find(text, "doesn't return scalar. Only those are supported.") != SIZE_MAX;
}

static uint32_t kind_by_words(struct avd_str text)
{
	for (size_t i = 0; i < AVD__ARRAY_SIZE(starts); i++) {
		if (avd__starts_with(text, starts[i].start))
			return starts[i].kind;
	}
	if (is_table_row(text) || is_table_head(text))
		return AVD_LINE_TABLE;
	return is_note(text) ? AVD_LINE_TRACE : AVD_LINE_MESSAGE;
}

void avd__line_classify(struct avd_verifier_line *line)
{
	line->insn = line->to = -1;
	line->code = line->state = line->source = line->file = (struct avd_str){0};
	line->source_line = 0;
	if (avd__trim(line->text).len == 0)
		line->kind = AVD_LINE_BLANK;
	else if (!is_numbered(line) && !is_branch(line) && !is_source(line) && !is_bare_state(line))
		line->kind = kind_by_words(line->text);
}
