/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What tests of whole cells on the fake machine share. */
#ifndef AVD_TESTS_CELL_KIT_H
#define AVD_TESTS_CELL_KIT_H

#include <check.h>

#include "fake_machine.h"

#define S UINT64_C(1000000000)

/* Of the test that runs: its scratch directory, the recording's name in it, its cell. */
extern char dir[64], path[96];
extern avd_cell *cell;
extern struct avd_cell_options options;
extern struct avd_verdict verdict;
extern int fds_before;

/* A checked fixture. Whatever happened in between: no descriptor, no machine and no file but the
 * recording is left. */
void setup(void);
void teardown(void);

int count_entries(const char *name); /* of a directory */
void make(void);
void write_file(const char *name, const char *text);
size_t read_file(const char *name, uint8_t *out, size_t size);
/* Runs to the end, expects this verdict, and the same from the recording alone. */
void run(uint32_t outcome, uint32_t code);

/* Runs what was added to `tc` with the fixture; main()'s status. */
int run_case(const char *name, TCase *tc);

#endif
