// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/acpi_table.h"

#include <string.h>

void avd__acpi_put(struct avd__acpi_writer *writer, const void *bytes, size_t size)
{
	if (size > AVD__ACPI_SIZE - writer->len) {
		writer->full = true;
		return;
	}
	memcpy(writer->memory + writer->len, bytes, size);
	writer->len += size;
}

void avd__acpi_put8(struct avd__acpi_writer *writer, uint8_t value)
{
	avd__acpi_put(writer, &value, sizeof(value));
}

void avd__acpi_put16(struct avd__acpi_writer *writer, uint16_t value)
{
	avd__acpi_put(writer, &value, sizeof(value));
}

void avd__acpi_put32(struct avd__acpi_writer *writer, uint32_t value)
{
	avd__acpi_put(writer, &value, sizeof(value));
}

void avd__acpi_put64(struct avd__acpi_writer *writer, uint64_t value)
{
	avd__acpi_put(writer, &value, sizeof(value));
}

uint8_t avd__acpi_checksum(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;
	while (size--)
		sum = (uint8_t)(sum + *bytes++);
	return (uint8_t)-sum;
}

size_t avd__acpi_begin(struct avd__acpi_writer *writer, const char *signature, uint8_t revision)
{
	static const uint8_t zero[16];
	avd__acpi_put(writer, zero, -writer->len & 15);
	const size_t start = writer->len;
	avd__acpi_put(writer, signature, 4);
	avd__acpi_put32(writer, 0); /* length, by end() */
	avd__acpi_put8(writer, revision);
	avd__acpi_put8(writer, 0); /* checksum, by end() */
	avd__acpi_put(writer, "AVDICT", 6);
	avd__acpi_put(writer, "ATTACHVD", 8);
	avd__acpi_put32(writer, 1);
	avd__acpi_put(writer, "AVD ", 4);
	avd__acpi_put32(writer, 1);
	return start;
}

void avd__acpi_end(struct avd__acpi_writer *writer, size_t start)
{
	if (writer->full)
		return;
	const uint32_t size = (uint32_t)(writer->len - start);
	memcpy(writer->memory + start + 4, &size, sizeof(size));
	writer->memory[start + 9] = avd__acpi_checksum(writer->memory + start, size);
}
