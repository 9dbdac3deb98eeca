/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The window: a ring of bytes in memory that guest and host share. What the guest has put
 * there is the host's at once, even if the guest vanishes in the next instruction.
 *
 * The host takes every word in it for hostile: it keeps its own position, reads the
 * guest's once, checks it, and copies bytes out before anything looks at them.
 * Single producer (the guest's init), single consumer (the machine's step).
 */
#ifndef AVD_LIB_CODEC_WINDOW_H
#define AVD_LIB_CODEC_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "AVDwind1", little-endian. */
#define AVD__WINDOW_MAGIC UINT64_C(0x31646e6977445641)
/* 4 MiB of ring: four of the largest frames, so that a burst seldom waits for the host. With
 * the head it fits a PCI BAR, whose size is a power of two. */
#define AVD__WINDOW_SIZE (8u << 20)
#define AVD__WINDOW_DATA_AT 4096u
#define AVD__WINDOW_DATA_SIZE (4u << 20)

/* Where the KVM machine has it: in the hole for devices below 4 GiB. */
#define AVD__WINDOW_ADDRESS 0xd0000000u
/* An I/O port of the KVM machine: what is written there, any byte, says "look at the window". */
#define AVD__WINDOW_DOORBELL_PORT 0x620u
/* The PCI device through which the QEMU machine shows it: ivshmem, its second region. It is a
 * function of a slot that has no function 0, where neither firmware nor a kernel looks for one
 * (drivers/pci/probe.c: pci_scan_slot()), not even when it scans again: what the kernel knows of,
 * any root user of the guest could map, read and write. So the guest's init finds it by itself,
 * and gives it its address: above all memory below 4 GiB (QEMU's pc ends it at 3.5 GiB), below the
 * IO-APIC, where the machine has nothing else. */
#define AVD__WINDOW_PCI_VENDOR 0x1af4u
#define AVD__WINDOW_PCI_DEVICE 0x1110u
#define AVD__WINDOW_PCI_REGION 2
#define AVD__WINDOW_PCI_SLOT 0x10u
#define AVD__WINDOW_PCI_FUNCTION 1u
#define AVD__WINDOW_PCI_ADDRESS 0xf0000000u
/* The QEMU machine's doorbell: this byte on the second UART, where a frame never starts
 * with it. Other bytes there mean that the guest fell back to the serial carrier. */
#define AVD__WINDOW_DOORBELL_BYTE 0x07u

struct avd__window_head {
	_Alignas(64) uint64_t magic; /* host, once */
	uint32_t data_at, data_size;
	/* Each on a cache line of its own: guest and host write at the same time. */
	_Alignas(64) _Atomic uint64_t put; /* bytes the guest has put, ever */
	_Alignas(64) _Atomic uint64_t taken; /* bytes the host has taken, ever */
};

/* The host's end: `taken` is its own; the one in memory is only what the guest sees of it. */
struct avd__window {
	uint8_t *memory; /* AVD__WINDOW_SIZE bytes */
	uint64_t taken;
	bool broken; /* the guest's position made no sense; nothing is taken any more */
};

/* What the end of a machine says whose window is broken. */
#define AVD__WINDOW_BROKEN "the guest broke the window's positions"

void avd__window_format(struct avd__window *window, uint8_t *memory);
/* Copies up to `size` (not 0) new bytes out; returns how many. Once ->broken is set the guest broke
 * the window: the owner stops the machine. The last byte that came then is none of the guest's
 * and starts no frame, so that the stream does not look whole. */
size_t avd__window_take(struct avd__window *window, void *bytes, size_t size);

/* The guest's end: true if the memory is a window. */
bool avd__window_check(const uint8_t *memory);
/* Copies as many of the bytes in as there is room for; returns how many. */
size_t avd__window_put(uint8_t *memory, const void *bytes, size_t size);

#endif
