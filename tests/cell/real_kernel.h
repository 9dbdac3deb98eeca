/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A kernel and a machine for tests that need real ones, by the public interface alone. */
#ifndef AVD_TESTS_REAL_KERNEL_H
#define AVD_TESTS_REAL_KERNEL_H

#include <attachverdict/attachverdict.h>

/* What a test's main() returns when it can't be tried here. */
#define EXIT_SKIPPED 77

/* The newest kernel with sched_ext of $AVD_TEST_KERNELS (RELEASE/vmlinuz), static storage. NULL,
 * with the reason on standard output: none, or no machine to boot it in. */
const char *real_kernel(void);

/* In a directory, names that begin with a dot left out; -1 if it can't be read. */
int count_entries(const char *directory);
/* Until this process has no more threads than that. One that was joined may still stand in /proc
 * for a moment: the kernel wakes its joiner before it takes the thread off the list. One that
 * stays is a hang, which Check ends. */
void wait_for_threads(int count);

#endif
