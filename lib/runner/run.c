// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "runner/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "image/kernel.h"

static uint64_t now(const struct avd__run *run)
{
	return run->now ? run->now(run->now_userdata) : avd__now_ns();
}

uint64_t avd__run_age(const struct avd__run *run)
{
	return now(run) - run->started;
}

/* QEMU needs the PVH note for a vmlinux; whether a bzImage has one is known once it is unpacked. */
int avd__run_open_kernel(const struct avd__run *run, struct avd__kernel *kernel, const char *path,
			 const char *cache_dir, const struct avd__log *log, int *ret_fd,
			 uint32_t *ret_format, uint32_t *ret_pvh, struct avd__error *error)
{
	const struct avd_kernel_info *info = avd__kernel_info(kernel);
	int fd = -1;
	const int r = avd__kernel_vmlinux(kernel, cache_dir, &fd, error);
	const bool packed = r == -ENOTSUP && info->format == AVD_KERNEL_BZIMAGE;
	if (r < 0 && !packed)
		return r;
	*ret_pvh = info->pvh;
	if (packed) {
		avd__log(log, AVD_LOG_WARNING, "%s; it is booted as it is, unpacking itself",
			 error->text);
		*error = (struct avd__error){0};
	} else if (info->pvh == AVD_YES || run->choice.ops->any_vmlinux) {
		*ret_format = AVD_KERNEL_VMLINUX;
		*ret_fd = fd;
		return 0;
	}
	avd__close(&fd);
	if (info->format != AVD_KERNEL_BZIMAGE)
		return avd__fail(
			error, ENOEXEC,
			"kernel %s: a vmlinux without a PVH entry can't be booted; give its "
			"bzImage, or build it with CONFIG_PVH=y",
			path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "kernel %s: %s", path, strerror(err));
	}
	*ret_format = AVD_KERNEL_BZIMAGE;
	*ret_fd = fd;
	return 0;
}

int avd__run_start(struct avd__run *run, const struct avd__machine_spec *spec,
		   struct avd__error *error)
{
	struct avd__machine_spec whole = *spec;
	whole.accel = run->choice.accel;
	run->stats = (struct avd_machine_stats){
		.size = sizeof(run->stats),
		.cpus = spec->cpus,
		.memory_bytes = spec->memory_bytes,
	};
	run->started = now(run);
	return run->choice.ops->start(&whole, &run->machine, error);
}

int avd__run_fd(const struct avd__run *run)
{
	return run->choice.ops->fd(run->machine);
}

static void measure_memory(const struct avd__run *run, struct avd_machine_stats *stats)
{
	const struct avd__machine_ops *ops = run->choice.ops;
	if (ops->memory &&
	    ops->memory(run->machine, &stats->ram_resident_bytes, &stats->overhead_bytes))
		stats->valid |= AVD_STAT_MEMORY;
}

static void ask_machine(const struct avd__run *run, struct avd_machine_stats *stats)
{
	const struct avd__machine_ops *ops = run->choice.ops;
	if (ops->stats)
		ops->stats(run->machine, stats);
	stats->cpu_ns = ops->cpu_ns(run->machine);
	stats->valid |= AVD_STAT_CPU;
}

static void pass_console(void *userdata, const void *bytes, size_t size)
{
	const struct avd__run *run = userdata;
	run->sink->console(run->sink->userdata, bytes, size);
}

static int pass_channel(void *userdata, const void *bytes, size_t size)
{
	struct avd__run *run = userdata;
	if (!(run->stats.valid & AVD_STAT_INIT)) {
		run->stats.init_ns = avd__run_age(run);
		run->stats.valid |= AVD_STAT_INIT;
		measure_memory(run, &run->stats);
	}
	return run->sink->channel(run->sink->userdata, bytes, size);
}

int avd__run_step(struct avd__run *run, const struct avd__machine_sink *sink,
		  struct avd__machine_end *ret_end)
{
	const struct avd__machine_sink mine = {
		.userdata = run,
		.console = pass_console,
		.channel = pass_channel,
	};
	run->sink = sink;
	const int r = run->choice.ops->step(run->machine, &mine, ret_end);
	run->sink = NULL;
	if (r > 0)
		return 1;
	avd__run_update(run);
	if (r < 0) {
		ret_end->cause = AVD_END_UNKNOWN;
		snprintf(ret_end->detail, sizeof(ret_end->detail),
			 "the machine could not be read: %s", strerror(-r));
	}
	return 0;
}

void avd__run_stop(struct avd__run *run, uint32_t cause)
{
	run->choice.ops->stop(run->machine, cause);
}

uint64_t avd__run_cpu_ns(const struct avd__run *run)
{
	return run->machine ? run->choice.ops->cpu_ns(run->machine) : run->stats.cpu_ns;
}

uint64_t avd__run_wait_ns(const struct avd__run *run)
{
	const struct avd__machine_ops *ops = run->choice.ops;
	return run->machine && ops->wait_ns ? ops->wait_ns(run->machine) : AVD__WAIT_UNKNOWN;
}

void avd__run_release(struct avd__run *run)
{
	avd__run_update(run);
	if (run->machine)
		run->choice.ops->free(run->machine);
	run->machine = NULL;
}

void avd__run_update(struct avd__run *run)
{
	if (run->machine)
		ask_machine(run, &run->stats);
}

int avd__run_get_stats(const struct avd__run *run, struct avd_machine_stats *stats)
{
	struct avd_machine_stats figures = run->stats;
	if (!figures.size || !stats || stats->size < sizeof(stats->size))
		return -EINVAL;
	if (run->machine) {
		ask_machine(run, &figures);
		measure_memory(run, &figures);
	}
	const size_t size = stats->size;
	figures.size = size < sizeof(figures) ? size : sizeof(figures);
	memset(stats, 0, size);
	memcpy(stats, &figures, figures.size);
	return 0;
}
