// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/acpi_table.h"

/* AML, section 20.2. Strings, as an opcode's operands are mostly names; a break in a string ends
 * an escape. */
#define AML_NAME "\x08"
#define AML_BYTE "\x0a"
#define AML_DWORD "\x0c"
#define AML_SCOPE "\x10"
#define AML_BUFFER "\x11"
#define AML_PACKAGE "\x12"
#define AML_DEVICE "\x5b\x82"

/* Name (_S5, Package () {5, 0, 0, 0}): how to power off. */
#define SLEEP AML_NAME "_S5_" AML_PACKAGE "\x07\x04" AML_BYTE "\x05\0\0\0"
/* Name (_HID, EisaId ("PNP0501")); Name (_UID, 0) */
#define COM1_ID AML_NAME "_HID" AML_DWORD "\x41\xd0\x05\x01" AML_NAME "_UID\0"
/* Name (_CRS, ResourceTemplate () { IO (Decode16, 0x3f8, 0x3f8, 1, 8), IRQNoFlags () {4} }), which
 * is edge-triggered, active high and exclusive. */
#define COM1_PORTS "\x47\x01\xf8\x03\xf8\x03\x01\x08"
#define COM1_IRQ "\x22\x10\0"
#define END_TAG "\x79\0"
#define COM1_RESOURCES AML_NAME "_CRS" AML_BUFFER "\x10" AML_BYTE "\x0d" COM1_PORTS COM1_IRQ END_TAG

/* The namespace: COM1, without which user space's console output is lost while the kernel's own
 * works, and the sleep state that powers off. */
size_t avd__acpi_dsdt(struct avd__acpi_writer *writer)
{
	/* Scope (\_SB) { Device (COM1) { */
	static const char aml[] = SLEEP AML_SCOPE "\x33\\_SB_" AML_DEVICE "\x2b"
						  "COM1" COM1_ID COM1_RESOURCES;
	const size_t start = avd__acpi_begin(writer, "DSDT", 2);
	avd__acpi_put(writer, aml, sizeof(aml) - 1);
	avd__acpi_end(writer, start);
	return start;
}
