// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/acpi.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_SIZE 36u
#define FADT_SIZE 276u /* revision 6 */

struct writer {
	uint8_t *memory;
	size_t len;
	bool full;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
	if (size > AVD__ACPI_SIZE - writer->len) {
		writer->full = true;
		return;
	}
	memcpy(writer->memory + writer->len, bytes, size);
	writer->len += size;
}

static void put8(struct writer *writer, uint8_t value)
{
	put(writer, &value, sizeof(value));
}

static void put16(struct writer *writer, uint16_t value)
{
	put(writer, &value, sizeof(value));
}

static void put32(struct writer *writer, uint32_t value)
{
	put(writer, &value, sizeof(value));
}

static void put64(struct writer *writer, uint64_t value)
{
	put(writer, &value, sizeof(value));
}

static uint8_t checksum(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;
	while (size--)
		sum = (uint8_t)(sum + *bytes++);
	return (uint8_t)-sum;
}

/* Starts a table at a multiple of 16; returns where. */
static size_t begin(struct writer *writer, const char *signature, uint8_t revision)
{
	static const uint8_t zero[16];
	put(writer, zero, -writer->len & 15);
	const size_t start = writer->len;
	put(writer, signature, 4);
	put32(writer, 0); /* length, by end() */
	put8(writer, revision);
	put8(writer, 0); /* checksum, by end() */
	put(writer, "AVDICT", 6);
	put(writer, "ATTACHVD", 8);
	put32(writer, 1);
	put(writer, "AVD ", 4);
	put32(writer, 1);
	return start;
}

static void end(struct writer *writer, size_t start)
{
	if (writer->full)
		return;
	const uint32_t size = (uint32_t)(writer->len - start);
	memcpy(writer->memory + start + 4, &size, sizeof(size));
	writer->memory[start + 9] = checksum(writer->memory + start, size);
}

/* The namespace: COM1, without which user space's console output is lost while the
 * kernel's own works, and the sleep state that powers off. AML, section 20.2. */
static size_t write_dsdt(struct writer *writer)
{
	static const uint8_t aml[] = {
		/* Name (_S5, Package () {5, 0, 0, 0}) */
		0x08,
		'_',
		'S',
		'5',
		'_',
		0x12,
		0x07,
		0x04,
		0x0a,
		0x05,
		0x00,
		0x00,
		0x00,
		/* Scope (\_SB) { Device (COM1) { */
		0x10,
		0x33,
		'\\',
		'_',
		'S',
		'B',
		'_',
		0x5b,
		0x82,
		0x2b,
		'C',
		'O',
		'M',
		'1',
		/* Name (_HID, EisaId ("PNP0501")) */
		0x08,
		'_',
		'H',
		'I',
		'D',
		0x0c,
		0x41,
		0xd0,
		0x05,
		0x01,
		/* Name (_UID, 0) */
		0x08,
		'_',
		'U',
		'I',
		'D',
		0x00,
		/* Name (_CRS, ResourceTemplate () { IO (Decode16, 0x3f8, 0x3f8, 1, 8),
		 * IRQ (Edge, ActiveHigh, Exclusive) {4} }) */
		0x08,
		'_',
		'C',
		'R',
		'S',
		0x11,
		0x10,
		0x0a,
		0x0d,
		0x47,
		0x01,
		0xf8,
		0x03,
		0xf8,
		0x03,
		0x01,
		0x08,
		0x22,
		0x10,
		0x00,
		0x79,
		0x00,
	};
	const size_t start = begin(writer, "DSDT", 2);
	put(writer, aml, sizeof(aml));
	end(writer, start);
	return start;
}

/* A generic address structure for a byte-wide I/O port. */
static void port_address(uint8_t *at, uint64_t port)
{
	at[0] = 1; /* system I/O */
	at[1] = 8; /* bits */
	at[2] = 0;
	at[3] = 1; /* byte access */
	memcpy(at + 4, &port, sizeof(port));
}

static size_t write_fadt(struct writer *writer, size_t dsdt)
{
	/* Offsets of section 5.2.9; everything that is not written is zero. */
	const size_t start = begin(writer, "FACP", 6);
	uint8_t body[FADT_SIZE] = {0};
	const uint32_t dsdt32 = (uint32_t)(AVD__ACPI_BASE + dsdt);
	const uint64_t dsdt64 = dsdt32;
	memcpy(body + 40, &dsdt32, sizeof(dsdt32));
	/* IAPC_BOOT_ARCH: no VGA, no MSI, no CMOS RTC (reading one that isn't there costs
	 * 20,000 exits); bit 1 clear: no 8042 to probe for. */
	const uint16_t boot_arch = 1u << 2 | 1u << 3 | 1u << 5;
	memcpy(body + 109, &boot_arch, sizeof(boot_arch));
	/* WBINVD, reset register, hardware-reduced. */
	const uint32_t flags = 1u << 0 | 1u << 10 | 1u << 20;
	memcpy(body + 112, &flags, sizeof(flags));
	port_address(body + 116, 0x64); /* RESET_REG: the keyboard controller's */
	body[128] = 0xfe; /* RESET_VALUE */
	body[131] = 5; /* minor revision */
	memcpy(body + 140, &dsdt64, sizeof(dsdt64));
	port_address(body + 244, AVD__ACPI_SLEEP_PORT);
	port_address(body + 256, AVD__ACPI_SLEEP_STATUS_PORT);
	put(writer, body + HEADER_SIZE, sizeof(body) - HEADER_SIZE);
	end(writer, start);
	return start;
}

static size_t write_madt(struct writer *writer, const uint32_t *apic_ids, uint32_t cpus)
{
	const size_t start = begin(writer, "APIC", 5);
	put32(writer, AVD__LAPIC_BASE);
	put32(writer, 0); /* no 8259 */
	for (uint32_t i = 0; i < cpus; i++) {
		if (apic_ids[i] < 255) {
			put8(writer, 0); /* local APIC */
			put8(writer, 8);
			put8(writer, (uint8_t)i);
			put8(writer, (uint8_t)apic_ids[i]);
			put32(writer, 1); /* enabled */
		} else {
			put8(writer, 9); /* local x2APIC */
			put8(writer, 16);
			put16(writer, 0);
			put32(writer, apic_ids[i]);
			put32(writer, 1);
			put32(writer, i);
		}
	}
	put8(writer, 1); /* IO-APIC */
	put8(writer, 12);
	put8(writer, 0);
	put8(writer, 0);
	put32(writer, AVD__IOAPIC_BASE);
	put32(writer, 0);
	end(writer, start);
	return start;
}

int avd__acpi_build(uint8_t *memory, const uint32_t *apic_ids, uint32_t cpus)
{
	struct writer writer = {.memory = memory, .len = 64}; /* the RSDP's place */
	const size_t dsdt = write_dsdt(&writer);
	const size_t fadt = write_fadt(&writer, dsdt);
	const size_t madt = write_madt(&writer, apic_ids, cpus);
	const size_t xsdt = begin(&writer, "XSDT", 1);
	put64(&writer, AVD__ACPI_BASE + fadt);
	put64(&writer, AVD__ACPI_BASE + madt);
	end(&writer, xsdt);
	if (writer.full)
		return -ENOSPC;
	/* Section 5.2.5.3. */
	struct writer rsdp = {.memory = memory};
	put(&rsdp, "RSD PTR ", 8);
	put8(&rsdp, 0);
	put(&rsdp, "AVDICT", 6);
	put8(&rsdp, 2);
	put32(&rsdp, 0); /* no RSDT */
	put32(&rsdp, 36);
	put64(&rsdp, AVD__ACPI_BASE + xsdt);
	put32(&rsdp, 0);
	memory[8] = checksum(memory, 20);
	memory[32] = checksum(memory, 36);
	return 0;
}
