// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Results of many machines, of one plan, as one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "sweep/result.h"
#include "sweep/store.h"

struct source {
	const char *dir;
	int fd;
	struct avd__table table;
};

struct merge {
	struct source *sources;
	size_t count;
	uint32_t flags;
	struct avd__table table; /* what comes out */
	uint32_t *from; /* by row: source + 1; 0: none has it */
};

/* Not the same plan: says what differs first. */
static int differs(const struct source *a, const struct source *b, struct avd__error *error)
{
	for (size_t i = 0; i < a->table.count && i < b->table.count; i++) {
		if (strcmp(a->table.rows[i].id, b->table.rows[i].id) != 0)
			return avd__fail(error, EXDEV,
					 "%s and %s are of different plans: cell %zu is %s and %s",
					 a->dir, b->dir, i, a->table.rows[i].id,
					 b->table.rows[i].id);
		if (a->table.rows[i].digest != b->table.rows[i].digest)
			return avd__fail(error, EXDEV,
					 "%s and %s: the cell %s is not the same in both; its "
					 "scheduler, kernel or a setting differs",
					 a->dir, b->dir, a->table.rows[i].id);
	}
	return avd__fail(error, EXDEV, "%s and %s are of different plans: %zu and %zu cells",
			 a->dir, b->dir, a->table.count, b->table.count);
}

static int same_came(const struct avd__came *a, const struct avd__came *b)
{
	return a->recording_bytes == b->recording_bytes && a->recording_crc == b->recording_crc &&
	       a->outcome == b->outcome && a->result_code == b->result_code;
}

/* The larger, the worse: passed, attached, a failure that was seen, one that was not. */
static unsigned int badness(const struct avd__row *row)
{
	static const unsigned int by_outcome[] = {[AVD_OUTCOME_UNCONFIRMED] = 4,
						  [AVD_OUTCOME_ATTACHED] = 1,
						  [AVD_OUTCOME_DIED] = 3,
						  [AVD_OUTCOME_NOT_ATTACHED] = 2};
	const struct avd_cell_result result = avd__result_of(row);
	if (result.result == AVD_RESULT_PASSED)
		return 0;
	return result.outcome < AVD__ARRAY_SIZE(by_outcome) ? by_outcome[result.outcome] : 5;
}

static int take_row(struct merge *merge, size_t source, size_t at, struct avd__error *error)
{
	const struct source *now = &merge->sources[source];
	const struct avd__row *row = &now->table.rows[at];
	struct avd__row *into = &merge->table.rows[at];
	if (!row->ran)
		return 0;
	/* A result beats the word that there is none. */
	const int beaten = into->ran && !avd__row_has_result(row);
	const int beats = into->ran && !avd__row_has_result(into) && !beaten;
	if (into->ran && !beaten && !beats && !same_came(&into->came, &row->came)) {
		if (!(merge->flags & AVD_MERGE_WORST))
			return avd__fail(error, EEXIST,
					 "%s and %s have different results of %s: %s and %s; take "
					 "the worse one (--worst), or leave one directory out",
					 merge->sources[merge->from[at] - 1].dir, now->dir, row->id,
					 avd_outcome_name(into->came.outcome),
					 avd_outcome_name(row->came.outcome));
		if (badness(row) <= badness(into))
			return 0;
	} else if (into->ran && !beats) {
		return 0;
	}
	if (avd__table_set(&merge->table, at, &row->came) < 0)
		return avd__fail(error, ENOMEM, "out of memory");
	merge->from[at] = (uint32_t)source + 1;
	return 0;
}

static int read_sources(struct merge *merge, struct avd__error *error)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < merge->count; i++) {
		struct source *source = &merge->sources[i];
		uint64_t torn;
		r = avd__store_read(source->dir, &source->table, &source->fd, &torn, error);
		if (r == 0 && source->table.plan_digest != merge->sources[0].table.plan_digest)
			r = differs(&merge->sources[0], source, error);
	}
	return r;
}

static int gather(struct merge *merge, struct avd__error *error)
{
	const struct avd__table *first = &merge->sources[0].table;
	int r = 0;
	merge->table.plan_digest = first->plan_digest;
	for (size_t at = 0; r == 0 && at < first->count; at++) {
		struct avd__row row = first->rows[at];
		row.ran = false;
		r = avd__table_add(&merge->table, &row);
	}
	merge->from = calloc(first->count + 1, sizeof(*merge->from));
	if (r < 0 || !merge->from)
		return avd__fail(error, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < merge->count; i++) {
		for (size_t at = 0; r == 0 && at < first->count; at++)
			r = take_row(merge, i, at, error);
	}
	return r;
}

static int copy_bytes(int from, int into)
{
	uint8_t piece[65536];
	uint64_t offset = 0;
	int64_t n;
	while ((n = avd__pread_all(from, piece, sizeof(piece), offset)) > 0) {
		const int r = avd__write_all(into, piece, (size_t)n);
		if (r < 0)
			return r;
		offset += (uint64_t)n;
	}
	return (int)n;
}

static int copy_file(int from_dir, int into_dir, const char *name)
{
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int into = from < 0 ? -1
			    : openat(into_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r = from < 0 || into < 0 ? -errno : copy_bytes(from, into);
	if (into >= 0 && r == 0 && fsync(into) < 0)
		r = -errno;
	avd__close(&from);
	avd__close(&into);
	return r;
}

static int bring_recordings(const struct merge *merge, int into, struct avd__error *error)
{
	for (size_t at = 0; at < merge->table.count; at++) {
		const struct avd__row *row = &merge->table.rows[at];
		if (!merge->from[at] || !*row->came.recording)
			continue;
		const struct source *source = &merge->sources[merge->from[at] - 1];
		const char *name = row->came.recording;
		int r = avd__store_owns(name) ? 0 : -EBADMSG;
		if (r == 0 && linkat(source->fd, name, into, name, 0) < 0)
			r = copy_file(source->fd, into, name);
		if (r < 0)
			return avd__fail(error, -r, "%s/%s: %s", source->dir, name, strerror(-r));
	}
	return 0;
}

static int is_empty(const char *dir)
{
	DIR *stream = opendir(dir);
	int entries = 0;
	while (stream && readdir(stream))
		entries++;
	if (stream)
		closedir(stream);
	return stream && entries <= 2; /* itself and its parent */
}

/* Takes away what a failed merge left. */
static void clear(const char *dir, int dir_fd, const struct merge *merge)
{
	static const char *const names[] = {AVD__STORE_INDEX, AVD__STORE_JOURNAL, "lock"};
	for (size_t at = 0; at < merge->table.count; at++) {
		const struct avd__row *row = &merge->table.rows[at];
		if (merge->from && merge->from[at] && avd__store_owns(row->came.recording))
			unlinkat(dir_fd, row->came.recording, 0);
	}
	for (size_t i = 0; i < AVD__ARRAY_SIZE(names); i++)
		unlinkat(dir_fd, names[i], 0);
	unlinkat(dir_fd, AVD__STORE_CELLS, AT_REMOVEDIR);
	rmdir(dir);
}

static int write_result(struct merge *merge, const char *into, struct avd__error *error)
{
	struct avd__store store;
	if (mkdir(into, 0777) < 0 && (errno != EEXIST || !is_empty(into))) {
		const int code = errno;
		return avd__fail(error, code, "%s: %s", into,
				 code == EEXIST ? "is there already; name a new directory"
						: strerror(code));
	}
	int r = avd__store_open(into, &merge->table, &store, error);
	if (r < 0)
		return r;
	r = bring_recordings(merge, store.dir_fd, error);
	if (r < 0)
		clear(into, store.dir_fd, merge);
	avd__store_close(&store);
	return r;
}

int avd_results_merge(const char *const *dirs, size_t count, const char *into, uint32_t flags,
		      char *error, size_t error_size)
{
	struct avd__error message = {0};
	struct merge merge = {.count = count, .flags = flags};
	int r = 0;
	merge.sources = calloc(count + 1, sizeof(*merge.sources));
	if (!merge.sources || !count || (flags & ~(uint32_t)AVD_MERGE_WORST))
		r = avd__fail(&message, merge.sources ? EINVAL : ENOMEM, "%s",
			      merge.sources ? "nothing to merge, or unknown flags"
					    : "out of memory");
	for (size_t i = 0; merge.sources && i < count; i++)
		merge.sources[i] = (struct source){.dir = dirs[i], .fd = -1};
	if (r == 0)
		r = read_sources(&merge, &message);
	if (r == 0)
		r = gather(&merge, &message);
	if (r == 0)
		r = write_result(&merge, into, &message);
	for (size_t i = 0; merge.sources && i < count; i++) {
		avd__close(&merge.sources[i].fd);
		avd__table_free(&merge.sources[i].table);
	}
	free(merge.sources);
	free(merge.from);
	avd__table_free(&merge.table);
	if (r < 0)
		avd__error_copy(&message, error, error_size);
	return r;
}
