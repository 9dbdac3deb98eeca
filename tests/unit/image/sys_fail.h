/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Makes system calls fail, or do less than was asked for. Link with sys_fail_args
 * (meson.build), which puts these in the way of the rooms' own calls.
 */
#ifndef AVD_TESTS_SYS_FAIL_H
#define AVD_TESTS_SYS_FAIL_H

/* The n-th wrapped call from now on fails with `err`, counted from 1; 0: none. */
void sys_fail_at(unsigned int n, int err);
unsigned int sys_count(void);

/* Reads and writes move at most this many bytes, every second one is interrupted; 0: as usual. */
void sys_short(unsigned int bytes);

/* sendfile() does not work for these files. */
void sys_no_sendfile(int on);
/* O_TMPFILE is not supported here. */
void sys_no_tmpfile(int on);

#endif
