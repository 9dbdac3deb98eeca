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

#endif
