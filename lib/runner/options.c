// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/internal.h"

static int copy_texts(struct avd__machine_config *config, struct avd__error *error)
{
	struct avd__keep *keep = &config->keep;
	struct avd_machine_options *o = &config->options;
	avd__keep_init(keep);
	int r = avd__keep_path(keep, &o->kernel, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->initramfs, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->init, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->cache_dir, error);
	if (r == 0)
		r = avd__keep_text(keep, &o->kernel_args, error);
	if (r == 0)
		r = avd__keep_text(keep, &o->topology, error);
	if (r == 0)
		r = avd__keep_program(keep, &o->qemu, error);
	return r;
}

static int check_initramfs(const struct avd_machine_options *o, struct avd__error *error)
{
	const int given = !!o->initramfs + !!o->init + !!o->initramfs_data +
			  !!(o->flags & AVD_MACHINE_INITRAMFS_FD);
	if (given != 1)
		return avd__fail(error, EINVAL,
				 "%s; give one of initramfs (a file), init (a program), "
				 "initramfs_data and initramfs_fd",
				 given ? "more than one initramfs" : "no initramfs");
	if (o->initramfs_data && !o->initramfs_size)
		return avd__fail(error, EINVAL, "initramfs_data without its initramfs_size");
	if (!o->initramfs_data && o->initramfs_size)
		return avd__fail(error, EINVAL, "initramfs_size=%zu without initramfs_data",
				 o->initramfs_size);
	if ((o->flags & AVD_MACHINE_INITRAMFS_FD) && o->initramfs_fd < 0)
		return avd__fail(error, EINVAL, "initramfs_fd=%d is no file descriptor",
				 o->initramfs_fd);
	return 0;
}

int avd__run_check_kernel_args(const char *args, uint32_t most, struct avd__error *error)
{
	if (!args)
		return 0;
	if (strlen(args) > most)
		return avd__fail(error, E2BIG, "kernel_args: %zu bytes, at most %u fit",
				 strlen(args), most);
	for (const char *p = args; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return avd__fail(error, EINVAL,
					 "kernel_args: a control character at byte %zu; separate "
					 "arguments by spaces",
					 (size_t)(p - args));
	}
	return 0;
}

static int check_numbers(struct avd_machine_options *o, struct avd__error *error)
{
	const uint32_t flags = AVD_MACHINE_ARGS_ONLY | AVD_MACHINE_INITRAMFS_FD;
	if (!o->memory_bytes)
		o->memory_bytes = AVD__MACHINE_MEMORY;
	if (o->memory_bytes < AVD__MACHINE_MEMORY_MIN ||
	    o->memory_bytes > AVD__MACHINE_MEMORY_MAX || o->memory_bytes % AVD__MACHINE_MIB)
		return avd__fail(error, EINVAL,
				 "memory_bytes=%" PRIu64
				 " is out of range: whole MiB, from %" PRIu64 " to %" PRIu64 " MiB",
				 o->memory_bytes, AVD__MACHINE_MEMORY_MIN / AVD__MACHINE_MIB,
				 AVD__MACHINE_MEMORY_MAX / AVD__MACHINE_MIB);
	if (o->machine > AVD_MACHINE_KVM)
		return avd__fail(error, EINVAL, "machine=%u is no enum avd_machine_kind",
				 o->machine);
	if (o->carrier > AVD_CARRIER_WINDOW)
		return avd__fail(error, EINVAL, "carrier=%u is no enum avd_carrier", o->carrier);
	if (o->sandbox > AVD_SANDBOX_OFF)
		return avd__fail(error, EINVAL, "sandbox=%u is no enum avd_sandbox_mode",
				 o->sandbox);
	if (o->reserved)
		return avd__fail(error, EINVAL, "reserved=%u must be 0", o->reserved);
	if (o->flags & ~flags)
		return avd__fail(error, EINVAL,
				 "flags=%#x has bits that are no enum avd_machine_flags", o->flags);
	return 0;
}

int avd__machine_config_init(struct avd__machine_config *config,
			     const struct avd_machine_options *given, struct avd__error *error)
{
	struct avd_machine_options *o = &config->options;
	*config = (struct avd__machine_config){0};
	/* The first release had everything up to the kernel's arguments at least. */
	int r = avd__options_take(o, sizeof(*o), given,
				  offsetof(struct avd_machine_options, kernel_args), error);
	if (r < 0)
		return r;
	r = copy_texts(config, error);
	if (r == 0 && !o->kernel)
		r = avd__fail(error, EINVAL, "no kernel: name a bzImage or a vmlinux");
	if (r == 0)
		r = check_initramfs(o, error);
	if (r == 0)
		r = avd__run_check_kernel_args(o->kernel_args, AVD__MACHINE_ARGS_MAX, error);
	if (r == 0)
		r = check_numbers(o, error);
	if (r == 0)
		r = avd__topology_parse(o->topology ? o->topology : AVD__MACHINE_TOPOLOGY,
					&config->topology, error);
	if (r < 0)
		avd__machine_config_free(config);
	return r;
}

void avd__machine_config_free(struct avd__machine_config *config)
{
	avd__keep_free(&config->keep);
	*config = (struct avd__machine_config){0};
}
