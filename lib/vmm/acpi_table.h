/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* How the ACPI tables are put down one after another; one file each writes one of them. */
#ifndef AVD_LIB_VMM_ACPI_TABLE_H
#define AVD_LIB_VMM_ACPI_TABLE_H

#include <stdbool.h>

#include "vmm/acpi.h"

#define AVD__ACPI_HEADER_SIZE 36u

struct avd__acpi_writer {
	uint8_t *memory;
	size_t len;
	bool full; /* something had no room */
};

void avd__acpi_put(struct avd__acpi_writer *writer, const void *bytes, size_t size);
void avd__acpi_put8(struct avd__acpi_writer *writer, uint8_t value);
void avd__acpi_put16(struct avd__acpi_writer *writer, uint16_t value);
void avd__acpi_put32(struct avd__acpi_writer *writer, uint32_t value);
void avd__acpi_put64(struct avd__acpi_writer *writer, uint64_t value);
/* What makes the bytes sum up to zero. */
uint8_t avd__acpi_checksum(const uint8_t *bytes, size_t size);

/* Starts a table at a multiple of 16; returns where. */
size_t avd__acpi_begin(struct avd__acpi_writer *writer, const char *signature, uint8_t revision);
/* Writes its length and checksum. */
void avd__acpi_end(struct avd__acpi_writer *writer, size_t start);

/* Each returns where its table starts. */
size_t avd__acpi_dsdt(struct avd__acpi_writer *writer);
size_t avd__acpi_fadt(struct avd__acpi_writer *writer, size_t dsdt);
size_t avd__acpi_madt(struct avd__acpi_writer *writer, const struct avd__topology *topology);
size_t avd__acpi_srat(struct avd__acpi_writer *writer, const struct avd__acpi *machine);
size_t avd__acpi_slit(struct avd__acpi_writer *writer, uint32_t nodes);

#endif
