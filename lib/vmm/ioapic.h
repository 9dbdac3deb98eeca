/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * An IO-APIC, as much of it as a stock kernel needs for COM1. It stands here and not in KVM,
 * because KVM's own can't reach APIC ids above 254, and hosts may be built without it.
 * No line of this machine is level-triggered, so there is no end of an interrupt to wait for.
 * Source: Intel 82093AA data sheet; drivers: arch/x86/kernel/apic/io_apic.c of Linux.
 */
#ifndef AVD_LIB_VMM_IOAPIC_H
#define AVD_LIB_VMM_IOAPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AVD__IOAPIC_BASE 0xfec00000u
#define AVD__IOAPIC_BYTES 0x20u /* the index and the data register */
/* COM1's line alone: kernels walk through all pins several times as they start, and each access is
 * an exit (20 a pin, seen on 7.3). Pin 0 is the interrupt AVD__IOAPIC_FIRST: so says the
 * MADT.
 */
#define AVD__IOAPIC_FIRST 4u
#define AVD__IOAPIC_PINS 1u

/* The whole state, plain data: it can be copied, saved and restored. */
struct avd__ioapic_state {
	uint32_t id, index;
	uint32_t lines; /* as last driven; bit N: pin N */
	uint64_t pins[AVD__IOAPIC_PINS]; /* redirection table; avd__ioapic_reset() */
};

struct avd__ioapic {
	struct avd__ioapic_state state;
	void *userdata;
	/* An interrupt, as a message: address and data have the layout of KVM_SIGNAL_MSI, bits 31:8
	 * of the destination's APIC id in the address's upper half. */
	void (*deliver)(void *userdata, uint64_t address, uint32_t data);
};

/* As after power-on: every pin masked. */
void avd__ioapic_reset(struct avd__ioapic *ioapic);
/* A register is 32 bits wide; `offset` from AVD__IOAPIC_BASE. */
void avd__ioapic_write(struct avd__ioapic *ioapic, uint32_t offset, uint32_t value);
uint32_t avd__ioapic_read(const struct avd__ioapic *ioapic, uint32_t offset);
/* Drives a line; its rise is the interrupt. pin < AVD__IOAPIC_PINS */
void avd__ioapic_line(struct avd__ioapic *ioapic, uint32_t pin, bool level);

#endif
