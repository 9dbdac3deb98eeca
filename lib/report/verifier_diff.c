// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What changed between two recordings. */
#include <attachverdict/verifier.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "report/json_writer.h"
#include "report/verifier_table.h"

/* A program of A, of B or of both. */
struct pair {
	struct avd_program a, b;
	int in_a, in_b;
};

struct diff {
	const avd_verifier *a, *b;
	struct avd_verifier_diff_options options;
	struct avd__buf *out;
	uint64_t exceeded;
	struct pair *pairs;
	size_t count;
	int has_b; /* B has a program */
};

static int same_name(const struct avd_program *a, const struct avd_program *b)
{
	return a->name.len == b->name.len && memcmp(a->name.data, b->name.data, a->name.len) == 0;
}

/* By name, then by place among those of a name. qsort() needs the place as the last word, or its
 * order would be its own. */
static int by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	const size_t len = x->a.name.len < y->a.name.len ? x->a.name.len : y->a.name.len;
	const int order = memcmp(x->a.name.data, y->a.name.data, len);
	if (order)
		return order;
	if (x->a.name.len != y->a.name.len)
		return x->a.name.len < y->a.name.len ? -1 : 1;
	return (x->in_a > y->in_a) - (x->in_a < y->in_a);
}

/* The listed programs of one side in `a` of each pair, sorted; in_a is the place, from 1. */
static int load_side(const avd_verifier *verifier, struct pair **ret, size_t *ret_count)
{
	const uint32_t most = avd_verifier_program_count(verifier);
	struct pair *side = calloc(most ? most : 1, sizeof(*side));
	size_t count = 0;
	if (!side)
		return -ENOMEM;
	for (uint32_t i = 0; i < most; i++) {
		struct pair *pair = &side[count];
		if (avd_verifier_program(verifier, i, sizeof(pair->a), &pair->a) == 0 &&
		    avd__is_listed(&pair->a))
			pair->in_a = (int)++count;
	}
	qsort(side, count, sizeof(*side), by_name);
	*ret = side;
	*ret_count = count;
	return 0;
}

/* Both sides are sorted by name: one walk over them. */
static void merge(struct diff *diff, const struct pair *a, size_t a_count, const struct pair *b,
		  size_t b_count)
{
	size_t i = 0, k = 0;
	while (i < a_count || k < b_count) {
		struct pair *pair = &diff->pairs[diff->count++];
		int order = i == a_count ? 1 : k == b_count ? -1 : 0;
		if (order == 0 && !same_name(&a[i].a, &b[k].a)) {
			struct pair x = a[i], y = b[k];
			x.in_a = y.in_a = 0;
			order = by_name(&x, &y);
		}
		if (order <= 0) {
			pair->in_a = 1;
			pair->a = a[i++].a;
		}
		if (order >= 0) {
			pair->in_b = 1;
			pair->b = b[k++].a;
		}
	}
}

static int load_pairs(struct diff *diff)
{
	struct pair *a = NULL, *b = NULL;
	size_t a_count = 0, b_count = 0;
	int r = load_side(diff->a, &a, &a_count);
	if (r == 0)
		r = load_side(diff->b, &b, &b_count);
	if (r == 0) {
		diff->pairs = calloc(a_count + b_count + 1, sizeof(*diff->pairs));
		if (diff->pairs)
			merge(diff, a, a_count, b, b_count);
		else
			r = -ENOMEM;
	}
	free(a);
	free(b);
	return r;
}

static int has_both(const struct pair *pair, uint32_t figure)
{
	return pair->in_a && pair->in_b && pair->a.sources[figure] && pair->b.sources[figure];
}

/* Hundredths of a percent, or INT64_MAX from zero to something. */
static int64_t growth(uint64_t a, uint64_t b)
{
	if (a == b)
		return 0;
	if (a == 0)
		return INT64_MAX;
	const long double ratio = ((long double)b - (long double)a) * 10000.0L / (long double)a;
	return ratio >= 9.0e18L ? INT64_MAX : (int64_t)ratio;
}

static int is_over(const struct diff *diff, const struct pair *pair, uint32_t figure)
{
	const int64_t threshold = diff->options.thresholds[figure];
	return threshold != AVD_THRESHOLD_NONE && has_both(pair, figure) &&
	       pair->b.figures[figure] > pair->a.figures[figure] &&
	       growth(pair->a.figures[figure], pair->b.figures[figure]) > threshold;
}

static int has_threshold(const struct diff *diff)
{
	int any = 0;
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++)
		any |= diff->options.thresholds[i] != AVD_THRESHOLD_NONE;
	return any;
}

/* A program may go away; that all are gone means that nothing was loaded, or that B is another
 * thing altogether: no threshold is kept where nothing was measured. */
static int is_lost(const struct diff *diff, const struct pair *pair)
{
	return has_threshold(diff) && pair->in_a && !diff->has_b;
}

static int is_newly_refused(const struct diff *diff, const struct pair *pair)
{
	return has_threshold(diff) && pair->in_b && pair->b.verdict == AVD_PROGRAM_FAILURE &&
	       (!pair->in_a || pair->a.verdict != AVD_PROGRAM_FAILURE);
}

static int is_changed(const struct pair *pair)
{
	if (!pair->in_a || !pair->in_b || pair->a.verdict != pair->b.verdict)
		return 1;
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++) {
		if (has_both(pair, i) && pair->a.figures[i] != pair->b.figures[i])
			return 1;
	}
	return 0;
}

static void put_percent(struct avd__buf *out, uint64_t a, uint64_t b)
{
	const int64_t grown = growth(a, b);
	if (grown == INT64_MAX) {
		avd__buf_puts(out, "new");
		return;
	}
	const uint64_t size = grown < 0 ? 0 - (uint64_t)grown : (uint64_t)grown;
	avd__buf_printf(out, "%c%" PRIu64 ".%02" PRIu64 "%%", b < a ? '-' : '+', size / 100,
			size % 100);
}

static void put_difference(struct avd__buf *out, uint64_t a, uint64_t b)
{
	avd__buf_printf(out, "%c%" PRIu64, b < a ? '-' : '+', b < a ? a - b : b - a);
}

/* -- text -- */

static void text_verdicts(struct diff *diff, const struct pair *pair)
{
	struct avd__buf *out = diff->out;
	if (pair->a.verdict == pair->b.verdict)
		return;
	avd__buf_printf(out, "  %-20s %12s -> %-12s%s\n", "verdict",
			avd_program_verdict_name(pair->a.verdict),
			avd_program_verdict_name(pair->b.verdict),
			is_newly_refused(diff, pair) ? "  !" : "");
}

static void text_figure(struct diff *diff, const struct pair *pair, uint32_t figure)
{
	const uint64_t a = pair->a.figures[figure], b = pair->b.figures[figure];
	const int over = is_over(diff, pair, figure);
	struct avd__buf *out = diff->out, from = {0}, to = {0};
	if (!has_both(pair, figure) || a == b)
		return;
	avd__put_figure(&from, figure, a);
	avd__put_figure(&to, figure, b);
	avd__buf_printf(out, "  %-20s %12s -> %-12s  ", avd_figure_name(figure),
			from.data ? from.data : "", to.data ? to.data : "");
	if (figure != AVD_FIGURE_TIME_NS) {
		put_difference(out, a, b);
		avd__buf_puts(out, " (");
		put_percent(out, a, b);
		avd__buf_puts(out, ")");
	} else {
		put_percent(out, a, b);
	}
	avd__buf_puts(out, over ? "  !\n" : "\n");
	if (from.error || to.error)
		out->error = -ENOMEM;
	avd__buf_free(&from);
	avd__buf_free(&to);
}

static void text_one_side(struct diff *diff, const struct pair *pair)
{
	const struct avd_program *program = pair->in_a ? &pair->a : &pair->b;
	struct avd__buf *out = diff->out;
	avd__buf_printf(out, "  %s", avd_program_verdict_name(program->verdict));
	if (program->sources[AVD_FIGURE_PROCESSED_INSNS])
		avd__buf_printf(out, ", processed-insns %" PRIu64,
				program->figures[AVD_FIGURE_PROCESSED_INSNS]);
	avd__buf_puts(out, is_newly_refused(diff, pair) || is_lost(diff, pair) ? "  !\n" : "\n");
}

static void put_text(struct diff *diff)
{
	struct avd__buf *out = diff->out;
	uint64_t same = 0;
	for (size_t i = 0; i < diff->count; i++) {
		const struct pair *pair = &diff->pairs[i];
		const struct avd_program *program = pair->in_a ? &pair->a : &pair->b;
		if (!is_changed(pair)) {
			same++;
			continue;
		}
		avd__buf_printf(out, "%s%s\n", program->name.len ? program->name.data : "(no name)",
				!pair->in_b   ? ": only in A"
				: !pair->in_a ? ": only in B"
					      : "");
		if (!pair->in_a || !pair->in_b) {
			text_one_side(diff, pair);
			continue;
		}
		text_verdicts(diff, pair);
		for (uint32_t figure = 0; figure < AVD_FIGURE_COUNT; figure++)
			text_figure(diff, pair, figure);
	}
	avd__buf_printf(out, "%" PRIu64 " of %zu programs are the same", same, diff->count);
	if (diff->exceeded)
		avd__buf_printf(out, "; %" PRIu64 " changes (!) are over the threshold",
				diff->exceeded);
	avd__buf_puts(out, "\n");
}

/* -- JSON -- */

static void json_figure(struct avd__json *json, const struct diff *diff, const struct pair *pair,
			uint32_t figure)
{
	const uint64_t a = pair->a.figures[figure], b = pair->b.figures[figure];
	struct avd__buf percent = {0};
	if (!has_both(pair, figure))
		return;
	avd__json_open(json, NULL, '{');
	avd__json_cstring(json, "figure", avd_figure_name(figure));
	avd__json_u64(json, "a", a);
	avd__json_u64(json, "b", b);
	avd__json_i64(json, "diff", (int64_t)(b - a));
	put_percent(&percent, a, b);
	avd__json_cstring(json, "percent", percent.data);
	avd__json_bool(json, "exceeded", is_over(diff, pair, figure));
	avd__json_close(json, '}');
	avd__buf_free(&percent);
}

static void put_json(struct diff *diff)
{
	struct avd__json json = {.out = diff->out, .empty = 1};
	avd__json_open(&json, NULL, '{');
	avd__json_u64(&json, "schema_version", 1);
	avd__json_open(&json, "programs", '[');
	for (size_t i = 0; i < diff->count; i++) {
		const struct pair *pair = &diff->pairs[i];
		const struct avd_program *program = pair->in_a ? &pair->a : &pair->b;
		const char *both = is_changed(pair) ? "changed" : "same";
		avd__json_open(&json, NULL, '{');
		avd__json_cstring(&json, "name", program->name.len ? program->name.data : NULL);
		avd__json_cstring(&json, "status",
				  !pair->in_b	? "only-a"
				  : !pair->in_a ? "only-b"
						: both);
		avd__json_cstring(&json, "verdict_a",
				  pair->in_a ? avd_program_verdict_name(pair->a.verdict) : NULL);
		avd__json_cstring(&json, "verdict_b",
				  pair->in_b ? avd_program_verdict_name(pair->b.verdict) : NULL);
		avd__json_bool(&json, "newly_refused", is_newly_refused(diff, pair));
		avd__json_bool(&json, "lost", is_lost(diff, pair));
		avd__json_open(&json, "figures", '[');
		for (uint32_t figure = 0; figure < AVD_FIGURE_COUNT; figure++)
			json_figure(&json, diff, pair, figure);
		avd__json_close(&json, ']');
		avd__json_close(&json, '}');
	}
	avd__json_close(&json, ']');
	avd__json_u64(&json, "exceeded", diff->exceeded);
	avd__json_close(&json, '}');
	avd__buf_puts(diff->out, "\n");
}

/* -- CSV: the columns of `veristat -C -o csv` -- */

static void csv_figure(struct avd__buf *out, const struct pair *pair,
		       const struct avd__csv_column *column)
{
	const uint64_t a = pair->a.figures[column->figure] / column->divisor;
	const uint64_t b = pair->b.figures[column->figure] / column->divisor;
	avd__buf_puts(out, ",");
	if (pair->in_a)
		avd__buf_printf(out, "%" PRIu64, a);
	else
		avd__buf_puts(out, "N/A");
	avd__buf_puts(out, ",");
	if (pair->in_b)
		avd__buf_printf(out, "%" PRIu64, b);
	else
		avd__buf_puts(out, "N/A");
	avd__buf_puts(out, ",");
	if (!pair->in_a || !pair->in_b) {
		avd__buf_puts(out, "N/A");
		return;
	}
	put_difference(out, a, b);
	avd__buf_puts(out, " (");
	if (a == 0 && b) /* as veristat has it */
		avd__buf_puts(out, "+100.00%");
	else
		put_percent(out, a, b);
	avd__buf_puts(out, ")");
}

static void put_csv(struct diff *diff)
{
	struct avd__buf *out = diff->out;
	avd__buf_puts(out, "file_name,prog_name,verdict_base,verdict_comp,verdict_diff");
	for (size_t k = 0; k < AVD__CSV_COLUMNS; k++) {
		const char *name = avd__csv_columns[k].name;
		avd__buf_printf(out, ",%s_base,%s_comp,%s_diff", name, name, name);
	}
	avd__buf_puts(out, "\n");
	for (size_t i = 0; i < diff->count; i++) {
		const struct pair *pair = &diff->pairs[i];
		const char *same = pair->a.verdict == pair->b.verdict ? "MATCH" : "MISMATCH";
		avd__put_csv(out, avd_verifier_origin(pair->in_a ? diff->a : diff->b));
		avd__buf_puts(out, ",");
		avd__put_csv(out, pair->in_a ? pair->a.name.data : pair->b.name.data);
		avd__buf_printf(out, ",%s,%s,%s",
				pair->in_a ? avd_program_verdict_name(pair->a.verdict) : "N/A",
				pair->in_b ? avd_program_verdict_name(pair->b.verdict) : "N/A",
				pair->in_a && pair->in_b ? same : "N/A");
		for (size_t k = 0; k < AVD__CSV_COLUMNS; k++)
			csv_figure(out, pair, &avd__csv_columns[k]);
		avd__buf_puts(out, "\n");
	}
}

int avd_verifier_diff(const avd_verifier *a, const avd_verifier *b,
		      const struct avd_verifier_diff_options *options, char **ret_text,
		      size_t *ret_size, uint64_t *ret_exceeded)
{
	struct avd__buf out = {0};
	struct diff diff = {.a = a, .b = b, .out = &out};
	for (uint32_t i = 0; i < AVD_FIGURE_COUNT; i++)
		diff.options.thresholds[i] = AVD_THRESHOLD_NONE;
	int r = options ? avd__options_copy(&diff.options, sizeof(diff.options), options,
					    sizeof(*options))
			: 0;
	if (r < 0)
		return r;
	if (!a || !b || !ret_text || diff.options.format > AVD_VERIFIER_CSV)
		return -EINVAL;
	r = load_pairs(&diff);
	if (r < 0)
		return r;
	for (size_t i = 0; i < diff.count; i++)
		diff.has_b |= diff.pairs[i].in_b;
	for (size_t i = 0; i < diff.count; i++) {
		diff.exceeded += (uint64_t)is_newly_refused(&diff, &diff.pairs[i]);
		diff.exceeded += (uint64_t)is_lost(&diff, &diff.pairs[i]);
		for (uint32_t figure = 0; figure < AVD_FIGURE_COUNT; figure++)
			diff.exceeded += (uint64_t)is_over(&diff, &diff.pairs[i], figure);
	}
	if (diff.options.format == AVD_VERIFIER_JSON)
		put_json(&diff);
	else if (diff.options.format == AVD_VERIFIER_CSV)
		put_csv(&diff);
	else
		put_text(&diff);
	free(diff.pairs);
	r = avd__buf_take(&out, ret_text, ret_size);
	if (r == 0 && ret_exceeded)
		*ret_exceeded = diff.exceeded;
	return r;
}
