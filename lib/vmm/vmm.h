/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The KVM machine: /dev/kvm and this library, nothing else. */
#ifndef AVD_LIB_VMM_VMM_H
#define AVD_LIB_VMM_VMM_H

#include "machine/machine.h"

extern const struct avd__machine_ops avd__vmm_ops;

#endif
