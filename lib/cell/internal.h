/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The inside of a cell: its states, what it boots, and the seams that tests use. */
#ifndef AVD_LIB_CELL_INTERNAL_H
#define AVD_LIB_CELL_INTERNAL_H

#include <attachverdict/cell.h>

#include "base/error.h"
#include "base/util.h"
#include "cell/config.h"
#include "cell/console.h"
#include "cell/recording.h"
#include "cell/watchdog.h"
#include "machine/machine.h"
#include "runner/run.h"

enum avd__cell_state {
	AVD__CELL_NONE = 0, /* no such transition */
	AVD__CELL_NEW,
	AVD__CELL_PREPARING, /* inside avd_cell_start() */
	AVD__CELL_RUNNING,
	AVD__CELL_STOPPING, /* the machine was told to end */
	AVD__CELL_ENDED,
	AVD__CELL_FAILED,
	AVD__CELL_STATE_COUNT,
};

enum avd__cell_input {
	AVD__CELL_ON_START = 0, /* avd_cell_start() was called */
	AVD__CELL_ON_STARTED, /* the machine runs */
	AVD__CELL_ON_STOP, /* the watchdog or the caller gave up */
	AVD__CELL_ON_END, /* the machine has ended, or never will */
	AVD__CELL_ON_ERROR, /* can't go on without losing the truth */
	AVD__CELL_INPUT_COUNT,
};

/* NONE: the input has no place in that state. */
enum avd__cell_state avd__cell_next(enum avd__cell_state state, enum avd__cell_input input);

/* What a cell boots; made by prepare() and needed until the machine has started. */
struct avd__cell_boot {
	int kernel_fd;
	uint32_t kernel_format; /* enum avd_kernel_format */
	uint32_t kernel_pvh; /* enum avd_tristate */
	char *kernel_path;
	char *kernel_release; /* "" if not known */
	int initramfs_fd;
	uint64_t initramfs_bytes;
	uint8_t *frame; /* the host's cell frame */
	size_t frame_size;
};

/* What tests put in place of the real thing. */
struct avd__cell_hooks {
	const struct avd__machine_ops *machine;
	/* Fills `boot`; on failure leaves it for avd__cell_boot_free(). */
	int (*prepare)(struct avd_cell *cell, struct avd__cell_boot *boot,
		       struct avd__error *error);
	uint64_t (*now)(void *userdata); /* host's monotonic clock, ns */
	void *userdata;
	const uint8_t *nonce; /* AVD_NONCE_SIZE bytes; NULL: random ones */
};

/* Copies of what goes on for the one who asked to keep it. */
struct avd__cell_keep {
	int console_fd, channel_fd; /* -1: not kept, or given up */
	uint64_t console_bytes;
};

struct avd_cell;

struct avd_cell {
	enum avd__cell_state state;
	struct avd__cell_config config;
	struct avd__cell_hooks hooks;
	struct avd__error error;
	struct avd__log log;
	uint8_t nonce[AVD_NONCE_SIZE];
	const char *plan_id; /* of a sweep's cell, kept with its options; NULL: it is none */
	uint64_t plan_digest;

	int epoll_fd, timer_fd, cancel_fd;
	int cancelled;
	struct avd__run run; /* the machine */
	avd_stream *stream;
	struct avd__recording recording;
	struct avd__cell_keep keep;
	int result; /* of an ENDED or FAILED cell: what step() returns */

	/* while it runs */
	struct avd__console console;
	struct avd__watchdog watchdog;
	uint64_t started, next_check, stop_asked; /* host's clock, ns */
	uint64_t channel_bytes;
	uint64_t frames_seen, console_seen; /* in this step */
	uint32_t last_phase; /* enum avd_phase, 0: none */
	int done; /* the guest said so */
	int broken; /* negative errno: the stream lost bytes */
	uint32_t stop_cause; /* enum avd_end_cause that the cell itself asked for, 0: none */
	char stop_detail[AVD__CELL_DETAIL];
};

/* Before avd_cell_start(); members that are NULL keep the real thing. */
void avd__cell_set_hooks(struct avd_cell *cell, const struct avd__cell_hooks *hooks);

/* state.c */

/* Accepts `input` or fails with -EINVAL and a message that names the state. */
int avd__cell_input(struct avd_cell *cell, enum avd__cell_input input);
/* -ECANCELED once the caller cancelled. */
int avd__cell_check_cancel(struct avd_cell *cell, struct avd__error *error);
/* Whether the cell's channel goes through the window; once its machine was chosen. */
bool avd__cell_window(const struct avd_cell *cell);

/* prepare.c */
void avd__cell_boot_init(struct avd__cell_boot *boot);
void avd__cell_boot_free(struct avd__cell_boot *boot);
int avd__cell_prepare(struct avd_cell *cell, struct avd__cell_boot *boot, struct avd__error *error);

/* frames.c: the host's own frames. *ret_frame is to be freed with free(). */
int avd__cell_frame(struct avd_cell *cell, const struct avd__cell_boot *boot,
		    const char *scheduler_path, const char *payload_path, uint8_t **ret_frame,
		    size_t *ret_size, struct avd__error *error);
int avd__cell_end_frame(struct avd_cell *cell, const struct avd__machine_end *end,
			uint8_t **ret_frame, size_t *ret_size);
/* The host's guess at why a cell ended: enum avd_reason_code; `detail` gets the line that tells. */
uint32_t avd__cell_guess(const struct avd_cell *cell, const struct avd__machine_end *end,
			 char *detail, size_t size);

/* keep.c */
int avd__keep_open(struct avd_cell *cell, const struct avd__cell_boot *boot,
		   struct avd__error *error);
void avd__keep_console(struct avd_cell *cell, const void *bytes, size_t size);
void avd__keep_channel(struct avd_cell *cell, const void *bytes, size_t size);
void avd__keep_close(struct avd_cell *cell);

#endif
