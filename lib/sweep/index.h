/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Results as bytes: a CBOR Sequence (RFC 8742) of the frames of lib/codec, numbered from 0,
 * each with a map with small integer keys in it: first a header, then the cells of the plan, then
 * what they came to. The journal is a header and what cells came to since the index was
 * written. The frames' checksums tell a torn file.
 */
#ifndef AVD_LIB_SWEEP_INDEX_H
#define AVD_LIB_SWEEP_INDEX_H

#include "base/buf.h"
#include "sweep/table.h"

/* Raised when an older library could not read it. */
#define AVD__INDEX_VERSION 1u

/* Where the next frame goes. */
struct avd__index_out {
	struct avd__buf buf;
	uint32_t seq;
};

void avd__index_header(struct avd__index_out *out, const struct avd__table *table);
void avd__index_cell(struct avd__index_out *out, const struct avd__row *row);
void avd__index_came(struct avd__index_out *out, size_t index, const struct avd__came *came);

/* Reads an index into an empty table. -EBADMSG, -ENOTSUP (a newer version), -ENOMEM. */
int avd__index_read(struct avd__table *table, const uint8_t *bytes, size_t size, const char *path,
		    struct avd__error *error);
/* Adds what a journal says to the table that its index made. Its tail may be torn: *ret_torn is
 * then the number of bytes that count for nothing. -ESTALE: of another plan, so none of it counts.
 */
int avd__journal_read(struct avd__table *table, const uint8_t *bytes, size_t size,
		      uint64_t *ret_torn, struct avd__error *error);

#endif
