/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What the tests of the QEMU machine share: a tiny guest, runs to the end, leak checks. */
#ifndef AVD_TESTS_QEMU_KIT_H
#define AVD_TESTS_QEMU_KIT_H

#include <attachverdict/kernel.h>
#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "qemu/qemu.h"

/* A machine that has not ended by then has hung. Real time; TCG on a busy host needs seconds. */
#define KIT_HANG_SECONDS 600

struct kit {
	struct avd__machine_spec spec;
	struct avd__machine *machine;
	struct avd__error error;
	struct avd__machine_end end;
	struct avd__buf console;
	struct avd__buf channel;
	struct avd__buf log;
	int channel_result; /* what the sink answers */
};

/* A specification of the tiny guest with `args` ("act=r"), one CPU, 64 MiB. Ends the program with
 * 77 and a line if there is no QEMU. */
void kit_init(struct kit *kit, const char *args);
void kit_start(struct kit *kit); /* must work */
int kit_step(struct kit *kit); /* one step, when there is work */
void kit_run(struct kit *kit); /* to the end, bounded */
void kit_free(struct kit *kit);

/* Steps until the channel has so many bytes. */
void kit_wait_channel(struct kit *kit, size_t bytes);
/* Until the process has used so much, without a step. */
void kit_wait_cpu(struct kit *kit, uint64_t ns);

/* Numbers of this process, to be compared before and after. */
struct kit_usage {
	size_t fds, threads;
};
struct kit_usage kit_usage(void);
/* Everything is as before, and no child is left, not even a dead one. */
void kit_check_usage(struct kit_usage before);

/* The only child process, or -1. */
pid_t kit_only_child(void);

/* A new directory, which kit_remove_dir() removes with its plain files. */
char *kit_make_dir(void);
void kit_remove_dir(char *dir);
/* A shell script; the path is to be freed. It passes for QEMU 9.9.9 when asked for its version,
 * unless `version` is false. */
char *kit_fake_qemu(const char *dir, bool version, const char *body);

int kit_main(Suite *suite);

#endif
