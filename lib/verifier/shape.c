// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Registers of a state, and what two steps of a loop have in common. */
#include <string.h>

#include "verifier/line.h"

/* FNV-1a's constants, with a last mix: quick on the short words that lines are made of. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t add_byte(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * HASH_PRIME;
}

static uint64_t add_bytes(uint64_t hash, struct avd_str text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = add_byte(hash, (uint8_t)text.data[i]);
	return add_byte(hash, 0xff); /* no UTF-8 holds it: "ab" "c" is not "a" "bc" */
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		hash = add_byte(hash, (uint8_t)(number >> (8 * i)));
	return hash;
}

static uint64_t mixed(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0xd6e8feb86659fd93);
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The end of the word at the front: a blank that stands in no parentheses. */
static size_t word_length(struct avd_str text)
{
	size_t i = 0, depth = 0;
	for (; i < text.len; i++) {
		const char c = text.data[i];
		if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (c == ' ' && depth == 0)
			break;
	}
	return i;
}

static struct avd_str take_word(struct avd_str *text)
{
	while (text->len && text->data[0] == ' ')
		*text = avd__skip(*text, 1);
	const struct avd_str word = {text->data, word_length(*text)};
	*text = avd__skip(*text, word.len);
	return word;
}

int avd_verifier_state_next(struct avd_str *state, struct avd_verifier_reg *reg)
{
	for (;;) {
		struct avd_str word = take_word(state);
		uint64_t frame;
		if (word.len == 0)
			return 0;
		struct avd_str rest = word;
		if (avd__take(&rest, "frame") && avd__take_number(&rest, &frame) &&
		    frame <= UINT32_MAX && rest.len == 1 && rest.data[0] == ':') {
			reg->frame = (uint32_t)frame;
			continue;
		}
		const char *sign = memchr(word.data, '=', word.len);
		const size_t name = sign ? (size_t)(sign - word.data) : word.len;
		reg->name = (struct avd_str){word.data, name};
		reg->value = avd__skip(word, sign ? name + 1 : name);
		/* "R1_w", "R1_rw": marks of kernels before 6.18 that say nothing of the value */
		const char *mark =
			reg->name.data[0] == 'R' && name ? memchr(reg->name.data, '_', name) : NULL;
		if (mark)
			reg->name.len = (size_t)(mark - reg->name.data);
		return 1;
	}
}

/* Constants are scalars whose value is known; P marks those that matter to pruning; ranges, ids
 * and offsets in parentheses change from iteration to iteration. What is left is the type. */
static struct avd_str type_of(struct avd_str value)
{
	avd__take(&value, "P");
	if (value.len == 0 || is_digit(value.data[0]) || value.data[0] == '-')
		return (struct avd_str){"scalar", 6};
	size_t i = 0;
	while (i < value.len && value.data[i] != '(' && value.data[i] != '-' &&
	       value.data[i] != '+' && !is_digit(value.data[i]))
		i++;
	return (struct avd_str){value.data, i};
}

static uint64_t add_state(uint64_t hash, struct avd_str state)
{
	struct avd_verifier_reg reg = {0};
	while (avd_verifier_state_next(&state, &reg)) {
		hash = add_number(hash, reg.frame);
		hash = add_bytes(hash, reg.name);
		/* What a slot holds, byte for byte ("mmmm????"), follows what was stored. */
		if (reg.name.len && reg.name.data[0] == 'R')
			hash = add_bytes(hash, type_of(reg.value));
	}
	return hash;
}

/* Words with each number taken as the same number. */
static uint64_t add_words(uint64_t hash, struct avd_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.data[i])) {
			hash = add_byte(hash, (uint8_t)text.data[i]);
			continue;
		}
		hash = add_byte(hash, '0');
		while (i + 1 < text.len && is_digit(text.data[i + 1]))
			i++;
	}
	return hash;
}

/* "mark_precise: frame0: regs=r1 stack= before 11: (07) r2 += -4" walks back through what was
 * walked before, in each iteration further: its lines all count as the same one, which makes one
 * short loop of them, and the iterations alike. */
static uint64_t add_trace(uint64_t hash, struct avd_str text)
{
	if (avd__starts_with(text, "mark_precise: "))
		return hash;
	return add_words(hash, text);
}

uint64_t avd__line_shape(const struct avd_verifier_line *line)
{
	uint64_t hash = add_byte(HASH_START, (uint8_t)line->kind);
	switch (line->kind) {
	case AVD_LINE_BLANK:
		break;
	case AVD_LINE_INSN:
		hash = add_number(hash, (uint64_t)line->insn);
		hash = add_bytes(hash, line->code);
		hash = add_state(hash, line->state);
		break;
	case AVD_LINE_STATE:
	case AVD_LINE_BRANCH:
	case AVD_LINE_PRUNED:
		hash = add_number(hash, (uint64_t)line->insn);
		hash = add_number(hash, (uint64_t)line->to);
		hash = add_state(hash, line->state);
		break;
	case AVD_LINE_TRACE:
		hash = add_trace(hash, line->text);
		break;
	case AVD_LINE_TABLE:
		/* Rows all count as the same one: a table is its head and how long it is. */
		if (line->text.data[0] != ' ' && !is_digit(line->text.data[0]))
			hash = add_bytes(hash, line->text);
		break;
	case AVD_LINE_SOURCE:
	case AVD_LINE_STATS:
	case AVD_LINE_REPORT:
		hash = add_bytes(hash, line->text);
		break;
	default:
		hash = add_words(hash, line->text);
		break;
	}
	return mixed(hash);
}
