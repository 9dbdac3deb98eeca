/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The inside of the public machine. */
#ifndef AVD_LIB_RUNNER_INTERNAL_H
#define AVD_LIB_RUNNER_INTERNAL_H

#include <attachverdict/machine.h>

#include "base/keep.h"
#include "runner/run.h"

#define AVD__MACHINE_MIB (UINT64_C(1) << 20)
/* A stock kernel unpacked has 60 MiB and more; below this nothing boots. */
#define AVD__MACHINE_MEMORY_MIN (64 * AVD__MACHINE_MIB)
#define AVD__MACHINE_MEMORY_MAX (UINT64_C(1024) * 1024 * AVD__MACHINE_MIB) /* a slip of the pen */
#define AVD__MACHINE_MEMORY (512 * AVD__MACHINE_MIB)
#define AVD__MACHINE_TOPOLOGY "1"
/* COMMAND_LINE_SIZE of x86 is 2048, the NUL and the machine's own part included. */
#define AVD__MACHINE_ARGS_MAX 2047u

struct avd__machine_config {
	struct avd_machine_options options; /* defaults filled in */
	struct avd__keep keep; /* the texts among them */
	struct avd__topology topology;
};

/* On failure nothing is left. */
int avd__machine_config_init(struct avd__machine_config *config,
			     const struct avd_machine_options *given, struct avd__error *error);
void avd__machine_config_free(struct avd__machine_config *config);

/* The initramfs that the options mean. *ret_fd is the caller's to close. */
int avd__machine_initramfs(const struct avd_machine_options *options, int *ret_fd,
			   uint64_t *ret_size, struct avd__error *error);

struct avd_machine {
	uint32_t state; /* enum avd_machine_state */
	struct avd__machine_config config;
	struct avd__error error;
	struct avd__log log;
	struct avd__run run;
	int epoll_fd, stop_fd;
	const char *sandbox; /* what confines it; static */
	bool stop_told; /* the kind was told to stop */
	bool muted; /* on_channel takes no more */
	struct avd_machine_end end;
	/* What tests put in place of the real thing. */
	const struct avd__machine_ops *ops; /* NULL: choose */
	int (*open_kernel)(struct avd_machine *machine, struct avd__machine_spec *spec,
			   int *ret_fd);
};

#endif
