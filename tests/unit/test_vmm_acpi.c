// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The ACPI tables, read back as a kernel does (ACPI specification 6.5): RSDP, XSDT, and each
 * entry of each table against the topology and the memory that were asked for.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "run_suite.h"
#include "vmm/acpi.h"
#include "vmm/boot.h"
#include "vmm/ioapic.h"
#include "vmm/numa.h"

#define MIB (UINT64_C(1) << 20)

static uint8_t memory[AVD__ACPI_SIZE];
static struct avd__topology shape;
static struct avd__acpi machine;

static uint64_t little(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;
	for (size_t i = bytes; i--;)
		value = value << 8 | at[i];
	return value;
}

static uint8_t sum(const uint8_t *at, size_t size)
{
	uint8_t total = 0;
	for (size_t i = 0; i < size; i++)
		total = (uint8_t)(total + at[i]);
	return total;
}

static const uint8_t *at_address(uint64_t address, size_t size)
{
	ck_assert_uint_ge(address, AVD__ACPI_BASE);
	ck_assert_uint_le(address + size, AVD__ACPI_BASE + AVD__ACPI_SIZE);
	return memory + (address - AVD__ACPI_BASE);
}

struct table {
	const uint8_t *bytes;
	size_t size;
};

static struct table table_at(uint64_t address)
{
	const uint8_t *bytes = at_address(address, 36);
	const size_t size = little(bytes + 4, 4);
	ck_assert_uint_eq(address % 16, 0);
	ck_assert_uint_ge(size, 36);
	at_address(address, size);
	ck_assert_uint_eq(sum(bytes, size), 0);
	return (struct table){bytes, size};
}

static uint64_t entry_of_xsdt(size_t i, size_t *ret_count)
{
	ck_assert_mem_eq(memory, "RSD PTR ", 8);
	ck_assert_uint_eq(sum(memory, 20), 0);
	ck_assert_uint_eq(sum(memory, 36), 0);
	ck_assert_uint_eq(memory[15], 2); /* revision */
	ck_assert_uint_eq(little(memory + 20, 4), 36);
	const struct table xsdt = table_at(little(memory + 24, 8));
	ck_assert_mem_eq(xsdt.bytes, "XSDT", 4);
	ck_assert_uint_eq((xsdt.size - 36) % 8, 0);
	*ret_count = (xsdt.size - 36) / 8;
	return i < *ret_count ? little(xsdt.bytes + 36 + 8 * i, 8) : 0;
}

/* The table with this signature; size 0: none. */
static struct table find(const char *signature)
{
	size_t count = 1;
	for (size_t i = 0; i < count; i++) {
		const uint64_t at = entry_of_xsdt(i, &count);
		const struct table table = table_at(at);
		if (memcmp(table.bytes, signature, 4) == 0)
			return table;
	}
	return (struct table){NULL, 0};
}

static void build(const char *text, uint64_t low, uint64_t high)
{
	struct avd__error error = {0};
	ck_assert_msg(avd__topology_parse(text, &shape, &error) == 0, "%s", error.text);
	machine = (struct avd__acpi){.topology = &shape, .low_bytes = low, .high_bytes = high};
	memset(memory, 0, sizeof(memory));
	ck_assert_int_eq(avd__acpi_build(memory, &machine), 0);
}

static uint32_t node_of(uint32_t cpu, uint32_t *ret_apic_id)
{
	struct avd__topology_cpu place;
	avd__topology_cpu(&shape, cpu, &place);
	*ret_apic_id = place.apic_id;
	return place.node;
}

/* Sections 5.2.12.2, .3 and .12. */
static void check_madt(void)
{
	const struct table madt = find("APIC");
	uint32_t cpus = 0, ioapics = 0, apic_id;
	ck_assert_uint_gt(madt.size, 44);
	ck_assert_uint_eq(little(madt.bytes + 36, 4), 0xfee00000);
	for (size_t at = 44; at < madt.size; at += madt.bytes[at + 1]) {
		const uint8_t *entry = madt.bytes + at;
		ck_assert_uint_le(at + 2, madt.size);
		ck_assert_uint_le(at + entry[1], madt.size);
		if (entry[0] == 1) {
			ck_assert_uint_eq(entry[1], 12);
			ck_assert_uint_eq(little(entry + 4, 4), AVD__IOAPIC_BASE);
			ck_assert_uint_eq(little(entry + 8, 4), AVD__IOAPIC_FIRST);
			ioapics++;
			continue;
		}
		ck_assert_uint_lt(cpus, shape.cpus);
		node_of(cpus, &apic_id);
		if (entry[0] == 0) {
			ck_assert_uint_eq(entry[1], 8);
			ck_assert_uint_eq(entry[2], cpus);
			ck_assert_uint_eq(entry[3], apic_id);
			ck_assert_uint_ne(entry[3], 255);
			ck_assert_uint_eq(little(entry + 4, 4), 1);
		} else {
			ck_assert_uint_eq(entry[0], 9);
			ck_assert_uint_eq(entry[1], 16);
			ck_assert_uint_eq(little(entry + 4, 4), apic_id);
			ck_assert_uint_gt(apic_id, 254);
			ck_assert_uint_eq(little(entry + 8, 4), 1);
			ck_assert_uint_eq(little(entry + 12, 4), cpus);
		}
		cpus++;
	}
	ck_assert_uint_eq(cpus, shape.cpus);
	ck_assert_uint_eq(ioapics, 1);
}

struct piece {
	uint64_t start, size;
	uint32_t node;
};

/* Sections 5.2.16.1 to .3: fills the pieces of memory, returns how many. */
static size_t check_srat(struct piece *pieces, size_t room)
{
	const struct table srat = find("SRAT");
	uint32_t cpus = 0, apic_id;
	size_t count = 0;
	ck_assert_uint_gt(srat.size, 48);
	ck_assert_uint_eq(little(srat.bytes + 36, 4), 1);
	for (size_t at = 48; at < srat.size; at += srat.bytes[at + 1]) {
		const uint8_t *entry = srat.bytes + at;
		ck_assert_uint_le(at + entry[1], srat.size);
		if (entry[0] == 1) {
			ck_assert_uint_eq(entry[1], 40);
			ck_assert_uint_eq(little(entry + 28, 4), 1);
			ck_assert_uint_lt(count, room);
			pieces[count++] =
				(struct piece){little(entry + 8, 8), little(entry + 16, 8),
					       (uint32_t)little(entry + 2, 4)};
			continue;
		}
		ck_assert_uint_lt(cpus, shape.cpus);
		const uint32_t node = node_of(cpus++, &apic_id);
		if (entry[0] == 0) {
			ck_assert_uint_eq(entry[1], 16);
			ck_assert_uint_ne(entry[3], 255);
			ck_assert_uint_eq(entry[2] | little(entry + 9, 3) << 8, node);
			ck_assert_uint_eq(entry[3], apic_id);
			ck_assert_uint_eq(little(entry + 4, 4), 1);
		} else {
			ck_assert_uint_eq(entry[0], 2);
			ck_assert_uint_eq(entry[1], 24);
			ck_assert_uint_eq(little(entry + 4, 4), node);
			ck_assert_uint_eq(little(entry + 8, 4), apic_id);
			ck_assert_uint_eq(little(entry + 12, 4), 1);
		}
	}
	ck_assert_uint_eq(cpus, shape.cpus);
	return count;
}

/* Together they are the RAM, in order, without overlap; borders are where Linux wants them. */
static void check_memory(const struct piece *pieces, size_t count)
{
	const uint64_t share = (machine.low_bytes + machine.high_bytes) / shape.nodes;
	const uint64_t unit = share < 128 * MIB ? 4 * MIB : 128 * MIB;
	uint64_t at = 0, node_bytes[AVD__TOPOLOGY_NODES_MAX] = {0};
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_gt(pieces[i].size, 0);
		if (at == machine.low_bytes)
			at = UINT64_C(1) << 32;
		ck_assert_uint_eq(pieces[i].start, at);
		ck_assert(i == 0 || pieces[i].node == pieces[i - 1].node ||
			  pieces[i].node == pieces[i - 1].node + 1);
		ck_assert(i == 0 || pieces[i].node == pieces[i - 1].node || at % unit == 0);
		ck_assert_uint_lt(pieces[i].node, shape.nodes);
		node_bytes[pieces[i].node] += pieces[i].size;
		at += pieces[i].size;
		ck_assert(at <= machine.low_bytes || at > UINT64_C(1) << 32);
	}
	ck_assert_uint_eq(at, machine.high_bytes ? (UINT64_C(1) << 32) + machine.high_bytes
						 : machine.low_bytes);
	for (uint32_t node = 0; node < shape.nodes; node++) {
		ck_assert_uint_gt(node_bytes[node] + unit, share);
		ck_assert_uint_lt(node_bytes[node], share + shape.nodes * unit);
	}
}

static void check_slit(void)
{
	const struct table slit = find("SLIT");
	const uint32_t nodes = shape.nodes;
	ck_assert_uint_eq(slit.size, 44 + nodes * nodes);
	ck_assert_uint_eq(little(slit.bytes + 36, 8), nodes);
	for (uint32_t i = 0; i < nodes * nodes; i++)
		ck_assert_uint_eq(slit.bytes[44 + i], i / nodes == i % nodes ? 10 : 20);
}

static const struct {
	uint64_t low, high;
} sizes[] = {{512 * MIB, 0},	       {500 * MIB, 0},		 {3072 * MIB, 0},
	     {3072 * MIB, 1024 * MIB}, {3072 * MIB, 6144 * MIB}, {3072 * MIB, 5 * MIB}};

static void check_shape(const char *text)
{
	struct piece pieces[AVD__TOPOLOGY_NODES_MAX + 2];
	for (size_t i = 0; i < AVD__ARRAY_SIZE(sizes); i++) {
		build(text, sizes[i].low, sizes[i].high);
		check_madt();
		if (shape.nodes > 1) {
			check_memory(pieces, check_srat(pieces, AVD__ARRAY_SIZE(pieces)));
			check_slit();
		} else { /* one node is what a kernel takes it for without them */
			ck_assert_uint_eq(find("SRAT").size, 0);
			ck_assert_uint_eq(find("SLIT").size, 0);
		}
	}
}

START_TEST(each_entry_is_what_was_asked_for)
{
	static const char *const odd[] = {"1n252l1c1t", "16n16l1c2t", "2n4l1+2+3+4c1t", "3n3l2c1t",
					  "4n4l1+1+1+64c1t" /* has the id 255 */};
	const char *name, *text;
	for (size_t i = 0; (name = avd__topology_preset(i, &text)); i++)
		check_shape(name);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(odd); i++)
		check_shape(odd[i]);
}
END_TEST

START_TEST(ids_above_254_have_entries_of_their_own)
{
	build("2n14l9c2t", 512 * MIB, 0);
	ck_assert_uint_gt(avd__topology_max_apic_id(&shape), 254);
	const struct table madt = find("APIC");
	uint32_t kinds[16] = {0};
	for (size_t at = 44; at < madt.size; at += madt.bytes[at + 1])
		kinds[madt.bytes[at] & 15]++;
	ck_assert_uint_gt(kinds[0], 0);
	ck_assert_uint_gt(kinds[9], 0);
	ck_assert_uint_eq(kinds[0] + kinds[9], 252);
}
END_TEST

START_TEST(the_fadt_is_hardware_reduced)
{
	build("2", 512 * MIB, 0);
	const struct table fadt = find("FACP");
	ck_assert_uint_eq(fadt.size, 276);
	const struct table dsdt = table_at(little(fadt.bytes + 140, 8));
	ck_assert_mem_eq(dsdt.bytes, "DSDT", 4);
	ck_assert_uint_eq(little(fadt.bytes + 40, 4), little(fadt.bytes + 140, 8));
	ck_assert_uint_eq(little(fadt.bytes + 112, 4) >> 20 & 1, 1);
	ck_assert_uint_eq(little(fadt.bytes + 244 + 4, 8), AVD__ACPI_SLEEP_PORT);
	ck_assert_uint_eq(little(fadt.bytes + 256 + 4, 8), AVD__ACPI_SLEEP_STATUS_PORT);
}
END_TEST

START_TEST(the_largest_machine_leaves_room)
{
	/* The longest MADT and SRAT: every id above 254 that there can be. */
	build("14n14l9c2t", 3072 * MIB, 6144 * MIB);
	size_t used = 0;
	for (size_t i = 0; i < sizeof(memory); i++)
		used = memory[i] ? i : used;
	ck_assert_uint_lt(used, AVD__ACPI_SIZE / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-acpi");
	TCase *tc = tcase_create("vmm-acpi");
	tcase_add_test(tc, each_entry_is_what_was_asked_for);
	tcase_add_test(tc, ids_above_254_have_entries_of_their_own);
	tcase_add_test(tc, the_fadt_is_hardware_reduced);
	tcase_add_test(tc, the_largest_machine_leaves_room);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
