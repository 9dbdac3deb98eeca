/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* From a specification to a QEMU process with its ports. */
#ifndef AVD_LIB_QEMU_START_H
#define AVD_LIB_QEMU_START_H

#include "codec/window.h"
#include "qemu/child.h"
#include "qemu/qemu.h"
#include "qemu/qmp.h"

/* channel, console, QMP, trace, errors: in this order */
#define AVD__QEMU_STREAMS 5

struct avd__qemu_process {
	struct avd__child *child;
	int streams[AVD__QEMU_STREAMS]; /* our ends, non-blocking; to be closed by the owner */
	bool sandbox; /* it was asked to confine itself */
	struct avd__window window; /* ->memory NULL: none; to be unmapped by the owner */
};

/* On failure, closes what it has opened: no child, all streams -1. */
int avd__qemu_start(const struct avd__machine_spec *spec, struct avd__qemu_process *ret_process,
		    struct avd__error *error);

#endif
