// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What a directory holds already is taken over, so that nothing that was finished is run again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sweep/store.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names below cells/. One listing costs less than asking for each cell of a large plan. */
struct listing {
	struct avd__buf texts; /* each with its end */
	const char **names; /* sorted */
	size_t count;
};

static int list_cells(int dir_fd, struct listing *listing)
{
	int fd = openat(dir_fd, AVD__STORE_CELLS, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		const int code = errno;
		avd__close(&fd);
		return -code;
	}
	for (const struct dirent *entry; (entry = readdir(stream)); listing->count++)
		avd__buf_append(&listing->texts, entry->d_name, strlen(entry->d_name) + 1);
	closedir(stream);
	listing->names = calloc(listing->count + 1, sizeof(*listing->names));
	if (listing->texts.error || !listing->names)
		return -ENOMEM;
	const char *at = listing->texts.data;
	for (size_t i = 0; at && i < listing->count; i++, at += strlen(at) + 1)
		listing->names[i] = at;
	qsort(listing->names, listing->count, sizeof(*listing->names), by_name);
	return 0;
}

/* `path` is below the directory. */
static bool is_there(const struct listing *there, const char *path)
{
	if (!avd__store_owns(path) || !there->names)
		return false;
	path += sizeof(AVD__STORE_CELLS);
	return bsearch(&path, there->names, there->count, sizeof(*there->names), by_name) != NULL;
}

/* Takes over the results of the same cells, and the words why there is none. A result without its
 * recording is proved by nothing: that cell is run again. */
static int adopt_table(struct avd__table *table, const struct avd__table *old,
		       const struct listing *there)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct avd__row *row = &old->rows[i];
		const int64_t at = avd__table_find(table, row->id);
		if (!row->ran || at < 0 || table->rows[at].digest != row->digest)
			continue;
		if (avd__row_has_result(row) && !is_there(there, row->came.recording))
			continue;
		const int r = avd__table_set(table, (size_t)at, &row->came);
		if (r < 0)
			return r;
	}
	return 0;
}

static int adopt_recording(int dir_fd, struct avd__table *table, struct avd__row *row,
			   const struct listing *there)
{
	struct avd__error ignored;
	struct avd__came came;
	char *path;
	int r = avd__store_recording(row, &path);
	if (r < 0)
		return r;
	if (is_there(there, path)) {
		r = avd__store_judge(dir_fd, path, row, table, &came, &ignored);
		if (r == 0) {
			row->came = came;
			row->ran = true;
		}
	}
	free(path);
	return r == -ENOMEM ? r : 0; /* what is none, or another cell's, is run again */
}

/* Takes over recordings that were finished right before their sweep was killed, and what `old` (may
 * be NULL) tells. */
static int adopt_all(int dir_fd, struct avd__table *table, const struct avd__table *old)
{
	struct listing there = {0};
	int r = list_cells(dir_fd, &there);
	if (r == 0 && old)
		r = adopt_table(table, old, &there);
	for (size_t i = 0; r == 0 && i < table->count; i++) {
		if (!avd__row_has_result(&table->rows[i]))
			r = adopt_recording(dir_fd, table, &table->rows[i], &there);
	}
	avd__buf_free(&there.texts);
	free(there.names);
	return r;
}

int avd__store_adopt(int dir_fd, const char *dir, struct avd__table *table,
		     struct avd__error *error)
{
	const int r = adopt_all(dir_fd, table, NULL);
	if (r == -ENOENT) /* what carried it here may have dropped an empty directory */
		return 0;
	return r < 0 ? avd__store_failed(dir, AVD__STORE_CELLS, -r, error) : 0;
}

static size_t count_strangers(const struct avd__table *table, const struct avd__table *old)
{
	size_t count = 0;
	for (size_t i = 0; i < old->count; i++)
		count += avd__row_has_result(&old->rows[i]) &&
			 avd__table_find(table, old->rows[i].id) < 0;
	return count;
}

/* What is there already is taken over. */
static int adopt(struct avd__store *store, struct avd__table *table, struct avd__error *error)
{
	struct avd__table old = {0};
	uint64_t torn;
	int r = avd__store_read_at(store->dir_fd, store->dir, &old, &torn, error);
	if (r < 0 && r != -ENOENT && r != -EBADMSG) /* new, or to be made anew */
		return r;
	store->strangers = count_strangers(table, &old);
	r = adopt_all(store->dir_fd, table, &old);
	avd__table_free(&old);
	return r < 0 ? avd__store_failed(store->dir, AVD__STORE_CELLS, -r, error) : 0;
}

int avd__store_open(const char *dir, struct avd__table *table, struct avd__store *store,
		    struct avd__error *error)
{
	int r = avd__store_make(dir, store, error);
	if (r < 0)
		return r;
	r = adopt(store, table, error);
	if (r == 0)
		r = avd__store_write(store, table, error);
	if (r < 0)
		avd__store_close(store);
	return r;
}

int avd__store_reopen(const char *dir, struct avd__table *table, struct avd__store *store,
		      struct avd__error *error)
{
	uint64_t torn;
	int r = avd__store_take(dir, store, error);
	if (r < 0)
		return r;
	r = avd__store_read_at(store->dir_fd, dir, table, &torn, error);
	if (r == 0)
		r = avd__store_adopt(store->dir_fd, dir, table, error);
	if (r < 0) {
		avd__table_free(table);
		avd__store_close(store);
	}
	return r;
}
