// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "runner/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qemu/qemu.h"
#include "runner/answer.h"
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

static int choose_kvm(const struct avd__kvm_answer *kvm, struct avd__choice *choice,
		      struct avd__error *error)
{
	if (kvm->result == -ENOTSUP)
		return avd__fail(error, ENOTSUP, "%s; use the machine qemu, which can emulate",
				 kvm->why);
	if (kvm->result < 0)
		return avd__fail(error, -kvm->result, "%s", kvm->why);
	choice->ops = &avd__vmm_ops;
	choice->kind = AVD_MACHINE_KVM;
	choice->accel = "kvm";
	return 0;
}

/* QEMU stands on the same KVM, so the one answer serves both. */
static int choose_qemu(const struct avd__kvm_answer *kvm, const char *qemu,
		       struct avd__choice *choice, struct avd__error *error)
{
	const int r = avd__qemu_ops.probe(qemu, &choice->accel, error);
	if (r < 0)
		return r;
	choice->ops = &avd__qemu_ops;
	choice->kind = AVD_MACHINE_QEMU;
	if (kvm->result == 0)
		choice->accel = "kvm";
	return 0;
}

int avd__choose(uint32_t kind, const char *qemu, const char *cache_dir, bool fresh,
		const struct avd__log *log, struct avd__choice *ret_choice,
		struct avd__error *error)
{
	struct avd__choice choice = {0};
	struct avd__kvm_answer kvm;
	struct avd__error no_kvm = {0}, no_qemu = {0};
	int r;
	if (kind > AVD_MACHINE_KVM)
		return avd__fail(error, EINVAL, "machine=%u is no enum avd_machine_kind", kind);
	avd__kvm_answer(cache_dir, fresh, log, &kvm);
	if (kind == AVD_MACHINE_AUTO && qemu) { /* who names a QEMU wants one */
		kind = AVD_MACHINE_QEMU;
		snprintf(choice.reason, sizeof(choice.reason), "a QEMU was named");
	}
	switch (kind) {
	case AVD_MACHINE_KVM:
		r = choose_kvm(&kvm, &choice, error);
		break;
	case AVD_MACHINE_QEMU:
		r = choose_qemu(&kvm, qemu, &choice, error);
		break;
	default:
		r = choose_kvm(&kvm, &choice, &no_kvm);
		if (r == 0) {
			snprintf(choice.reason, sizeof(choice.reason),
				 "auto: /dev/kvm runs what stock kernels need");
			break;
		}
		snprintf(choice.reason, sizeof(choice.reason), "auto, not kvm: %.230s", kvm.why);
		r = choose_qemu(&kvm, qemu, &choice, &no_qemu);
		if (r < 0) /* QEMU's remedy first: it is the one that can be had everywhere */
			avd__fail(error, -r, "no machine to boot in: %s (kvm: %s)", no_qemu.text,
				  kvm.why);
	}
	if (r < 0)
		return r;
	avd__log(log, AVD_LOG_INFO, "machine %s (%s)%s%s", choice.ops->name, choice.accel,
		 *choice.reason ? ": " : "", choice.reason);
	*ret_choice = choice;
	return 0;
}

static int describe_qemu(const char *qemu, struct avd_machine_info *info, struct avd__error *error)
{
	struct avd__qemu_info found = {0};
	const int r = avd__qemu_find(qemu, &found, error);
	if (r < 0)
		return r;
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

static void describe_kvm(struct avd_machine_info *info)
{
	const char *missing = avd__sandbox_missing();
	snprintf(info->sandbox, sizeof(info->sandbox), "%s", missing ? "none" : "seccomp");
	snprintf(info->note, sizeof(info->note), "%s", missing ? missing : "");
}

int avd_machine_probe(uint32_t kind, const char *qemu, struct avd_machine_info *ret_info,
		      char *text, size_t text_size)
{
	struct avd__error error = {0};
	struct avd_machine_info info = {0};
	struct avd__choice choice;
	int r = avd__choose(kind, qemu, NULL, true, NULL, &choice, &error);
	if (r == 0) {
		info.kind = choice.kind;
		snprintf(info.accel, sizeof(info.accel), "%s", choice.accel);
		if (choice.kind == AVD_MACHINE_QEMU)
			r = describe_qemu(qemu, &info, &error);
		else
			describe_kvm(&info);
	}
	if (r < 0)
		avd__error_copy(&error, text, text_size);
	else
		*ret_info = info;
	return r;
}
