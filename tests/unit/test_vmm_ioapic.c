// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The IO-APIC by its registers (Intel 82093AA data sheet) and on the machine's bus. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "run_suite.h"
#include "vmm/vm.h"

#define PIN (AVD__IOAPIC_PINS - 1)

struct record {
	uint64_t address;
	uint32_t data;
	int count;
};

static void deliver(void *userdata, uint64_t address, uint32_t data)
{
	struct record *record = userdata;
	record->address = address;
	record->data = data;
	record->count++;
}

static void put(struct avd__ioapic *ioapic, uint32_t index, uint32_t value)
{
	avd__ioapic_write(ioapic, 0x00, index);
	avd__ioapic_write(ioapic, 0x10, value);
}

static uint32_t get(struct avd__ioapic *ioapic, uint32_t index)
{
	avd__ioapic_write(ioapic, 0x00, index);
	ck_assert_uint_eq(avd__ioapic_read(ioapic, 0x00), index);
	return avd__ioapic_read(ioapic, 0x10);
}

static void make(struct avd__ioapic *ioapic, struct record *record)
{
	*record = (struct record){.count = 0};
	*ioapic = (struct avd__ioapic){.userdata = record, .deliver = deliver};
	avd__ioapic_reset(ioapic);
}

START_TEST(registers_read_as_the_chip_has_them)
{
	struct avd__ioapic ioapic;
	struct record record;
	make(&ioapic, &record);
	ck_assert_uint_eq(get(&ioapic, 1) & 0xff, 0x11);
	ck_assert_uint_eq((get(&ioapic, 1) >> 16 & 0xff) + 1, AVD__IOAPIC_PINS);
	put(&ioapic, 0, 0xffffffff);
	ck_assert_uint_eq(get(&ioapic, 0), 0x0f000000);
	for (uint32_t pin = 0; pin < AVD__IOAPIC_PINS; pin++) {
		ck_assert_uint_eq(get(&ioapic, 0x10 + 2 * pin), 0x10000); /* masked */
		put(&ioapic, 0x10 + 2 * pin, 0xffffffff);
		put(&ioapic, 0x11 + 2 * pin, 0xffffffff);
		ck_assert_uint_eq(get(&ioapic, 0x10 + 2 * pin), 0x1afff); /* 12 and 14: read-only */
		ck_assert_uint_eq(get(&ioapic, 0x11 + 2 * pin), 0xfffe0000);
	}
	ck_assert_int_eq(record.count, 0);
}
END_TEST

/* Whatever a hostile guest selects, nothing else is written. */
START_TEST(no_index_leads_elsewhere)
{
	struct avd__ioapic ioapic;
	struct record record;
	make(&ioapic, &record);
	const struct avd__ioapic_state before = ioapic.state;
	for (uint32_t index = 0; index < 0x400; index++) {
		if ((index & 0xff) == 0 || ((index & 0xff) - 0x10) / 2 < AVD__IOAPIC_PINS)
			continue;
		put(&ioapic, index, 0xffffffff);
		avd__ioapic_read(&ioapic, 0x10);
		ioapic.state.index = 0;
		ck_assert_mem_eq(&ioapic.state, &before, sizeof(before));
	}
	for (uint32_t offset = 0; offset < AVD__IOAPIC_BYTES; offset++) {
		if (offset == 0x00 || offset == 0x10)
			continue;
		avd__ioapic_write(&ioapic, offset, 0xffffffff);
		ck_assert_uint_eq(avd__ioapic_read(&ioapic, offset), 0);
		ck_assert_mem_eq(&ioapic.state, &before, sizeof(before));
	}
}
END_TEST

START_TEST(a_rising_line_is_one_message)
{
	struct avd__ioapic ioapic;
	struct record record;
	make(&ioapic, &record);
	avd__ioapic_line(&ioapic, PIN, true); /* masked: lost */
	avd__ioapic_line(&ioapic, PIN, false);
	put(&ioapic, 0x11 + 2 * PIN, 0x0f000000);
	put(&ioapic, 0x10 + 2 * PIN,
	    0x00000131); /* vector 0x31, lowest priority, physical, unmasked */
	ck_assert_int_eq(record.count, 0);
	avd__ioapic_line(&ioapic, PIN, true);
	avd__ioapic_line(&ioapic, PIN, true);
	ck_assert_int_eq(record.count, 1);
	ck_assert_uint_eq(record.address, 0xfee0f000);
	ck_assert_uint_eq(record.data, 0x131);
	avd__ioapic_line(&ioapic, PIN, false);
	ck_assert_int_eq(record.count, 1);
	put(&ioapic, 0x10 + 2 * PIN, 0x00000831); /* logical */
	avd__ioapic_line(&ioapic, PIN, true);
	ck_assert_int_eq(record.count, 2);
	ck_assert_uint_eq(record.address, 0xfee0f004);
	ck_assert_uint_eq(record.data, 0x31);
}
END_TEST

/* CPU 433 = 0x1b1: bits 7:0 in 63:56, bits 14:8 in 55:49, as KVM_FEATURE_MSI_EXT_DEST_ID has it. */
START_TEST(destinations_have_fifteen_bits)
{
	struct avd__ioapic ioapic;
	struct record record;
	make(&ioapic, &record);
	put(&ioapic, 0x11 + 2 * PIN, 0xb1000000 | 1u << 17);
	put(&ioapic, 0x10 + 2 * PIN, 0x41);
	avd__ioapic_line(&ioapic, PIN, true);
	ck_assert_int_eq(record.count, 1);
	ck_assert_uint_eq(record.address, UINT64_C(0x100feeb1000));
}
END_TEST

START_TEST(it_stands_at_its_address_only)
{
	static struct avd__vm vm;
	struct record record;
	uint8_t bytes[8];
	const uint32_t version = 1;
	memset(&vm, 0, sizeof(vm));
	pthread_mutex_init(&vm.device_lock, NULL);
	make(&vm.ioapic, &record);
	avd__vm_mmio_write(&vm, AVD__IOAPIC_BASE, 4, (const uint8_t *)&version);
	avd__vm_mmio_read(&vm, AVD__IOAPIC_BASE + 0x10, 4, bytes);
	ck_assert_uint_eq(bytes[0], 0x11);
	for (uint32_t width = 1; width <= 8; width *= 2) {
		static const uint64_t elsewhere[] = {0, AVD__IOAPIC_BASE - 4,
						     AVD__IOAPIC_BASE + AVD__IOAPIC_BYTES,
						     UINT64_C(0x1fec00000), UINT64_MAX};
		for (size_t i = 0; i < AVD__ARRAY_SIZE(elsewhere); i++) {
			memset(bytes, 0, sizeof(bytes));
			avd__vm_mmio_write(&vm, elsewhere[i], width, bytes);
			avd__vm_mmio_read(&vm, elsewhere[i], width, bytes);
			for (uint32_t k = 0; k < 8; k++)
				ck_assert_uint_eq(bytes[k], k < width ? 0xff : 0);
		}
	}
	ck_assert_uint_eq(vm.ioapic.state.index, 1);
	pthread_mutex_destroy(&vm.device_lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-ioapic");
	TCase *tc = tcase_create("vmm-ioapic");
	tcase_add_test(tc, registers_read_as_the_chip_has_them);
	tcase_add_test(tc, no_index_leads_elsewhere);
	tcase_add_test(tc, a_rising_line_is_one_message);
	tcase_add_test(tc, destinations_have_fifteen_bits);
	tcase_add_test(tc, it_stands_at_its_address_only);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
