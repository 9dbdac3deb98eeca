// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Which machine a cell gets. */
#include <attachverdict/machine.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qemu/qemu.h"

const char *avd_machine_kind_name(uint32_t kind)
{
	switch (kind) {
	case AVD_MACHINE_AUTO:
		return "auto";
	case AVD_MACHINE_QEMU:
		return "qemu";
	case AVD_MACHINE_KVM:
		return "kvm";
	default:
		return "unknown";
	}
}

static int probe(uint32_t kind, const char *qemu, struct avd_machine_info *info,
		 struct avd__error *error)
{
	const char *accel = NULL;
	struct avd__qemu_info found = {0};
	if (kind == AVD_MACHINE_KVM)
		return avd__fail(error, ENOTSUP, "the KVM machine is not built in yet; use qemu");
	if (kind != AVD_MACHINE_AUTO && kind != AVD_MACHINE_QEMU)
		return avd__fail(error, EINVAL, "machine=%u is no enum avd_machine_kind", kind);
	int r = avd__qemu_find(qemu, &found, error);
	if (r == 0)
		r = avd__qemu_ops.probe(qemu, &accel, error);
	if (r < 0)
		return r;
	info->kind = AVD_MACHINE_QEMU;
	info->version[0] = found.major;
	info->version[1] = found.minor;
	info->version[2] = found.micro;
	snprintf(info->accel, sizeof(info->accel), "%s", accel);
	snprintf(info->program, sizeof(info->program), "%s", found.path);
	if (strcmp(accel, "kvm") != 0)
		snprintf(info->note, sizeof(info->note),
			 "the guest's instructions are emulated: right, but slow");
	return 0;
}

int avd_machine_probe(uint32_t kind, const char *qemu, struct avd_machine_info *ret_info,
		      char *text, size_t text_size)
{
	struct avd__error error = {0};
	struct avd_machine_info info = {0};
	const int r = probe(kind, qemu, &info, &error);
	if (r < 0)
		avd__error_copy(&error, text, text_size);
	else
		*ret_info = info;
	return r;
}
