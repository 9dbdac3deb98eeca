// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A cell's life: made, asked, told to end, released. step.c has what happens in between. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cell/internal.h"
#include "cell/limits.h"
#include "cell/planned.h"
#include "cell/step.h"

#define S(name) AVD__CELL_##name
#define I(name) AVD__CELL_ON_##name

static uint64_t monotonic(void *userdata)
{
	(void)userdata;
	return avd__now_ns();
}

int avd_cell_new(const struct avd_cell_options *options, avd_cell **ret_cell, char *text,
		 size_t text_size)
{
	struct avd__error error = {0};
	int r = 0;
	struct avd_cell *cell = calloc(1, sizeof(*cell));
	if (!cell) {
		r = avd__fail(&error, ENOMEM, "out of memory");
		avd__error_copy(&error, text, text_size);
		return r;
	}
	cell->state = S(NEW);
	cell->epoll_fd = cell->timer_fd = cell->cancel_fd = -1;
	cell->keep = (struct avd__cell_keep){.console_fd = -1, .channel_fd = -1};
	cell->recording = (struct avd__recording)AVD__RECORDING_INIT;
	cell->hooks = (struct avd__cell_hooks){
		.prepare = avd__cell_prepare,
		.now = monotonic,
	};
	r = avd__cell_config_init(&cell->config, options, &error);
	if (r == 0) {
		/* From here on, so that cancelling needs no lock and never comes too early. */
		cell->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (cell->cancel_fd < 0) {
			const int err = errno;
			r = avd__fail(&error, err, "cannot make an eventfd: %s", strerror(err));
		}
	}
	if (r < 0) {
		avd__error_copy(&error, text, text_size);
		avd_cell_free(cell);
		return r;
	}
	cell->log = (struct avd__log){
		.fn = cell->config.options.log,
		.userdata = cell->config.options.userdata,
	};
	*ret_cell = cell;
	return 0;
}

int avd__cell_set_planned(struct avd_cell *cell, const char *id, uint64_t digest)
{
	const char *copy = id;
	const int r = avd__keep_text(&cell->config.keep, &copy, &cell->error);
	if (r < 0)
		return r;
	cell->plan_id = copy;
	cell->plan_digest = digest;
	return 0;
}

void avd__cell_set_hooks(struct avd_cell *cell, const struct avd__cell_hooks *hooks)
{
	if (hooks->machine)
		cell->hooks.machine = hooks->machine;
	if (hooks->prepare)
		cell->hooks.prepare = hooks->prepare;
	if (hooks->nonce)
		cell->hooks.nonce = hooks->nonce;
	if (hooks->now) {
		cell->hooks.now = hooks->now;
		cell->hooks.userdata = hooks->userdata;
	}
}

/* Everything that a running cell holds; the stream and the error stay for the caller. */
static void release_machine(struct avd_cell *cell)
{
	avd__run_release(&cell->run);
	avd__recording_close(&cell->recording);
	avd__keep_close(cell);
}

void avd_cell_free(avd_cell *cell)
{
	if (!cell)
		return;
	release_machine(cell);
	avd_stream_free(cell->stream);
	avd__close(&cell->epoll_fd);
	avd__close(&cell->timer_fd);
	avd__close(&cell->cancel_fd);
	avd__cell_config_free(&cell->config);
	free(cell);
}

static int watch(struct avd_cell *cell, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(cell->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		const int err = errno;
		return avd__fail(&cell->error, err, "cannot watch a file descriptor: %s",
				 strerror(err));
	}
	return 0;
}

static int open_loop(struct avd_cell *cell)
{
	cell->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	cell->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (cell->epoll_fd < 0 || cell->timer_fd < 0) {
		const int err = errno;
		return avd__fail(&cell->error, err, "cannot make an epoll and a timer: %s",
				 strerror(err));
	}
	const int r = watch(cell, cell->timer_fd);
	return r < 0 ? r : watch(cell, cell->cancel_fd);
}

static int open_stream(struct avd_cell *cell, const struct avd__cell_boot *boot)
{
	const struct avd_stream_options options = {
		.size = sizeof(options),
		.flags = AVD_STREAM_RECORDING,
		.on_event = avd__cell_on_event,
		.userdata = cell,
	};
	int r = avd_stream_new(&options, &cell->stream);
	if (r == 0)
		r = avd_stream_feed(cell->stream, boot->frame, boot->frame_size);
	if (r < 0)
		return avd__fail(&cell->error, -r, "cannot begin the stream: %s", strerror(-r));
	r = avd__recording_write(&cell->recording, boot->frame, boot->frame_size);
	if (r < 0)
		cell->error = cell->recording.error;
	return r;
}

static int start_machine(struct avd_cell *cell, const struct avd__cell_boot *boot)
{
	const struct avd_cell_options *o = &cell->config.options;
	const struct avd__machine_spec spec = {
		.kernel_fd = boot->kernel_fd,
		.kernel_path = boot->kernel_path,
		.kernel_format = boot->kernel_format,
		.kernel_pvh = boot->kernel_pvh,
		.initramfs_fd = boot->initramfs_fd,
		.initramfs_bytes = boot->initramfs_bytes,
		.cpus = cell->config.cpus,
		.topology = &cell->config.topology,
		.memory_bytes = o->memory_bytes,
		.sandbox = o->sandbox == AVD_SANDBOX_AUTO,
		.serial = !avd__cell_window(cell),
		.kernel_args = o->kernel_args,
		.qemu = o->qemu,
		.keep_dir = o->keep_dir,
		.log = cell->log,
	};
	const int r = avd__run_start(&cell->run, &spec, &cell->error);
	return r < 0 ? r : watch(cell, avd__run_fd(&cell->run));
}

/* What ties the frames to this boot and to no other. */
static int make_nonce(struct avd_cell *cell)
{
	if (cell->hooks.nonce)
		memcpy(cell->nonce, cell->hooks.nonce, sizeof(cell->nonce));
	else if (getrandom(cell->nonce, sizeof(cell->nonce), 0) != (ssize_t)sizeof(cell->nonce))
		return avd__fail(&cell->error, EIO, "no random bytes from the kernel");
	return 0;
}

static int choose_machine(struct avd_cell *cell)
{
	const struct avd_cell_options *o = &cell->config.options;
	struct avd__choice *choice = &cell->run.choice;
	cell->run.now = cell->hooks.now;
	cell->run.now_userdata = cell->hooks.userdata;
	if (!cell->hooks.machine)
		return avd__choose(o->machine, o->qemu, o->cache_dir, false, &cell->log, choice,
				   &cell->error);
	choice->ops = cell->hooks.machine;
	return choice->ops->probe(o->qemu, &choice->accel, &cell->error);
}

/* In the order of what it costs: a mistake is told before anything slow is done. */
static int start(struct avd_cell *cell, struct avd__cell_boot *boot)
{
	const struct avd_cell_options *o = &cell->config.options;
	int r = avd__cell_check_cancel(cell, &cell->error);
	if (r == 0)
		r = make_nonce(cell);
	if (r == 0)
		r = open_loop(cell);
	if (r == 0 && o->record_path)
		r = avd__recording_open(&cell->recording, o->record_path, &cell->error);
	if (r == 0)
		r = choose_machine(cell);
	if (r == 0)
		r = cell->hooks.prepare(cell, boot, &cell->error);
	if (r == 0)
		r = avd__keep_open(cell, boot, &cell->error);
	if (r == 0)
		r = open_stream(cell, boot);
	if (r == 0)
		r = avd__cell_check_cancel(cell, &cell->error);
	if (r == 0)
		r = start_machine(cell, boot);
	if (r == 0)
		r = avd__cell_begin(cell);
	return r;
}

int avd_cell_start(avd_cell *cell)
{
	struct avd__cell_boot boot;
	int r = avd__cell_input(cell, I(START));
	if (r < 0)
		return r;
	avd__cell_boot_init(&boot);
	r = start(cell, &boot);
	avd__cell_boot_free(&boot);
	avd__cell_input(cell, r == 0 ? I(STARTED) : I(ERROR));
	if (r < 0) {
		release_machine(cell);
		cell->result = r;
	}
	return r;
}

int avd_cell_fd(const avd_cell *cell)
{
	return cell->epoll_fd >= 0 ? cell->epoll_fd : -EINVAL;
}

int avd_cell_run(avd_cell *cell)
{
	int r = cell->state == S(NEW) ? avd_cell_start(cell) : 0;
	while (r >= 0 && (r = avd_cell_step(cell)) > 0) {
		struct epoll_event event;
		if (epoll_wait(cell->epoll_fd, &event, 1, -1) < 0 && errno != EINTR) {
			const int err = errno;
			r = avd__cell_give_up(cell, avd__fail(&cell->error, err,
							      "cannot wait for the machine: %s",
							      strerror(err)));
		}
	}
	return r;
}

void avd_cell_cancel(avd_cell *cell)
{
	const int saved = errno;
	const uint64_t one = 1;
	/* It can only fail when the counter is full: then it is readable already. */
	const ssize_t n = write(cell->cancel_fd, &one, sizeof(one));
	(void)n;
	errno = saved;
}

uint32_t avd_cell_state(const avd_cell *cell)
{
	static const uint8_t public_states[AVD__CELL_STATE_COUNT] = {
		[S(NEW)] = AVD_CELL_NEW,	 [S(PREPARING)] = AVD_CELL_NEW,
		[S(RUNNING)] = AVD_CELL_RUNNING, [S(STOPPING)] = AVD_CELL_RUNNING,
		[S(ENDED)] = AVD_CELL_ENDED,	 [S(FAILED)] = AVD_CELL_FAILED,
	};
	return public_states[cell->state];
}

const char *avd_cell_error(const avd_cell *cell)
{
	return cell->error.text;
}

int avd_cell_get_stats(const avd_cell *cell, struct avd_machine_stats *stats)
{
	return avd__run_get_stats(&cell->run, stats);
}

const avd_stream *avd_cell_stream(const avd_cell *cell)
{
	return cell->stream;
}
