// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sweep/command.h"

/* Texts are many and short: one allocation for some thousand of them. */
#define CHUNK_BYTES ((size_t)256 << 10)

struct avd__chunk {
	struct avd__chunk *next;
	size_t used, size;
	char bytes[];
};

void avd__table_free(struct avd__table *table)
{
	while (table->texts) {
		struct avd__chunk *next = table->texts->next;
		free(table->texts);
		table->texts = next;
	}
	free(table->rows);
	free(table->by_id);
	*table = (struct avd__table){0};
}

const char *avd__table_text(struct avd__table *table, const char *text, size_t len)
{
	struct avd__chunk *chunk = table->texts;
	if (!len)
		return "";
	if (!chunk || chunk->size - chunk->used <= len) {
		const size_t size = len >= CHUNK_BYTES ? len + 1 : CHUNK_BYTES;
		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		*chunk = (struct avd__chunk){.next = table->texts, .size = size};
		table->texts = chunk;
	}
	char *copy = chunk->bytes + chunk->used;
	memcpy(copy, text, len);
	copy[len] = '\0';
	chunk->used += len + 1;
	return copy;
}

/* The slot that holds the id, or the empty one where it would go. */
static size_t slot_of(const struct avd__table *table, const char *id)
{
	const uint64_t hash = avd__hash_text(&table->key, 0, id);
	size_t at = avd__hash_slot(&table->key, hash, table->by_id_size);
	while (table->by_id[at] && strcmp(table->rows[table->by_id[at] - 1].id, id) != 0)
		at = (at + 1) & (table->by_id_size - 1);
	return at;
}

static int grow_hash(struct avd__table *table)
{
	const size_t size = table->by_id_size ? table->by_id_size * 2 : 1024;
	uint32_t *by_id = calloc(size, sizeof(*by_id));
	if (!by_id)
		return -ENOMEM;
	if (!table->by_id)
		table->key = avd__hash_key();
	free(table->by_id);
	table->by_id = by_id;
	table->by_id_size = size;
	for (size_t i = 0; i < table->count; i++)
		by_id[slot_of(table, table->rows[i].id)] = (uint32_t)i + 1;
	return 0;
}

int64_t avd__table_find(const struct avd__table *table, const char *id)
{
	const uint32_t row = table->by_id_size ? table->by_id[slot_of(table, id)] : 0;
	return row ? (int64_t)row - 1 : -ENOENT;
}

static int copy_text(struct avd__table *table, const char **text)
{
	*text = avd__table_text(table, *text, strlen(*text));
	return *text ? 0 : -ENOMEM;
}

static int copy_came(struct avd__table *table, struct avd__came *came)
{
	int r = copy_text(table, &came->reason);
	if (r == 0)
		r = copy_text(table, &came->result_reason);
	if (r == 0)
		r = copy_text(table, &came->recording);
	return r;
}

/* Neighbours share most of their names: those of the row before serve again. */
static int copy_name(struct avd__table *table, const char **name, int axis)
{
	const char *before = table->count ? table->rows[table->count - 1].name[axis] : "";
	if (strcmp(before, *name) != 0)
		return copy_text(table, name);
	*name = before;
	return 0;
}

int avd__table_add(struct avd__table *table, const struct avd__row *row)
{
	struct avd__row copy = *row;
	if (table->count >= table->by_id_size / 2 && grow_hash(table) < 0)
		return -ENOMEM;
	const size_t slot = slot_of(table, row->id);
	if (table->by_id[slot])
		return -EEXIST;
	int r = copy_text(table, &copy.id);
	if (r == 0)
		r = copy_text(table, &copy.command);
	for (int axis = 0; r == 0 && axis < AVD__AXIS_COUNT; axis++)
		r = copy_name(table, &copy.name[axis], axis);
	if (r == 0 && copy.ran)
		r = copy_came(table, &copy.came);
	if (r < 0)
		return r;
	struct avd__row *rows =
		avd__plan_grow(table->rows, &table->count, &table->cap, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	rows[table->count - 1] = copy;
	table->by_id[slot] = (uint32_t)table->count;
	return 0;
}

int avd__table_set(struct avd__table *table, size_t index, const struct avd__came *came)
{
	struct avd__came copy = *came;
	const int r = copy_came(table, &copy);
	if (r < 0)
		return r;
	table->rows[index].came = copy;
	table->rows[index].ran = true;
	return 0;
}

bool avd__row_has_result(const struct avd__row *row)
{
	return row->ran && row->came.result_code != AVD_REASON_NOT_RUN &&
	       row->came.result_code != AVD_REASON_LOST;
}

int avd__table_plan(struct avd__table *table, const avd_plan *plan, struct avd__error *error)
{
	*table = (struct avd__table){.plan_digest = avd_plan_digest(plan)};
	int r = 0;
	for (size_t i = 0; r == 0 && i < avd_plan_count(plan); i++) {
		struct avd_plan_cell cell;
		char *command = NULL;
		avd_plan_get(plan, i, &cell);
		r = avd__plan_command(plan, &cell, &command);
		const struct avd__row row = {
			.id = cell.id,
			.command = command,
			.name = {[AVD__AXIS_SCHEDULER] = cell.scheduler_name,
				 [AVD__AXIS_KERNEL] = cell.kernel_name,
				 [AVD__AXIS_TOPOLOGY] = cell.topology,
				 [AVD__AXIS_PAYLOAD] = cell.payload_name},
			.expect = cell.expect,
			.cpus = cell.cpus,
			.digest = cell.digest,
		};
		if (r == 0)
			r = avd__table_add(table, &row);
		free(command);
	}
	if (r == 0)
		return 0;
	avd__table_free(table);
	return avd__fail(error, -r, r == -ENOMEM ? "out of memory" : "two cells have one id");
}
