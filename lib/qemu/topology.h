/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The shape of the CPUs in QEMU's words. */
#ifndef AVD_LIB_QEMU_TOPOLOGY_H
#define AVD_LIB_QEMU_TOPOLOGY_H

#include "qemu/args.h"

/* -ENOTSUP, with what to do instead: QEMU's PC can't have this shape. */
int avd__qemu_check_topology(const struct avd__topology *topology, struct avd__error *error);
/* CPUs, memory and NUMA nodes; setup->topology may be NULL. */
void avd__qemu_add_topology(const struct avd__qemu_setup *setup, struct avd__buf *words);
/* "possible_cpus=20" for the kernel if QEMU will tell it of CPUs that are not there; or "". */
void avd__qemu_possible_cpus(const struct avd__topology *topology, char *out, size_t size);

#endif
