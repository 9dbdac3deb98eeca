// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The devices of the KVM machine, one by one and on its bus, without KVM. */
#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "run_suite.h"
#include "vmm/vm.h"

/* Register numbers of the 16550; PC16550D data sheet, table II. */
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

struct record {
	uint8_t bytes[64];
	size_t len;
	int edges; /* of the interrupt line */
	bool line;
	int events; /* resets, power-offs, rings */
};

static void transmit(void *userdata, const uint8_t *bytes, size_t size)
{
	struct record *record = userdata;
	ck_assert_uint_le(size, sizeof(record->bytes) - record->len);
	memcpy(record->bytes + record->len, bytes, size);
	record->len += size;
}

static void interrupt(void *userdata, bool level)
{
	struct record *record = userdata;
	ck_assert(level != record->line); /* only changes are told */
	record->line = level;
	record->edges += level;
}

static void event(void *userdata)
{
	struct record *record = userdata;
	record->events++;
}

static struct avd__serial serial_for(struct record *record)
{
	return (struct avd__serial){
		.userdata = record, .transmit = transmit, .interrupt = interrupt};
}

static void put(struct avd__serial *serial, uint32_t reg, uint8_t value)
{
	avd__serial_write(serial, reg, &value, 1);
}

START_TEST(serial_sends_and_is_always_ready)
{
	struct record record = {.len = 0};
	struct avd__serial serial = serial_for(&record);
	avd__serial_write(&serial, DATA, (const uint8_t *)"hello", 5);
	put(&serial, DATA, '!');
	ck_assert_mem_eq(record.bytes, "hello!", 6);
	ck_assert_uint_eq(record.len, 6);
	ck_assert_uint_eq(avd__serial_read(&serial, LSR), 0x60);
	ck_assert_uint_eq(avd__serial_read(&serial, MSR), 0xb0);
	ck_assert_int_eq(record.edges, 0); /* not enabled */
}
END_TEST

START_TEST(serial_registers_hold_what_was_written)
{
	struct record record = {.len = 0};
	struct avd__serial serial = serial_for(&record);
	put(&serial, SCR, 0x5a);
	put(&serial, MCR, 0xff);
	put(&serial, LCR, 0x83);
	put(&serial, DATA, 0x12); /* the divisor, not data */
	put(&serial, IER, 0x34);
	ck_assert_uint_eq(avd__serial_read(&serial, DATA), 0x12);
	ck_assert_uint_eq(avd__serial_read(&serial, IER), 0x34);
	put(&serial, LCR, 0x03);
	ck_assert_uint_eq(avd__serial_read(&serial, IER), 0);
	ck_assert_uint_eq(avd__serial_read(&serial, SCR), 0x5a);
	ck_assert_uint_eq(avd__serial_read(&serial, MCR), 0x1f);
	ck_assert_uint_eq(avd__serial_read(&serial, LCR), 0x03);
	ck_assert_uint_eq(record.len, 0);
	/* A driver tells a 16550A by its FIFO bits. */
	ck_assert_uint_eq(avd__serial_read(&serial, IIR) & 0xc0, 0);
	put(&serial, FCR, 0x01);
	ck_assert_uint_eq(avd__serial_read(&serial, IIR) & 0xc0, 0xc0);
	put(&serial, LSR, 0); /* read-only */
	put(&serial, MSR, 0);
	ck_assert_uint_eq(avd__serial_read(&serial, LSR), 0x60);
}
END_TEST

START_TEST(serial_loops_back)
{
	struct record record = {.len = 0};
	struct avd__serial serial = serial_for(&record);
	put(&serial, MCR, 0x1a); /* the loop, RTS and OUT2: the driver's own test */
	ck_assert_uint_eq(avd__serial_read(&serial, MSR) & 0xf0, 0x90);
	put(&serial, IER, 0x01);
	put(&serial, DATA, 0xa5);
	ck_assert_uint_eq(record.len, 0);
	ck_assert(record.line);
	ck_assert_uint_eq(avd__serial_read(&serial, IIR) & 0x0f, 0x04);
	ck_assert_uint_eq(avd__serial_read(&serial, LSR), 0x61);
	ck_assert_uint_eq(avd__serial_read(&serial, DATA), 0xa5);
	ck_assert_uint_eq(avd__serial_read(&serial, LSR), 0x60);
	ck_assert(!record.line);
}
END_TEST

START_TEST(serial_interrupts_once_for_each_burst)
{
	struct record record = {.len = 0};
	struct avd__serial serial = serial_for(&record);
	put(&serial, IER, 0x02); /* at once: the transmitter is empty */
	ck_assert_int_eq(record.edges, 1);
	ck_assert_uint_eq(avd__serial_read(&serial, IIR), 0x02); /* acknowledges */
	ck_assert(!record.line);
	ck_assert_uint_eq(avd__serial_read(&serial, IIR), 0x01);
	put(&serial, DATA, 'a');
	ck_assert_int_eq(record.edges, 2);
	put(&serial, DATA, 'b'); /* not acknowledged: falls, and rises again */
	ck_assert_int_eq(record.edges, 3);
	put(&serial, IER, 0);
	ck_assert(!record.line);
}
END_TEST

START_TEST(a_copied_state_goes_on_where_it_was)
{
	struct record record = {.len = 0}, copied = {.len = 0};
	struct avd__serial serial = serial_for(&record), copy = serial_for(&copied);
	put(&serial, IER, 0x03);
	put(&serial, MCR, 0x10);
	put(&serial, DATA, 'x');
	copy.state = serial.state;
	copied.line = copy.state.line; /* the chip's own state is copied, too */
	for (uint32_t reg = 0; reg < AVD__SERIAL_PORTS; reg++)
		ck_assert_uint_eq(avd__serial_read(&copy, reg), avd__serial_read(&serial, reg));
	ck_assert(copied.line == record.line);
}
END_TEST

START_TEST(i8042_only_resets)
{
	struct record record = {.len = 0};
	struct avd__i8042 i8042 = {.userdata = &record, .reset = event};
	const uint8_t others[] = {0x20, 0xd1, 0xaa, 0xff};
	avd__i8042_write(&i8042, 0, others, sizeof(others));
	ck_assert_int_eq(record.events, 0);
	ck_assert_uint_eq(i8042.state.command, 0xff);
	ck_assert_uint_eq(avd__i8042_read(&i8042, 0), 0); /* nothing waits */
	avd__i8042_write(&i8042, 0, (const uint8_t[]){0xfe}, 1);
	ck_assert_int_eq(record.events, 1);
}
END_TEST

START_TEST(power_goes_off_by_s5_alone)
{
	struct record record = {.len = 0};
	struct avd__power power = {.userdata = &record, .off = event};
	for (unsigned int value = 0; value < 256; value++) {
		const uint8_t byte = (uint8_t)value;
		record.events = 0;
		avd__power_write(&power, 0, &byte, 1);
		ck_assert_int_eq(record.events, value == AVD__ACPI_SLEEP_S5);
		ck_assert_uint_eq(avd__power_read(&power, 0), value & ~0x20u);
		avd__power_write(&power, 1, &byte, 1);
		ck_assert_int_eq(record.events, value == AVD__ACPI_SLEEP_S5);
		ck_assert_uint_eq(avd__power_read(&power, 1), 0);
	}
}
END_TEST

START_TEST(the_clock_is_never_being_updated)
{
	struct avd__rtc rtc = {.state = {0}};
	for (unsigned int reg = 0; reg < 256; reg++) {
		const uint8_t byte = (uint8_t)reg;
		avd__rtc_write(&rtc, 0, &byte, 1);
		ck_assert_uint_eq(avd__rtc_read(&rtc, 0), reg);
		avd__rtc_write(&rtc, 1, (const uint8_t[]){0xff}, 1);
		ck_assert_uint_eq(avd__rtc_read(&rtc, 1), 0);
	}
}
END_TEST

/* A machine with a bus and nothing else. */
static struct avd__vm *bus_new(void)
{
	struct avd__error error = {0};
	struct avd__vm *vm = calloc(1, sizeof(*vm));
	ck_assert_ptr_nonnull(vm);
	vm->sys = &avd__kvm_system;
	vm->event_fd = -1;
	pthread_mutex_init(&vm->device_lock, NULL);
	pthread_mutex_init(&vm->end_lock, NULL);
	pthread_mutex_init(&vm->thread_lock, NULL);
	ck_assert_int_eq(avd__vm_make_devices(vm, &error), 0);
	return vm;
}

static void bus_free(struct avd__vm *vm)
{
	avd__vm_free_devices(vm);
	ck_assert_int_eq(vm->event_fd, -1);
	pthread_mutex_destroy(&vm->device_lock);
	pthread_mutex_destroy(&vm->end_lock);
	pthread_mutex_destroy(&vm->thread_lock);
	free(vm);
}

START_TEST(each_port_reaches_its_device)
{
	struct avd__vm *vm = bus_new();
	char bytes[16];
	avd__vm_port_write(vm, 0x3f8, 1, (const uint8_t *)"con", 3);
	avd__vm_port_write(vm, 0x2f8, 1, (const uint8_t *)"chan", 4);
	ck_assert_uint_eq(avd__outbox_take(&vm->console_box, bytes, sizeof(bytes)), 3);
	ck_assert_mem_eq(bytes, "con", 3);
	ck_assert_uint_eq(avd__outbox_take(&vm->channel_box, bytes, sizeof(bytes)), 4);
	ck_assert_mem_eq(bytes, "chan", 4);
	avd__vm_port_write(vm, 0x3ff, 1, (const uint8_t[]){0x77}, 1);
	ck_assert_uint_eq(vm->console.state.scr, 0x77);
	ck_assert_uint_eq(vm->channel.state.scr, 0);
	avd__vm_port_write(vm, 0x70, 1, (const uint8_t[]){0x0a}, 1);
	ck_assert_uint_eq(vm->rtc.state.index, 0x0a);
	uint8_t data[4] = {0x55, 0x55, 0x55, 0x55};
	avd__vm_port_read(vm, 0x71, 1, data, 1);
	ck_assert_uint_eq(data[0], 0);
	ck_assert(!vm->ended);
	bus_free(vm);
}
END_TEST

START_TEST(a_wide_access_is_one_to_each_port)
{
	struct avd__vm *vm = bus_new();
	uint8_t data[8];
	/* Scratch registers stand last: the second byte falls off the device. */
	avd__vm_port_write(vm, 0x3fe, 2, (const uint8_t[]){0x11, 0x22, 0x33, 0x44}, 2);
	ck_assert_uint_eq(vm->console.state.scr, 0x44);
	avd__vm_port_read(vm, 0x3ff, 4, data, 2);
	ck_assert_mem_eq(data, ((const uint8_t[]){0x44, 0xff, 0xff, 0xff, 0x44, 0xff, 0xff, 0xff}),
			 8);
	/* At the end of the ports there is nothing to fall into. */
	memset(data, 0, sizeof(data));
	avd__vm_port_write(vm, 0xffff, 4, data, 1);
	avd__vm_port_read(vm, 0xffff, 4, data, 1);
	ck_assert_mem_eq(data, "\xff\xff\xff\xff", 4);
	bus_free(vm);
}
END_TEST

START_TEST(the_bus_ends_the_machine)
{
	static const struct {
		uint16_t port;
		uint8_t value;
		uint32_t cause;
	} ends[] = {{0x64, 0xfe, AVD_END_GUEST_RESET}, {0x600, 0x34, AVD_END_GUEST_SHUTDOWN}};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(ends); i++) {
		struct avd__vm *vm = bus_new();
		avd__vm_port_write(vm, ends[i].port, 1, &ends[i].value, 1);
		ck_assert(vm->ended);
		ck_assert_uint_eq(vm->end.cause, ends[i].cause);
		/* The other one comes too late. */
		avd__vm_port_write(vm, ends[!i].port, 1, &ends[!i].value, 1);
		ck_assert_uint_eq(vm->end.cause, ends[i].cause);
		bus_free(vm);
	}
}
END_TEST

START_TEST(nobody_answers_elsewhere)
{
	struct avd__vm *vm = bus_new();
	for (uint32_t port = 0; port <= 0xffff; port++) {
		uint8_t value = 0;
		const bool has_device = (port >= 0x3f8 && port <= 0x3ff) ||
					(port >= 0x2f8 && port <= 0x2ff) || port == 0x64 ||
					port == 0x70 || port == 0x71 || port == 0x600 ||
					port == 0x601;
		if (has_device)
			continue;
		avd__vm_port_write(vm, (uint16_t)port, 1, &value, 1);
		avd__vm_port_read(vm, (uint16_t)port, 1, &value, 1);
		ck_assert_uint_eq(value, 0xff);
	}
	ck_assert(!vm->ended);
	bus_free(vm);
}
END_TEST

START_TEST(the_doorbell_is_an_event)
{
	struct avd__vm *vm = bus_new();
	struct pollfd polled = {.fd = vm->event_fd, .events = POLLIN};
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	avd__vm_port_write(vm, AVD__WINDOW_DOORBELL_PORT, 2, (const uint8_t[]){0, 0}, 1);
	ck_assert_int_eq(poll(&polled, 1, 0), 1);
	bus_free(vm);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-devices");
	TCase *tc = tcase_create("devices");
	tcase_add_test(tc, serial_sends_and_is_always_ready);
	tcase_add_test(tc, serial_registers_hold_what_was_written);
	tcase_add_test(tc, serial_loops_back);
	tcase_add_test(tc, serial_interrupts_once_for_each_burst);
	tcase_add_test(tc, a_copied_state_goes_on_where_it_was);
	tcase_add_test(tc, i8042_only_resets);
	tcase_add_test(tc, power_goes_off_by_s5_alone);
	tcase_add_test(tc, the_clock_is_never_being_updated);
	tcase_add_test(tc, each_port_reaches_its_device);
	tcase_add_test(tc, a_wide_access_is_one_to_each_port);
	tcase_add_test(tc, the_bus_ends_the_machine);
	tcase_add_test(tc, nobody_answers_elsewhere);
	tcase_add_test(tc, the_doorbell_is_an_event);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
