/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The loader for schedulers that come as a BPF object. A process of its own. */
#ifndef AVD_GUEST_LOAD_H
#define AVD_GUEST_LOAD_H

#include <stdint.h>

/* Loads the object, attaches all its struct_ops, stays until SIGINT or SIGTERM. The verifier's
 * log of each program goes to standard error at the asked level; at 0 that of one which was
 * rejected, at level 1. Returns the process's exit status. */
int avd__load(const char *path, uint32_t log_level);

#endif
