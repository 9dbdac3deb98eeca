/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What a plan's values stand for, as short digests: equal for equal things on every machine. */
#ifndef AVD_LIB_SWEEP_DIGEST_H
#define AVD_LIB_SWEEP_DIGEST_H

#include "base/buf.h"
#include "sweep/plan.h"

/* Of what was gathered: the first eight bytes of its BLAKE2b. 0: it could not be gathered. */
uint64_t avd__digest(const struct avd__buf *gathered);
/* Adds a text with its end, so that neighbours can't be mistaken for one another. */
void avd__digest_text(struct avd__buf *gathered, const char *text);
/* Adds a file's bytes, as their digest; of a file that can't be read, that it can't. */
void avd__digest_file(struct avd__buf *gathered, const char *path);
/* The same of a file or of a directory with all in it: names, bytes, links, what can be run. */
void avd__digest_tree(struct avd__buf *gathered, const char *path);
/* The same of a program, which may be one to look for in $PATH or in the guest. */
void avd__digest_program(struct avd__buf *gathered, const char *program);

#endif
