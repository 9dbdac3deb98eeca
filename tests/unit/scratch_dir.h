/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A new directory for each test, as the current one: fixtures for Check. */
#ifndef AVD_TESTS_SCRATCH_DIR_H
#define AVD_TESTS_SCRATCH_DIR_H

#include <stddef.h>

void scratch_enter(void);
/* Its path. */
const char *scratch_dir(void);
/* Leaves it and takes it away, with all that is in it. */
void scratch_leave(void);
void scratch_write(const char *path, const void *bytes, size_t size);

#endif
