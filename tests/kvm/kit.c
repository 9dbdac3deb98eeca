// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "kit.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/run_suite.h"
#include "vmm/boot.h"
#include "vmm/vmm.h"

#define SKIP 77

static bool has_kvm(void)
{
	const int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("skipped: cannot open /dev/kvm: %s\n", strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

static bool has_sandbox(void)
{
	const char *missing = avd__sandbox_missing();
	if (missing)
		printf("skipped: no sandbox: %s\n", missing);
	return !missing;
}

int kit_main(Suite *suite, bool sandbox)
{
	if ((!sandbox || has_sandbox()) && has_kvm())
		return run_suite(suite);
	srunner_free(srunner_create(suite));
	return SKIP;
}

static void take(struct kit_guest *guest)
{
	static uint8_t bytes[4096];
	size_t n;
	while ((n = avd__outbox_take(&guest->vm->console_box, bytes, sizeof(bytes))) > 0) {
		const size_t room = sizeof(guest->console) - 1 - guest->console_len;
		memcpy(guest->console + guest->console_len, bytes, n < room ? n : room);
		guest->console_len += n < room ? n : room;
	}
	while ((n = avd__outbox_take(&guest->vm->channel_box, bytes, sizeof(bytes))) > 0) {
		for (size_t i = 0; i < n; i++)
			guest->channel_sum = (uint8_t)(guest->channel_sum + bytes[i]);
		guest->channel_len += n;
	}
}

/* Steps until the machine has ended; true if it did so by itself. */
bool kit_finish(struct kit_guest *guest, unsigned int deadline_ms)
{
	struct avd__vm *vm = guest->vm;
	const uint64_t end = avd__now_ns() + deadline_ms * UINT64_C(1000000);
	bool in_time = true;
	while (atomic_load(&vm->running)) {
		struct pollfd polled = {.fd = vm->event_fd, .events = POLLIN};
		poll(&polled, 1, 20);
		uint64_t count;
		if (read(vm->event_fd, &count, sizeof(count)) < 0)
			ck_assert_int_eq(errno, EAGAIN);
		avd__vm_reap(vm);
		take(guest);
		if (in_time && avd__now_ns() > end) {
			in_time = false;
			avd__vm_stop(vm, AVD_END_WATCHDOG, "");
		}
	}
	avd__vm_join(vm);
	take(guest);
	return in_time;
}

int kit_vm(const struct avd__kvm_sys *sys, uint32_t cpus, bool irqchip, struct avd__vm **ret_vm,
	   struct avd__error *error)
{
	struct avd__topology shape;
	avd__topology_flat(cpus, &shape);
	return avd__vm_new(sys, KIT_MEMORY, &shape, irqchip, ret_vm, error);
}

void kit_make(struct kit_guest *guest, const void *code, size_t size)
{
	struct avd__error error = {0};
	memset(guest, 0, sizeof(*guest));
	const int r = kit_vm(&avd__kvm_system, 1, false, &guest->vm, &error);
	ck_assert_msg(r == 0, "%s", error.text);
	memcpy(guest->vm->memory + KIT_ENTRY, code, size);
}

void kit_boot_real(struct kit_guest *guest)
{
	struct kvm_sregs sregs;
	const int fd = guest->vm->vcpus[0].fd;
	struct avd__error error = {0};
	ck_assert_int_ge(AVD__KVM_IOCTL(&avd__kvm_system, fd, KVM_GET_SREGS, &sregs, &error), 0);
	sregs.cs.base = KIT_ENTRY;
	sregs.cs.selector = KIT_ENTRY >> 4;
	sregs.ds = sregs.es = sregs.ss = sregs.cs;
	sregs.ds.type = sregs.es.type = sregs.ss.type = 3;
	struct kvm_regs regs = {.rip = 0, .rsp = 0x8000, .rflags = 2};
	ck_assert_int_ge(AVD__KVM_IOCTL(&avd__kvm_system, fd, KVM_SET_SREGS, &sregs, &error), 0);
	ck_assert_int_ge(AVD__KVM_IOCTL(&avd__kvm_system, fd, KVM_SET_REGS, &regs, &error), 0);
	ck_assert_int_eq(avd__vm_start(guest->vm, &error), 0);
}

void kit_boot_long(struct kit_guest *guest)
{
	struct avd__error error = {0};
	avd__boot_tables(guest->vm->memory);
	ck_assert_int_eq(avd__vm_set_boot(guest->vm, KIT_ENTRY, &error), 0);
	ck_assert_int_eq(avd__vm_start(guest->vm, &error), 0);
}

size_t kit_count_entries(const char *path)
{
	size_t count = 0;
	DIR *dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}
