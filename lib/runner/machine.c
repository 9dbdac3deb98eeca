// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The public machine: made, started, stepped, stopped, released. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "image/kernel.h"
#include "runner/internal.h"

static int open_kernel(struct avd_machine *machine, struct avd__machine_spec *spec, int *ret_fd)
{
	const struct avd_machine_options *o = &machine->config.options;
	struct avd__kernel *kernel = NULL;
	int r = avd__kernel_open(o->kernel, &kernel, &machine->error);
	if (r == 0)
		r = avd__run_open_kernel(&machine->run, kernel, o->kernel, o->cache_dir,
					 &machine->log, ret_fd, &spec->kernel_format,
					 &spec->kernel_pvh, &machine->error);
	avd__kernel_free(kernel);
	return r;
}

int avd_machine_new(const struct avd_machine_options *options, avd_machine **ret_machine,
		    char *text, size_t text_size)
{
	struct avd__error error = {0};
	struct avd_machine *machine = calloc(1, sizeof(*machine));
	int r = machine ? 0 : avd__fail(&error, ENOMEM, "out of memory");
	if (r == 0) {
		machine->epoll_fd = machine->stop_fd = -1;
		machine->sandbox = "none";
		machine->open_kernel = open_kernel;
		r = avd__machine_config_init(&machine->config, options, &error);
	}
	if (r == 0) {
		/* From here on, so that stopping needs no lock and never comes too early. */
		machine->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (machine->stop_fd < 0) {
			const int err = errno;
			r = avd__fail(&error, err, "cannot make an eventfd: %s", strerror(err));
		}
	}
	if (r < 0) {
		avd__error_copy(&error, text, text_size);
		avd_machine_free(machine);
		return r;
	}
	machine->log = (struct avd__log){
		.fn = machine->config.options.log,
		.userdata = machine->config.options.userdata,
	};
	*ret_machine = machine;
	return 0;
}

void avd_machine_free(avd_machine *machine)
{
	if (!machine)
		return;
	avd__run_release(&machine->run);
	avd__close(&machine->epoll_fd);
	avd__close(&machine->stop_fd);
	avd__machine_config_free(&machine->config);
	free(machine);
}

static bool stop_asked(const struct avd_machine *machine)
{
	uint64_t count;
	return read(machine->stop_fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static int check_stop(struct avd_machine *machine)
{
	if (stop_asked(machine))
		return avd__fail(&machine->error, ECANCELED, "stopped before it was started");
	return 0;
}

static int watch(struct avd_machine *machine, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(machine->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		const int err = errno;
		return avd__fail(&machine->error, err, "cannot watch a file descriptor: %s",
				 strerror(err));
	}
	return 0;
}

static int open_loop(struct avd_machine *machine)
{
	machine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (machine->epoll_fd < 0) {
		const int err = errno;
		return avd__fail(&machine->error, err, "cannot make an epoll set: %s",
				 strerror(err));
	}
	return watch(machine, machine->stop_fd);
}

static int choose(struct avd_machine *machine)
{
	const struct avd_machine_options *o = &machine->config.options;
	struct avd__choice *choice = &machine->run.choice;
	if (!machine->ops)
		return avd__choose(o->machine, o->qemu, o->cache_dir, false, &machine->log, choice,
				   &machine->error);
	choice->ops = machine->ops;
	return choice->ops->probe(o->qemu, &choice->accel, &machine->error);
}

static int boot(struct avd_machine *machine)
{
	const struct avd_machine_options *o = &machine->config.options;
	int kernel_fd = -1, initramfs_fd = -1;
	struct avd__machine_spec spec = {
		.kernel_path = o->kernel,
		.cpus = machine->config.topology.cpus,
		.topology = &machine->config.topology,
		.memory_bytes = o->memory_bytes,
		.sandbox = o->sandbox == AVD_SANDBOX_AUTO,
		.serial = o->carrier != AVD_CARRIER_WINDOW,
		.kernel_args = o->kernel_args,
		.args_only = o->flags & AVD_MACHINE_ARGS_ONLY,
		.qemu = o->qemu,
		.log = machine->log,
	};
	int r = avd__machine_initramfs(o, &initramfs_fd, &spec.initramfs_bytes, &machine->error);
	if (r == 0)
		r = machine->open_kernel(machine, &spec, &kernel_fd);
	if (r == 0)
		r = check_stop(machine);
	if (r == 0) {
		spec.kernel_fd = kernel_fd;
		spec.initramfs_fd = initramfs_fd;
		r = avd__run_start(&machine->run, &spec, &machine->error);
	}
	avd__close(&kernel_fd);
	avd__close(&initramfs_fd);
	return r;
}

int avd_machine_start(avd_machine *machine)
{
	if (machine->state != AVD_MACHINE_NEW)
		return avd__fail(&machine->error, EINVAL, "the machine was started before");
	int r = check_stop(machine);
	if (r == 0)
		r = open_loop(machine);
	if (r == 0)
		r = choose(machine);
	if (r == 0)
		r = boot(machine);
	if (r == 0)
		r = watch(machine, avd__run_fd(&machine->run));
	if (r == 0 && machine->run.choice.ops->sandbox)
		machine->sandbox = machine->run.choice.ops->sandbox(machine->run.machine);
	machine->state = r == 0 ? AVD_MACHINE_RUNNING : AVD_MACHINE_FAILED;
	if (r < 0) {
		avd__run_release(&machine->run);
		avd__close(&machine->epoll_fd);
	}
	return r;
}

int avd_machine_fd(const avd_machine *machine)
{
	return machine->epoll_fd >= 0 ? machine->epoll_fd : -EINVAL;
}

static void on_console(void *userdata, const void *bytes, size_t size)
{
	const struct avd_machine *machine = userdata;
	const struct avd_machine_options *o = &machine->config.options;
	if (o->on_console)
		o->on_console(o->userdata, bytes, size);
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	struct avd_machine *machine = userdata;
	const struct avd_machine_options *o = &machine->config.options;
	if (machine->muted)
		return -ECANCELED;
	if (o->on_channel && o->on_channel(o->userdata, bytes, size) < 0)
		machine->muted = true;
	return machine->muted ? -ECANCELED : 0;
}

static void finish(struct avd_machine *machine, const struct avd__machine_end *end)
{
	const char *detail = end->detail;
	if (!*detail && end->cause == AVD_END_HOST_STOP)
		detail = machine->muted ? "the caller takes no more of the channel"
					: "the caller stopped the machine";
	machine->end.cause = end->cause;
	snprintf(machine->end.detail, sizeof(machine->end.detail), "%s", detail);
	machine->state = AVD_MACHINE_ENDED;
	avd__run_release(&machine->run);
}

int avd_machine_step(avd_machine *machine)
{
	const struct avd__machine_sink sink = {
		.userdata = machine,
		.console = on_console,
		.channel = on_channel,
	};
	struct avd__machine_end end = {.cause = AVD_END_UNKNOWN};
	if (machine->state == AVD_MACHINE_ENDED)
		return 0;
	if (machine->state != AVD_MACHINE_RUNNING)
		return avd__fail(&machine->error, EINVAL, "the machine %s",
				 machine->state == AVD_MACHINE_NEW ? "was not started"
								   : "could not be started");
	if (stop_asked(machine) && !machine->stop_told) {
		machine->stop_told = true;
		avd__run_stop(&machine->run, AVD_END_HOST_STOP);
	}
	if (avd__run_step(&machine->run, &sink, &end) > 0)
		return 1;
	finish(machine, &end);
	return 0;
}

void avd_machine_stop(avd_machine *machine)
{
	const int saved = errno;
	const uint64_t one = 1;
	/* It can only fail when the counter is full: then it is readable already. */
	const ssize_t n = write(machine->stop_fd, &one, sizeof(one));
	(void)n;
	errno = saved;
}

uint32_t avd_machine_state(const avd_machine *machine)
{
	return machine->state;
}

const char *avd_machine_error(const avd_machine *machine)
{
	return machine->error.text;
}

int avd_machine_get_end(const avd_machine *machine, struct avd_machine_end *ret_end)
{
	if (machine->state != AVD_MACHINE_ENDED)
		return -EINVAL;
	*ret_end = machine->end;
	return 0;
}

int avd_machine_get_info(const avd_machine *machine, struct avd_machine_info *ret_info)
{
	const struct avd__choice *choice = &machine->run.choice;
	if (machine->state != AVD_MACHINE_RUNNING && machine->state != AVD_MACHINE_ENDED)
		return -EINVAL;
	*ret_info = (struct avd_machine_info){.kind = choice->kind};
	snprintf(ret_info->sandbox, sizeof(ret_info->sandbox), "%s", machine->sandbox);
	snprintf(ret_info->accel, sizeof(ret_info->accel), "%s", choice->accel);
	snprintf(ret_info->note, sizeof(ret_info->note), "%s", choice->reason);
	return 0;
}

int avd_machine_get_stats(const avd_machine *machine, struct avd_machine_stats *stats)
{
	if (machine->state != AVD_MACHINE_RUNNING && machine->state != AVD_MACHINE_ENDED)
		return -EINVAL;
	return avd__run_get_stats(&machine->run, stats);
}
