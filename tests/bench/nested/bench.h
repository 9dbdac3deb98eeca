/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What the programs of this benchmark agree on. */
#ifndef AVD_TESTS_BENCH_NESTED_BENCH_H
#define AVD_TESTS_BENCH_NESTED_BENCH_H

/* On the console: here I am. No kernel message holds it. */
#define BENCH_MARK 0x02
/* A write to a carrier: what a large frame has. */
#define BENCH_FRAME 65536u

#endif
