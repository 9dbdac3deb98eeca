/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The KVM machine: /dev/kvm and this library, nothing else. */
#ifndef AVD_LIB_VMM_VMM_H
#define AVD_LIB_VMM_VMM_H

#include "machine/machine.h"

extern const struct avd__machine_ops avd__vmm_ops;

/* NULL: its threads can be sandboxed here; else why not, static. */
const char *avd__sandbox_missing(void);

struct avd__kvm_sys;
/* 0 if KVM here runs what stock kernels need; else an error that says what it lacks. Takes
 * milliseconds. */
int avd__vmm_probe(const struct avd__kvm_sys *sys, struct avd__error *error);

#endif
