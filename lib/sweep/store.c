// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cell/recording.h"

#define LOCK "lock"
/* An index of the largest plan; more is none of ours. */
#define FILE_MAX (UINT64_C(4) << 30)
/* So much of an id has room in a recording's name; the digest, of which the whole id is a part,
 * tells those apart that begin with the same. */
#define ID_IN_NAME (NAME_MAX - (int)(sizeof(".0123456789abcdef.avd") - 1))
/* Of an index that is being written: so much goes to the file at a time. */
#define FLUSH_BYTES ((size_t)1 << 20)

/* Reads of an index that is replaced meanwhile, as a sweep does at its start and its end: more than
 * will happen to one reader. The last one counts as it is: a file system may have no lasting inode
 * numbers, and what is missing then is a cell without a result, never a false one. */
#define READ_TRIES 20u

/* No link of a directory is followed: it may have come from another machine, and must not lead to
 * what its reader has elsewhere. */
int avd__store_failed(const char *dir, const char *name, int code, struct avd__error *error)
{
	return avd__fail(error, code, "%s/%s: %s", dir, name,
			 code == ELOOP ? "it is a symbolic link, which is not followed"
				       : strerror(code));
}

/* The whole file; *ret_bytes: free(). */
static int read_file(int dir_fd, const char *dir, const char *name, uint8_t **ret_bytes,
		     size_t *ret_size, struct avd__error *error)
{
	struct stat st;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return avd__store_failed(dir, name, errno, error);
	int code = fstat(fd, &st) < 0				       ? errno
		   : !S_ISREG(st.st_mode)			       ? EINVAL
		   : st.st_size < 0 || (uint64_t)st.st_size > FILE_MAX ? EFBIG
								       : 0;
	uint8_t *bytes = code ? NULL : malloc((size_t)st.st_size + 1);
	int64_t n = 0;
	if (!code && !bytes)
		code = ENOMEM;
	if (!code && (n = avd__pread_all(fd, bytes, (size_t)st.st_size, 0)) < 0)
		code = (int)-n;
	avd__close(&fd);
	if (code) {
		free(bytes);
		return avd__store_failed(dir, name, code, error);
	}
	*ret_bytes = bytes;
	*ret_size = (size_t)n;
	return 0;
}

static int no_index(const char *dir, struct avd__error *error)
{
	return avd__fail(error, ENOENT, "%s has no results of a sweep: no " AVD__STORE_INDEX, dir);
}

static int read_once(int dir_fd, const char *dir, struct avd__table *table, uint64_t *ret_torn,
		     struct avd__error *error)
{
	uint8_t *bytes;
	size_t size;
	char path[512];
	int r = read_file(dir_fd, dir, AVD__STORE_INDEX, &bytes, &size, error);
	if (r == -ENOENT)
		return no_index(dir, error);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/%s", dir, AVD__STORE_INDEX);
	r = avd__index_read(table, bytes, size, path, error);
	free(bytes);
	if (r < 0)
		return r;
	*ret_torn = 0;
	r = read_file(dir_fd, dir, AVD__STORE_JOURNAL, &bytes, &size, error);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		avd__table_free(table);
		return r;
	}
	r = avd__journal_read(table, bytes, size, ret_torn, error);
	free(bytes);
	if (r == -ESTALE) { /* left behind when an index of a newer plan took its place */
		*ret_torn = size;
		r = 0;
	}
	if (r < 0)
		avd__table_free(table);
	return r;
}

/* Whether the index is still the file `held`, whose inode no other one gets while it is open. */
static bool is_there_still(int dir_fd, int held)
{
	struct stat then, now;
	return held >= 0 && fstat(held, &then) == 0 &&
	       fstatat(dir_fd, AVD__STORE_INDEX, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       then.st_dev == now.st_dev && then.st_ino == now.st_ino;
}

/* Who replaces the index empties the journal right after it. In between, and with an index that was
 * opened before, results would be in neither; so the two count only if the index stayed. */
int avd__store_read_at(int dir_fd, const char *dir, struct avd__table *table, uint64_t *ret_torn,
		       struct avd__error *error)
{
	for (unsigned int left = READ_TRIES;; left--) {
		int held = openat(dir_fd, AVD__STORE_INDEX, O_PATH | O_CLOEXEC | O_NOFOLLOW);
		const bool was_there = held >= 0;
		const int r = read_once(dir_fd, dir, table, ret_torn, error);
		const bool same = is_there_still(dir_fd, held);
		avd__close(&held);
		if (same || (!was_there && r < 0) || left == 1)
			return r;
		if (r == 0)
			avd__table_free(table);
	}
}

int avd__store_read(const char *dir, struct avd__table *table, int *ret_dir_fd, uint64_t *ret_torn,
		    struct avd__error *error)
{
	int fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return avd__fail(error, errno, "results %s: %s", dir, strerror(errno));
	const int r = avd__store_read_at(fd, dir, table, ret_torn, error);
	if (r < 0)
		avd__close(&fd);
	else
		*ret_dir_fd = fd;
	return r;
}

bool avd__store_owns(const char *name)
{
	const char *file = name + sizeof(AVD__STORE_CELLS);
	return strncmp(name, AVD__STORE_CELLS "/", sizeof(AVD__STORE_CELLS)) == 0 && *file &&
	       *file != '.' && !strchr(file, '/') && strlen(file) <= NAME_MAX;
}

int avd__store_recording(const struct avd__row *row, char **ret_path)
{
	char *path;
	if (asprintf(&path, AVD__STORE_CELLS "/%.*s.%016" PRIx64 ".avd", ID_IN_NAME, row->id,
		     row->digest) < 0)
		return -ENOMEM;
	for (char *at = strchr(path + sizeof(AVD__STORE_CELLS), '/'); at; at = strchr(at, '/'))
		*at = ',';
	*ret_path = path;
	return 0;
}

static int lock(struct avd__store *store, struct avd__error *error)
{
	int code = 0;
	store->lock_fd =
		openat(store->dir_fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (store->lock_fd < 0 || flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0)
		code = errno;
	if (code == EWOULDBLOCK)
		return avd__fail(error, EBUSY,
				 "%s: another sweep writes there; wait until it has ended, "
				 "or name another directory",
				 store->dir);
	return code ? avd__store_failed(store->dir, LOCK, code, error) : 0;
}

static int open_dir(const char *dir, struct avd__store *store, struct avd__error *error)
{
	store->dir = strdup(dir);
	if (!store->dir)
		return avd__fail(error, ENOMEM, "out of memory");
	store->dir_fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (store->dir_fd >= 0)
		store->path = realpath(dir, NULL);
	if (!store->path)
		return avd__fail(error, errno, "results %s: %s", dir, strerror(errno));
	return 0;
}

int avd__store_take(const char *dir, struct avd__store *store, struct avd__error *error)
{
	*store = AVD__STORE_INIT;
	int r = open_dir(dir, store, error);
	/* The lock is a file: none is left in a directory of something else. */
	if (r == 0 && faccessat(store->dir_fd, AVD__STORE_INDEX, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		r = no_index(dir, error);
	if (r == 0)
		r = lock(store, error);
	if (r < 0)
		avd__store_close(store);
	return r;
}

static int make_cells(const struct avd__store *store, struct avd__error *error)
{
	if (mkdirat(store->dir_fd, AVD__STORE_CELLS, 0777) < 0 && errno != EEXIST)
		return avd__store_failed(store->dir, AVD__STORE_CELLS, errno, error);
	int cells = openat(store->dir_fd, AVD__STORE_CELLS,
			   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cells < 0)
		return avd__store_failed(store->dir, AVD__STORE_CELLS, errno, error);
	avd__close(&cells);
	return 0;
}

int avd__store_make(const char *dir, struct avd__store *store, struct avd__error *error)
{
	*store = AVD__STORE_INIT;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return avd__fail(error, errno, "results %s: the directory can't be made: %s", dir,
				 strerror(errno));
	int r = open_dir(dir, store, error);
	if (r == 0)
		r = lock(store, error);
	if (r == 0)
		r = make_cells(store, error);
	if (r < 0)
		avd__store_close(store);
	return r;
}

static int start_journal(struct avd__store *store, const struct avd__table *table,
			 struct avd__error *error)
{
	avd__close(&store->journal_fd);
	store->journal_fd = openat(store->dir_fd, AVD__STORE_JOURNAL,
				   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
					   O_NOFOLLOW | O_NONBLOCK,
				   0666);
	if (store->journal_fd < 0)
		return avd__store_failed(store->dir, AVD__STORE_JOURNAL, errno, error);
	store->journal.seq = 0;
	store->journal.buf.len = 0;
	avd__index_header(&store->journal, table);
	return 0; /* the header goes with the first entry */
}

/* Hands on what was gathered, so that a large index is never in memory as a whole. */
static void flush(struct avd__index_out *out, struct avd__recording *file, size_t at_least)
{
	if (out->buf.error || out->buf.len < at_least)
		return;
	avd__recording_write(file, out->buf.data, out->buf.len); /* commit tells a failure */
	out->buf.len = 0;
}

static int put_index(struct avd__recording *file, const struct avd__table *table)
{
	struct avd__index_out out = {0};
	avd__index_header(&out, table);
	for (size_t i = 0; i < table->count; i++) {
		avd__index_cell(&out, &table->rows[i]);
		flush(&out, file, FLUSH_BYTES);
	}
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].ran)
			avd__index_came(&out, i, &table->rows[i].came);
		flush(&out, file, FLUSH_BYTES);
	}
	flush(&out, file, 1);
	const int r = out.buf.error;
	avd__buf_free(&out.buf);
	return r;
}

int avd__store_drop_link(struct avd__store *store, const char *name)
{
	struct stat st;
	if (fstatat(store->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISLNK(st.st_mode) || unlinkat(store->dir_fd, name, 0) == 0)
		return 0;
	return -errno;
}

int avd__store_write(struct avd__store *store, const struct avd__table *table,
		     struct avd__error *error)
{
	struct avd__recording file = AVD__RECORDING_INIT;
	char *path;
	if (asprintf(&path, "%s/%s", store->path, AVD__STORE_INDEX) < 0)
		return avd__fail(error, ENOMEM, "the index: out of memory");
	int r = avd__recording_open(&file, path, error);
	free(path);
	if (r < 0)
		return r;
	r = put_index(&file, table);
	if (r < 0)
		avd__fail(error, -r, "the index: %s", strerror(-r));
	else
		r = avd__recording_commit(&file, error);
	avd__recording_close(&file);
	return r < 0 ? r : start_journal(store, table, error);
}

int avd__store_add(struct avd__store *store, size_t index, const struct avd__came *came,
		   struct avd__error *error)
{
	struct avd__index_out *out = &store->journal;
	avd__index_came(out, index, came);
	int r = out->buf.error;
	if (r == 0)
		r = avd__write_all(store->journal_fd, out->buf.data, out->buf.len);
	if (r == 0 && fdatasync(store->journal_fd) < 0)
		r = -errno;
	out->buf.len = 0;
	return r < 0 ? avd__store_failed(store->dir, AVD__STORE_JOURNAL, -r, error) : 0;
}

void avd__store_close(struct avd__store *store)
{
	avd__close(&store->journal_fd);
	avd__close(&store->lock_fd);
	avd__close(&store->dir_fd);
	avd__buf_free(&store->journal.buf);
	free(store->dir);
	free(store->path);
	store->dir = store->path = NULL;
}
