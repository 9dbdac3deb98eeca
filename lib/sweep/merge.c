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

/* Sources are read one after another: at no time more than one table beside the merged one. */
struct merge {
	const char *const *dirs;
	size_t count;
	uint32_t flags;
	struct avd__table table; /* what comes out */
	uint32_t *from; /* by row: source + 1; 0: none has it */
};

static int same_expectation(const struct avd__row *a, const struct avd__row *b)
{
	return a->expect.any_outcome == b->expect.any_outcome &&
	       a->expect.outcome == b->expect.outcome && a->expect.result == b->expect.result &&
	       a->expect.code == b->expect.code;
}

/* The digest tells, but a result is only ever given to the cell that it is of. What a cell must
 * come to is in no digest, so that a sweep that goes on with another expectation keeps its results;
 * here nobody could say whose expectation counts. */
static int same_plan(const struct avd__table *a, const struct avd__table *b)
{
	if (a->plan_digest != b->plan_digest || a->count != b->count)
		return 0;
	for (size_t i = 0; i < a->count; i++) {
		if (a->rows[i].digest != b->rows[i].digest ||
		    strcmp(a->rows[i].id, b->rows[i].id) != 0 ||
		    !same_expectation(&a->rows[i], &b->rows[i]))
			return 0;
	}
	return 1;
}

static int other_expectation(const char *a_dir, const struct avd__row *a, const char *b_dir,
			     const struct avd__row *b, struct avd__error *error)
{
	char first[64], second[64];
	avd_expectation_print(&a->expect, first, sizeof(first));
	avd_expectation_print(&b->expect, second, sizeof(second));
	return avd__fail(
		error, EXDEV,
		"%s and %s expect different things of %s: %s and %s; sweep --cells none "
		"with the right plan into the wrong one keeps its results, and judges them "
		"by that",
		a_dir, b_dir, a->id, first, second);
}

/* Not the same plan: says what differs first. */
static int differs(const char *a_dir, const struct avd__table *a, const char *b_dir,
		   const struct avd__table *b, struct avd__error *error)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		if (strcmp(a->rows[i].id, b->rows[i].id) != 0)
			return avd__fail(error, EXDEV,
					 "%s and %s are of different plans: cell %zu is %s and %s",
					 a_dir, b_dir, i, a->rows[i].id, b->rows[i].id);
		if (a->rows[i].digest != b->rows[i].digest)
			return avd__fail(error, EXDEV,
					 "%s and %s: the cell %s is not the same in both; its "
					 "scheduler, kernel or a setting differs",
					 a_dir, b_dir, a->rows[i].id);
		if (!same_expectation(&a->rows[i], &b->rows[i]))
			return other_expectation(a_dir, &a->rows[i], b_dir, &b->rows[i], error);
	}
	return avd__fail(error, EXDEV, "%s and %s are of different plans: %zu and %zu cells", a_dir,
			 b_dir, a->count, b->count);
}

static int same_came(const struct avd__came *a, const struct avd__came *b)
{
	return a->recording_bytes == b->recording_bytes && a->recording_crc == b->recording_crc &&
	       a->outcome == b->outcome && a->result_code == b->result_code;
}

/* The larger, the worse: what was not expected is worse than all that was; then passed, attached, a
 * failure that was seen, one that was not. */
static unsigned int badness(const struct avd__row *row)
{
	static const unsigned int by_outcome[] = {[AVD_OUTCOME_UNCONFIRMED] = 4,
						  [AVD_OUTCOME_ATTACHED] = 1,
						  [AVD_OUTCOME_DIED] = 3,
						  [AVD_OUTCOME_NOT_ATTACHED] = 2};
	enum { UNMET = 8 }; /* above them all */
	const struct avd_cell_result result = avd__result_of(row);
	const unsigned int unmet = result.met ? 0 : UNMET;
	if (result.result == AVD_RESULT_PASSED)
		return unmet;
	return unmet +
	       (result.outcome < AVD__ARRAY_SIZE(by_outcome) ? by_outcome[result.outcome] : 5);
}

static int take_row(struct merge *merge, size_t source, const struct avd__row *row, size_t at,
		    struct avd__error *error)
{
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
					 merge->dirs[merge->from[at] - 1], merge->dirs[source],
					 row->id, avd_outcome_name(into->came.outcome),
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

/* The first source's table becomes the merged one. */
static int take_first(struct merge *merge, struct avd__table *table, struct avd__error *error)
{
	merge->from = calloc(table->count + 1, sizeof(*merge->from));
	if (!merge->from)
		return avd__fail(error, ENOMEM, "out of memory");
	for (size_t at = 0; at < table->count; at++)
		merge->from[at] = table->rows[at].ran ? 1 : 0;
	merge->table = *table;
	*table = (struct avd__table){0};
	return 0;
}

static int take_source(struct merge *merge, size_t source, struct avd__error *error)
{
	const char *dir = merge->dirs[source];
	struct avd__table table = {0};
	uint64_t torn;
	int fd = -1;
	int r = avd__store_read(dir, &table, &fd, &torn, error);
	if (r == 0)
		r = avd__store_adopt(fd, dir, &table, error);
	if (r == 0 && source == 0)
		r = take_first(merge, &table, error);
	else if (r == 0 && !same_plan(&merge->table, &table))
		r = differs(merge->dirs[0], &merge->table, dir, &table, error);
	for (size_t at = 0; r == 0 && at < table.count; at++)
		r = take_row(merge, source, &table.rows[at], at, error);
	avd__table_free(&table);
	avd__close(&fd);
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
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int into = from < 0 ? -1
			    : openat(into_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r = from < 0 || into < 0 ? -errno : copy_bytes(from, into);
	if (into >= 0 && r == 0 && fsync(into) < 0)
		r = -errno;
	avd__close(&from);
	avd__close(&into);
	return r;
}

/* Whoever made the directories may have put anything there, and may have named anything. */
static int bring_file(int from, int into, const char *name)
{
	struct stat st;
	if (!avd__store_owns(name))
		return -EBADMSG;
	name += sizeof(AVD__STORE_CELLS);
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	return linkat(from, name, into, name, 0) == 0 ? 0 : copy_file(from, into, name);
}

/* Where a directory has its recordings. A link is not followed: it may lead anywhere. */
static int open_cells(const char *dir, struct avd__error *error)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const int cells = fd < 0 ? -1
				 : openat(fd, AVD__STORE_CELLS,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const int code = errno;
	avd__close(&fd);
	return cells >= 0 ? cells
			  : avd__fail(error, code, "%s/" AVD__STORE_CELLS ": %s%s", dir,
				      strerror(code),
				      code == ENOTDIR ? "; a link to one is not followed" : "");
}

/* One source after another, so that their number costs no descriptors. */
static int bring_from(const struct merge *merge, size_t source, int into, struct avd__error *error)
{
	int cells = -1, r = 0;
	for (size_t at = 0; r == 0 && at < merge->table.count; at++) {
		const char *name = merge->table.rows[at].came.recording;
		if (merge->from[at] != source + 1 || !*name)
			continue;
		if (cells < 0 && (cells = open_cells(merge->dirs[source], error)) < 0)
			return cells;
		r = bring_file(cells, into, name);
		if (r < 0)
			avd__fail(error, -r, "%s/%s can't be merged: %s", merge->dirs[source], name,
				  r == -EBADMSG ? "is no recording" : strerror(-r));
	}
	avd__close(&cells);
	return r;
}

static int bring_recordings(const struct merge *merge, const char *dir, struct avd__error *error)
{
	int into = open_cells(dir, error);
	int r = into < 0 ? into : 0;
	for (size_t source = 0; r == 0 && source < merge->count; source++)
		r = bring_from(merge, source, into, error);
	/* The names: the index that tells of them must not be there before them. */
	if (r == 0)
		(void)fsync(into); /* not every file system can */
	avd__close(&into);
	return r;
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
	int r = avd__store_make(into, &store, error);
	if (r < 0)
		return r;
	r = bring_recordings(merge, into, error);
	if (r == 0)
		r = avd__store_write(&store, &merge->table, error);
	if (r < 0)
		clear(into, store.dir_fd, merge);
	avd__store_close(&store);
	return r;
}

int avd_results_merge(const char *const *dirs, size_t count, const char *into, uint32_t flags,
		      char *error, size_t error_size)
{
	struct avd__error message = {0};
	struct merge merge = {.dirs = dirs, .count = count, .flags = flags};
	int r = 0;
	if (!count || (flags & ~(uint32_t)AVD_MERGE_WORST))
		r = avd__fail(&message, EINVAL, "nothing to merge, or unknown flags");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = take_source(&merge, i, &message);
	if (r == 0)
		r = write_result(&merge, into, &message);
	free(merge.from);
	avd__table_free(&merge.table);
	if (r < 0)
		avd__error_copy(&message, error, error_size);
	return r;
}
