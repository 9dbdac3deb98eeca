// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Which machine a cell gets. */
#include <attachverdict/machine.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cell/internal.h"
#include "qemu/qemu.h"
#include "vmm/vmm.h"

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

int avd__cell_choose_machine(uint32_t kind, const char *qemu,
			     const struct avd__machine_ops **ret_machine, const char **ret_accel,
			     struct avd__error *error)
{
	/* In the order of preference. */
	static const struct {
		uint32_t kind;
		const struct avd__machine_ops *ops;
	} machines[] = {{AVD_MACHINE_KVM, &avd__vmm_ops}, {AVD_MACHINE_QEMU, &avd__qemu_ops}};
	struct avd__error errors[AVD__ARRAY_SIZE(machines)] = {0};
	int r = -EINVAL;
	if (kind == AVD_MACHINE_AUTO && qemu) /* who names a QEMU wants one */
		kind = AVD_MACHINE_QEMU;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(machines); i++) {
		if (kind != AVD_MACHINE_AUTO && kind != machines[i].kind)
			continue;
		r = machines[i].ops->probe(qemu, ret_accel, &errors[i]);
		if (r == 0) {
			*ret_machine = machines[i].ops;
			return 0;
		}
		if (kind != AVD_MACHINE_AUTO) {
			*error = errors[i];
			return r;
		}
	}
	if (kind != AVD_MACHINE_AUTO)
		return avd__fail(error, EINVAL, "machine=%u is no enum avd_machine_kind", kind);
	/* The last one's remedy first: it is the one that can be had everywhere. */
	return avd__fail(error, -r, "no machine to boot in: %s (kvm: %s)", errors[1].text,
			 errors[0].text);
}

static int describe_qemu(const char *qemu, struct avd_machine_info *info, struct avd__error *error)
{
	struct avd__qemu_info found = {0};
	const int r = avd__qemu_find(qemu, &found, error);
	if (r < 0)
		return r;
	info->kind = AVD_MACHINE_QEMU;
	snprintf(info->sandbox, sizeof(info->sandbox), "%s", found.sandbox ? "seccomp" : "none");
	info->version[0] = found.major;
	info->version[1] = found.minor;
	info->version[2] = found.micro;
	snprintf(info->program, sizeof(info->program), "%s", found.path);
	if (strcmp(info->accel, "kvm") != 0)
		snprintf(info->note, sizeof(info->note), "emulation, right but slow%s",
			 found.major < AVD__QEMU_MTTCG_SOUND_SINCE
				 ? "; one thread for all CPUs, because more crash guests before "
				   "QEMU 10"
				 : "");
	return 0;
}

static int probe(uint32_t kind, const char *qemu, struct avd_machine_info *info,
		 struct avd__error *error)
{
	const struct avd__machine_ops *ops = NULL;
	const char *accel = "";
	const int r = avd__cell_choose_machine(kind, qemu, &ops, &accel, error);
	if (r < 0)
		return r;
	snprintf(info->accel, sizeof(info->accel), "%s", accel);
	if (ops == &avd__qemu_ops)
		return describe_qemu(qemu, info, error);
	const char *missing = avd__sandbox_missing();
	info->kind = AVD_MACHINE_KVM;
	snprintf(info->sandbox, sizeof(info->sandbox), "%s", missing ? "none" : "seccomp");
	snprintf(info->note, sizeof(info->note), "%s", missing ? missing : "");
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
