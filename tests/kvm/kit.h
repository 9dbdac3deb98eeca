/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Machines for tiny hand-assembled guests, without interrupt chips: a halt ends them. */
#ifndef AVD_TESTS_KVM_KIT_H
#define AVD_TESTS_KVM_KIT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/vm.h"

#define KIT_MEMORY (2u << 20)
#define KIT_ENTRY 0x10000u
/* Catches hangs of the test; no test is about time. */
#define KIT_DEADLINE_MS 600000

struct kit_guest {
	struct avd__vm *vm;
	char console[65536];
	size_t console_len;
	size_t channel_len;
	uint8_t channel_sum;
};

/* Runs the suite, for main() to return; skips it with the reason where /dev/kvm does not open, or
 * where one is wanted and there is no sandbox. */
int kit_main(Suite *suite, bool sandbox);
/* avd__vm_new() with KIT_MEMORY and this many CPUs of one thread each. */
int kit_vm(const struct avd__kvm_sys *sys, uint32_t cpus, bool irqchip, struct avd__vm **ret_vm,
	   struct avd__error *error);
/* A machine with one vCPU and the code at KIT_ENTRY. */
void kit_make(struct kit_guest *guest, const void *code, size_t size);
/* Starts it there, in real mode or in long mode. */
void kit_boot_real(struct kit_guest *guest);
void kit_boot_long(struct kit_guest *guest);
/* Steps until the machine has ended; true if it did so by itself. */
bool kit_finish(struct kit_guest *guest, unsigned int deadline_ms);
size_t kit_count_entries(const char *path);

#endif
