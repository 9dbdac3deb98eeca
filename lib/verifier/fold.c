// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verifier/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verifier/fold_internal.h"

/* Loops and earlier places that a push looks at, the nearest first. A body whose last line stands
 * in it more often than that is found by another of its lines. */
#define FOLD_LOOPS 8u
#define FOLD_PLACES 16u
/* Records of all logs: more lines than that nobody reads. */
#define FOLD_RECORDS_MAX ((size_t)1 << 18)
/* The prefix hash is a polynomial modulo this prime: 2^61 - 1. */
#define PRIME ((UINT64_C(1) << 61) - 1)
#define BASE UINT64_C(0x0b4e0ef37bc32127)
#define NO_ITEM UINT32_MAX

__extension__ typedef unsigned __int128 wide; /* gcc and clang have it wherever this runs */
/* Of the budget, kept back for the tails of refused programs: bytes, and bytes a record. */
#define FOLD_RESERVE ((size_t)4 << 20)
#define FOLD_RESERVE_RECORD 256u

struct avd__fold_item {
	uint64_t symbol;
	uint64_t prefix; /* hash of the items below this one */
	uint64_t lines; /* that it stands for */
	uint64_t text; /* length of the text below this one */
	uint64_t body, check; /* a loop's body: its hash, and another one to make sure */
	uint32_t body_items; /* 0: a line */
	uint32_t record; /* its first one */
	uint32_t before; /* item of the same line before this one, or NO_ITEM */
	uint32_t is_alone; /* a line that equals no other */
};

struct avd__fold_place {
	uint64_t symbol; /* 0: free */
	uint32_t last; /* or NO_ITEM */
};

static uint64_t reduce(uint64_t x)
{
	x = (x & PRIME) + (x >> 61);
	return x >= PRIME ? x - PRIME : x;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	const wide product = (wide)a * b;
	return reduce(((uint64_t)product & PRIME) + (uint64_t)(product >> 61));
}

int avd__fold_budget_init(struct avd__fold_budget *budget, size_t text)
{
	budget->text = text + FOLD_RESERVE;
	budget->records = FOLD_RECORDS_MAX + FOLD_RESERVE / FOLD_RESERVE_RECORD;
	budget->powers = malloc((AVD__FOLD_BODY_MAX + 1) * sizeof(*budget->powers));
	if (!budget->powers)
		return -ENOMEM;
	budget->powers[0] = 1;
	for (uint32_t i = 1; i <= AVD__FOLD_BODY_MAX; i++)
		budget->powers[i] = multiply(budget->powers[i - 1], BASE);
	return 0;
}

void avd__fold_budget_free(struct avd__fold_budget *budget)
{
	free(budget->powers);
	budget->powers = NULL;
}

void avd__fold_close(struct avd__fold *fold)
{
	free(fold->items);
	free(fold->places);
	free(fold->loops);
	fold->items = NULL;
	fold->places = NULL;
	fold->loops = NULL;
	fold->item_count = fold->item_cap = fold->place_count = fold->place_cap = 0;
	fold->loop_count = fold->loop_cap = 0;
}

void avd__fold_free(struct avd__fold *fold)
{
	avd__fold_close(fold);
	free(fold->records);
	free(fold->text);
	*fold = (struct avd__fold){.budget = fold->budget};
}

/* Room for one more element; NULL without memory, and the array stays as it is. */
static void *grow(void *array, size_t *cap, size_t count, size_t size)
{
	if (count < *cap)
		return array;
	const size_t room = *cap ? *cap * 2 : 64;
	void *grown = realloc(array, room * size);
	if (grown)
		*cap = room;
	return grown;
}

#define GROW(fold, array, name) \
	grow((fold)->array, &(fold)->name##_cap, (fold)->name##_count, sizeof(*(fold)->array))

/* The place of a symbol, or the free one where it belongs. */
static struct avd__fold_place *find_place(const struct avd__fold *fold, uint64_t symbol)
{
	const size_t mask = fold->place_cap - 1;
	size_t at = (size_t)symbol & mask;
	while (fold->places[at].symbol && fold->places[at].symbol != symbol)
		at = (at + 1) & mask;
	return &fold->places[at];
}

static int grow_places(struct avd__fold *fold)
{
	struct avd__fold_place *old = fold->places;
	const size_t old_cap = fold->place_cap;
	if (fold->place_count * 4 < old_cap * 3)
		return 0;
	const size_t cap = old_cap ? old_cap * 2 : 256;
	fold->places = calloc(cap, sizeof(*fold->places));
	if (!fold->places) {
		fold->places = old;
		return -ENOMEM;
	}
	fold->place_cap = cap;
	fold->place_count = 0;
	for (size_t i = 0; i < old_cap; i++) {
		/* A symbol that was folded away leaves nothing behind. */
		if (!old[i].symbol || old[i].last == NO_ITEM)
			continue;
		*find_place(fold, old[i].symbol) = old[i];
		fold->place_count++;
	}
	free(old);
	return 0;
}

/* Hash of the items [from, to); at most AVD__FOLD_BODY_MAX. */
static uint64_t span_hash(const struct avd__fold *fold, size_t from, size_t to)
{
	const struct avd__fold_item *last = &fold->items[to - 1];
	const uint64_t whole = reduce(multiply(last->prefix, BASE) + reduce(last->symbol));
	const uint64_t below = multiply(fold->items[from].prefix, fold->budget->powers[to - from]);
	return reduce(whole + PRIME - below);
}

/* The other hash, whose collisions are not those of the first. */
static uint64_t span_check(const struct avd__fold *fold, size_t from, size_t to)
{
	uint64_t hash = 0;
	for (size_t i = from; i < to; i++) {
		hash = (hash ^ fold->items[i].symbol) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

static uint64_t span_lines(const struct avd__fold *fold, size_t from, size_t to)
{
	uint64_t lines = 0;
	for (size_t i = from; i < to; i++)
		lines += fold->items[i].lines;
	return lines;
}

/* Items from `count` on go away; their records and text are the caller's matter. */
static void pop_items(struct avd__fold *fold, size_t count)
{
	while (fold->item_count > count) {
		const struct avd__fold_item *item = &fold->items[--fold->item_count];
		if (item->body_items)
			fold->loop_count--;
		else if (!item->is_alone)
			find_place(fold, item->symbol)->last = item->before;
	}
}

static void drop_records(struct avd__fold *fold, size_t count, uint64_t text)
{
	fold->budget->records += fold->record_count - count;
	fold->budget->text += fold->text_len - text;
	fold->record_count = count;
	fold->text_len = text;
}

/* Counts of loops in the second copy go into those of the first. */
static void merge_records(struct avd__fold_record *a, const struct avd__fold_record *b,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (a[i].kind != FOLD_LOOP || b[i].kind != FOLD_LOOP)
			continue;
		a[i].at += b[i].at;
		a[i].more += b[i].more;
		if (b[i].least < a[i].least)
			a[i].least = b[i].least;
		if (b[i].most > a[i].most)
			a[i].most = b[i].most;
	}
}

static void set_prefix(struct avd__fold *fold, struct avd__fold_item *item)
{
	const struct avd__fold_item *below =
		fold->item_count ? &fold->items[fold->item_count - 1] : NULL;
	item->prefix = below ? reduce(multiply(below->prefix, BASE) + reduce(below->symbol)) : 0;
}

/* The last k items are one more iteration of the loop right before them. */
static int repeat_loop(struct avd__fold *fold, size_t loop, size_t k)
{
	struct avd__fold_item *item = &fold->items[loop];
	struct avd__fold_record *head = &fold->records[item->record];
	const struct avd__fold_item *first = &fold->items[loop + 1];
	const size_t from = first->record;
	if (span_check(fold, loop + 1, loop + 1 + k) != item->check ||
	    fold->record_count - from != head->size || head->most == UINT32_MAX)
		return 0;
	merge_records(head + 1, &fold->records[from], head->size);
	const uint64_t lines = span_lines(fold, loop + 1, loop + 1 + k);
	head->at++;
	head->more += lines;
	head->least = head->most = head->most + 1;
	item->lines += lines;
	drop_records(fold, from, first->text);
	pop_items(fold, loop + 1);
	return 1;
}

/* The last k items equal the k before them: both become a loop. */
static int make_loop(struct avd__fold *fold, size_t k)
{
	const size_t b = fold->item_count - k, a = b - k;
	const struct avd__fold_item *first = &fold->items[a];
	for (size_t i = 0; i < k; i++) {
		if (fold->items[a + i].symbol != fold->items[b + i].symbol)
			return 0;
	}
	const size_t from = first->record, middle = fold->items[b].record;
	const size_t size = middle - from;
	if (fold->record_count - middle != size)
		return 0;
	uint32_t *loops = GROW(fold, loops, loop);
	if (!loops)
		return -ENOMEM;
	fold->loops = loops;
	merge_records(&fold->records[from], &fold->records[middle], size);
	struct avd__fold_item item = {
		.prefix = first->prefix,
		.text = first->text,
		.record = first->record,
		.before = NO_ITEM,
		.lines = span_lines(fold, a, fold->item_count),
		.body = span_hash(fold, a, b),
		.check = span_check(fold, a, b),
		.body_items = (uint32_t)k,
	};
	item.symbol = item.check ^ (k << 1 | 1) * BASE;
	/* The second copy had one record at least: there is room for the head. */
	drop_records(fold, middle, fold->items[b].text);
	memmove(&fold->records[from + 1], &fold->records[from], size * sizeof(*fold->records));
	fold->record_count++;
	fold->budget->records--;
	fold->records[from] = (struct avd__fold_record){.kind = FOLD_LOOP,
							.size = (uint32_t)size,
							.least = 2,
							.most = 2,
							.at = 2,
							.more = item.lines};
	pop_items(fold, a);
	fold->loops[fold->loop_count++] = (uint32_t)a;
	fold->items[fold->item_count++] = item;
	return 1;
}

/* Looks whether the items end in a repetition. Only a line ends one: a loop at the end may still
 * get iterations, and would else be taken for shorter than it is. */
static int fold_end(struct avd__fold *fold)
{
	const size_t end = fold->item_count, last = end - 1;
	for (size_t i = 0; i < FOLD_LOOPS && i < fold->loop_count; i++) {
		const size_t loop = fold->loops[fold->loop_count - 1 - i];
		const size_t k = last - loop;
		if (k == fold->items[loop].body_items &&
		    span_hash(fold, loop + 1, end) == fold->items[loop].body &&
		    repeat_loop(fold, loop, k))
			return 0;
	}
	uint32_t at = fold->items[last].before;
	for (size_t i = 0; i < FOLD_PLACES && at != NO_ITEM; i++) {
		const size_t k = last - at;
		if (k > AVD__FOLD_BODY_MAX || 2 * k > end)
			break;
		if (span_hash(fold, end - 2 * k, end - k) == span_hash(fold, end - k, end)) {
			const int r = make_loop(fold, k);
			if (r)
				return r < 0 ? r : 0;
		}
		at = fold->items[at].before;
	}
	return 0;
}

static int keep_text(struct avd__fold *fold, struct avd_str text)
{
	if (fold->text_len + text.len > fold->text_cap) {
		size_t cap = fold->text_cap ? fold->text_cap * 2 : 4096;
		while (cap < fold->text_len + text.len)
			cap *= 2;
		char *grown = realloc(fold->text, cap);
		if (!grown)
			return -ENOMEM;
		fold->text = grown;
		fold->text_cap = cap;
	}
	if (text.len)
		memcpy(fold->text + fold->text_len, text.data, text.len);
	fold->text_len += text.len;
	fold->budget->text -= text.len;
	return 0;
}

static int add_record(struct avd__fold *fold, struct avd_str text, uint64_t cut)
{
	struct avd__fold_record *records = GROW(fold, records, record);
	if (!records)
		return -ENOMEM;
	fold->records = records;
	const uint64_t at = fold->text_len;
	const int r = keep_text(fold, text);
	if (r < 0)
		return r;
	fold->records[fold->record_count++] =
		(struct avd__fold_record){.size = (uint32_t)text.len, .at = at, .more = cut};
	fold->budget->records--;
	return 0;
}

/* Whether there is no room for a line, of which `reserve` bytes and records are not for it. */
static int is_over(struct avd__fold *fold, struct avd_str text, uint64_t cut, size_t reserve)
{
	if (text.len + reserve <= fold->budget->text &&
	    fold->budget->records > reserve / FOLD_RESERVE_RECORD)
		return 0;
	if (!fold->left_out)
		fold->hole = fold->record_count;
	fold->left_out++;
	fold->left_out_bytes += text.len + cut;
	return 1;
}

int avd__fold_add(struct avd__fold *fold, uint64_t symbol, struct avd_str text, uint64_t cut)
{
	if (fold->left_out) {
		/* Once there is a hole, all falls into it: what is shown is in order. */
		fold->left_out++;
		fold->left_out_bytes += text.len + cut;
		return 0;
	}
	if (is_over(fold, text, cut, FOLD_RESERVE))
		return 0;
	struct avd__fold_item item = {
		.symbol = symbol,
		.lines = 1,
		.text = fold->text_len,
		.record = (uint32_t)fold->record_count,
		.before = NO_ITEM,
	};
	struct avd__fold_item *items = GROW(fold, items, item);
	if (!items)
		return -ENOMEM;
	fold->items = items;
	int r = grow_places(fold);
	if (r == 0)
		r = add_record(fold, text, cut);
	if (r < 0)
		return r;
	set_prefix(fold, &item);
	if (!symbol) {
		item.symbol = ++fold->alone * UINT64_C(0x9e3779b97f4a7c15);
		item.is_alone = 1;
	} else {
		struct avd__fold_place *place = find_place(fold, symbol);
		if (place->symbol)
			item.before = place->last;
		else
			fold->place_count++;
		*place = (struct avd__fold_place){symbol, (uint32_t)fold->item_count};
	}
	fold->items[fold->item_count++] = item;
	return symbol ? fold_end(fold) : 0;
}

int avd__fold_add_tail(struct avd__fold *fold, struct avd_str text, uint64_t cut)
{
	return is_over(fold, text, cut, 0) ? 0 : add_record(fold, text, cut);
}
