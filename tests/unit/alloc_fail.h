/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Makes one allocation fail. Link with alloc_fail_args (tests/unit/meson.build), which puts
 * these in the way of the program's own calls, the rooms' included.
 */
#ifndef AVD_TESTS_ALLOC_FAIL_H
#define AVD_TESTS_ALLOC_FAIL_H

/* The n-th allocation from now on fails, counted from 1; 0: none. */
void alloc_fail_at(unsigned int n);
/* Allocations since alloc_fail_at(). */
unsigned int alloc_count(void);

#endif
