/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The directory of a sweep:
 *   index.cbor     the plan and results, replaced as a whole
 *   journal.cbor   results since then, each on the disk before the next cell starts
 *   cells/         recordings, each there whole or not at all
 *   lock           held by who writes
 */
#ifndef AVD_LIB_SWEEP_STORE_H
#define AVD_LIB_SWEEP_STORE_H

#include "sweep/index.h"

#define AVD__STORE_INDEX "index.cbor"
#define AVD__STORE_JOURNAL "journal.cbor"
#define AVD__STORE_CELLS "cells"

struct avd__store {
	char *dir; /* as the caller named it, for messages */
	char *path; /* the same, wherever the process goes */
	int dir_fd, lock_fd, journal_fd; /* -1: none */
	size_t strangers; /* results that were there, of cells that the table does not have */
	struct avd__index_out journal; /* numbers its frames */
};

#define AVD__STORE_INIT ((struct avd__store){.dir_fd = -1, .lock_fd = -1, .journal_fd = -1})

/* Reads the table of `dir`. *ret_dir_fd: the directory, the caller's to close. *ret_torn: bytes of
 * the journal that count for nothing. -ENOENT. */
int avd__store_read(const char *dir, struct avd__table *table, int *ret_dir_fd, uint64_t *ret_torn,
		    struct avd__error *error);

/* The same of a directory that is open; `dir` is what to call it in messages. */
int avd__store_read_at(int dir_fd, const char *dir, struct avd__table *table, uint64_t *ret_torn,
		       struct avd__error *error);
/* What went wrong with `name` below `dir`, by its positive errno; negative. */
int avd__store_failed(const char *dir, const char *name, int code, struct avd__error *error);

/* Opens `dir`, which has results (else -ENOENT), for writing. -EBUSY: another sweep writes there.
 */
int avd__store_take(const char *dir, struct avd__store *store, struct avd__error *error);
/* Opens `dir`, made if it is not there, for writing, and neither reads nor writes an index. */
int avd__store_make(const char *dir, struct avd__store *store, struct avd__error *error);
/* Adds what row `index` came to: on the disk when it returns. The table is set by the caller. */
int avd__store_add(struct avd__store *store, size_t index, const struct avd__came *came,
		   struct avd__error *error);
/* Replaces the index by the table, and empties the journal. */
int avd__store_write(struct avd__store *store, const struct avd__table *table,
		     struct avd__error *error);
/* Takes `name`, a path below the directory, away if it is a symbolic link, so that what is written
 * there is not written elsewhere. */
int avd__store_drop_link(struct avd__store *store, const char *name);
void avd__store_close(struct avd__store *store);

/* A row's recording, below the directory: "cells/ID.DIGEST.avd", the id's slashes as commas, of a
 * long one as much as a file's name has room for; the digest so that one of an older scheduler is
 * never taken for the new one's. *ret_path: free(). */
int avd__store_recording(const struct avd__row *row, char **ret_path);
/* Whether an index may call a recording so: a file of AVD__STORE_CELLS, not one elsewhere. */
bool avd__store_owns(const char *name);

/* adopt.c */

/*
 * Opens `dir`, made if it is not there, for writing the results of `table`, a plan's. Results of
 * the same cells (id and digest) that are there are taken into the table first, those of
 * recordings of theirs that no index knows yet too; so nothing that was finished is run again.
 * Writes the index. -EBUSY: another sweep writes there; -EEXIST: something else is there.
 */
int avd__store_open(const char *dir, struct avd__table *table, struct avd__store *store,
		    struct avd__error *error);
/* The same of a directory that is there, with the table that it holds; the index stays as it is.
 * -ENOENT: no results are there. */
int avd__store_reopen(const char *dir, struct avd__table *table, struct avd__store *store,
		      struct avd__error *error);
/* Takes into the table, read from the directory, recordings that no index knows yet: of a sweep
 * that was killed between a recording and its entry. -ENOMEM ... */
int avd__store_adopt(int dir_fd, const char *dir, struct avd__table *table,
		     struct avd__error *error);

/* judge.c: what the recording `name` below `dir` says, which must be of the cell of `row` (NULL: of
 * whichever). Its texts live in `table`. -ENOENT ...; -EBADMSG: no recording, or of another cell.
 */
int avd__store_judge(int dir_fd, const char *name, const struct avd__row *row,
		     struct avd__table *table, struct avd__came *ret_came,
		     struct avd__error *error);

#endif
