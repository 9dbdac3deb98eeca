/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Cycle collapse: lines come one by one as numbers (avd__line_shape()), and are kept as a stack of
 * items. As soon as the last k items equal the k before them, both become one loop; k items that
 * equal the body of the loop before them are one more iteration of it. So inner loops fold before
 * the outer ones, which then see them as one item: nested passes, while the text still comes.
 *
 * A push looks at FOLD_LOOPS loops and FOLD_PLACES earlier places of the same line, each by a
 * prefix hash in constant time; a match is checked item by item, and those items then go away.
 * Hence linear time, however long the bodies are.
 */
#ifndef AVD_LIB_VERIFIER_FOLD_H
#define AVD_LIB_VERIFIER_FOLD_H

#include <attachverdict/verifier.h>

/* Items of a loop's body. The longest loops of the field have some hundred instructions, with
 * level 2's marks some thousand lines. */
#define AVD__FOLD_BODY_MAX 16384u

/* What all logs of a verifier may keep; each log takes from it and gives back what it folds. */
struct avd__fold_budget {
	size_t text; /* bytes */
	size_t records;
	uint64_t *powers; /* of the prefix hash's base, AVD__FOLD_BODY_MAX + 1 of them; owned */
};

int avd__fold_budget_init(struct avd__fold_budget *budget, size_t text);
void avd__fold_budget_free(struct avd__fold_budget *budget);

struct avd__fold_item;
struct avd__fold_record;
struct avd__fold_place;

struct avd__fold {
	struct avd__fold_budget *budget; /* not owned */
	struct avd__fold_item *items;
	struct avd__fold_record *records;
	char *text;
	struct avd__fold_place *places; /* symbol -> its last item; open addressing */
	uint32_t *loops; /* items that are loops, oldest first */
	size_t item_count, item_cap, record_count, record_cap, text_len, text_cap, place_count,
		place_cap, loop_count, loop_cap;
	uint64_t left_out, left_out_bytes; /* lines over the budget */
	size_t hole; /* records before them */
	uint64_t alone; /* lines that equal no other */
};

void avd__fold_free(struct avd__fold *fold);

/* A line. symbol 0: it equals no other. `cut`: bytes of the line that are not in `text`.
 * -ENOMEM. */
int avd__fold_add(struct avd__fold *fold, uint64_t symbol, struct avd_str text, uint64_t cut);

/* A line that stays as it is, whatever came before; none but these may follow. */
int avd__fold_add_tail(struct avd__fold *fold, struct avd_str text, uint64_t cut);

/* No more lines: what only the adding needs is released. */
void avd__fold_close(struct avd__fold *fold);

/* Lines that printing gives. */
uint64_t avd__fold_lines(const struct avd__fold *fold);
/* Prints what is kept, escaped. -ENOMEM, or what `fn` returned. */
int avd__fold_print(const struct avd__fold *fold, avd_verifier_text_fn fn, void *userdata);

/* Whether printing made this line (a loop's frame, its body): it is taken as it is. */
int avd__fold_is_ours(struct avd_str line);

#endif
