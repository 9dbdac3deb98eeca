/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Which machine one gets, and why. */
#ifndef AVD_LIB_RUNNER_CHOOSE_H
#define AVD_LIB_RUNNER_CHOOSE_H

#include "machine/machine.h"

/* A reason as reports show it: one line. */
#define AVD__CHOICE_REASON 256u

struct avd__choice {
	const struct avd__machine_ops *ops;
	uint32_t kind; /* enum avd_machine_kind, never AUTO */
	const char *accel; /* how it runs the guest's instructions: "kvm", "tcg"; static */
	char reason[AVD__CHOICE_REASON]; /* why this kind; empty: it was asked for */
};

/* `qemu`: its path or NULL; naming one chooses that kind. `fresh`: ask /dev/kvm itself, not what is
 * remembered of it under `cache_dir` (answer.h). */
int avd__choose(uint32_t kind, const char *qemu, const char *cache_dir, bool fresh,
		const struct avd__log *log, struct avd__choice *ret_choice,
		struct avd__error *error);

#endif
