// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Says of cells without a result why they have none: their machine was lost, and so on. */
#include <attachverdict/verdict.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "sweep/part.h"
#include "sweep/result.h"
#include "sweep/store.h"

/* The reason, as text of a verdict is: escaped, and cut where a reader cuts. */
static int take_reason(const char *given, char *reason, size_t size, struct avd__error *error)
{
	if (!given || !*given)
		return avd__fail(error, EINVAL, "no reason was given for the mark");
	avd__escape(reason, size, given, strlen(given));
	return 0;
}

static int mark(struct avd__table *table, const struct avd__part *part, const char *reason,
		size_t *marked, struct avd__error *error)
{
	const struct avd__came came = avd__came_without(AVD_REASON_LOST, reason);
	for (size_t at = 0; at < table->count; at++) {
		if (table->rows[at].ran || !avd__part_has(part, at))
			continue;
		if (avd__table_set(table, at, &came) < 0)
			return avd__fail(error, ENOMEM, "out of memory");
		++*marked;
	}
	return 0;
}

int avd_results_mark(const char *dir, const struct avd_mark_options *options, size_t *ret_marked,
		     char *error, size_t error_size)
{
	struct avd__error message = {0};
	struct avd_mark_options given;
	struct avd__table table = {0};
	struct avd__store store;
	char reason[AVD_VERDICT_REASON_MAX];
	size_t marked = 0;
	int r = avd__options_take(&given, sizeof(given), options, sizeof(given.size), &message);
	if (r == 0)
		r = take_reason(given.reason, reason, sizeof(reason), &message);
	if (r == 0)
		r = avd__store_reopen(dir, &table, &store, &message);
	if (r == 0) {
		const struct avd__part part = {given.first, given.count, given.shard, given.shards};
		r = avd__part_check(&part, table.count, &message);
		if (r == 0)
			r = mark(&table, &part, reason, &marked, &message);
		if (r == 0)
			r = avd__store_write(&store, &table, &message);
		avd__store_close(&store);
		avd__table_free(&table);
	}
	if (r < 0)
		avd__error_copy(&message, error, error_size);
	else if (ret_marked)
		*ret_marked = marked;
	return r;
}
