/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The loader for schedulers that come as a BPF object. A process of its own. */
#ifndef AVD_GUEST_LOAD_H
#define AVD_GUEST_LOAD_H

/* Loads the object, attaches all its struct_ops, stays until SIGINT or SIGTERM. Returns the
 * process's exit status. */
int avd__load(const char *path);

#endif
