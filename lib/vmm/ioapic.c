// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/ioapic.h"

#define INDEX_AT 0x00u
#define DATA_AT 0x10u

enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_PINS = 0x10 };

#define VERSION 0x11u /* without an EOI register: nothing is level-triggered */
#define ID_BITS 0x0f000000u

/* An entry: 7:0 vector, 10:8 delivery mode, 11 logical destination, 13 polarity, 15 trigger,
 * 16 masked, 63:56 destination. Bits 55:49 are bits 14:8 of the destination, as the guest was
 * told by KVM_FEATURE_MSI_EXT_DEST_ID. Bits 12 and 14 are read-only. */
#define PIN_WRITABLE UINT64_C(0xfffe00000001afff)
#define PIN_MASKED (UINT64_C(1) << 16)
#define PIN_LOGICAL (UINT64_C(1) << 11)
#define PIN_MESSAGE 0x7ffu /* vector and delivery mode: as in a message's data */

#define MESSAGE_ADDRESS UINT64_C(0xfee00000)

void avd__ioapic_reset(struct avd__ioapic *ioapic)
{
	ioapic->state = (struct avd__ioapic_state){.id = 0};
	for (uint32_t pin = 0; pin < AVD__IOAPIC_PINS; pin++)
		ioapic->state.pins[pin] = PIN_MASKED;
}

/* The half of the entry that `index` selects: its shift; NULL: none. */
static const uint64_t *selected(const struct avd__ioapic_state *state, uint32_t *ret_shift)
{
	const uint32_t half = state->index - REG_PINS;
	if (state->index < REG_PINS || half / 2 >= AVD__IOAPIC_PINS)
		return NULL;
	*ret_shift = half % 2 * 32;
	return &state->pins[half / 2];
}

void avd__ioapic_write(struct avd__ioapic *ioapic, uint32_t offset, uint32_t value)
{
	struct avd__ioapic_state *state = &ioapic->state;
	uint32_t shift;
	if (offset == INDEX_AT) {
		state->index = value & 0xff;
	} else if (offset == DATA_AT && state->index == REG_ID) {
		state->id = value & ID_BITS;
	} else if (offset == DATA_AT && selected(state, &shift)) {
		const uint64_t mask = UINT64_C(0xffffffff) << shift;
		uint64_t *pin = &state->pins[(state->index - REG_PINS) / 2];
		*pin = (*pin & ~mask) | ((uint64_t)value << shift & PIN_WRITABLE);
	}
}

uint32_t avd__ioapic_read(const struct avd__ioapic *ioapic, uint32_t offset)
{
	const struct avd__ioapic_state *state = &ioapic->state;
	uint32_t shift;
	if (offset == INDEX_AT)
		return state->index;
	if (offset != DATA_AT)
		return 0;
	const uint64_t *pin = selected(state, &shift);
	if (pin)
		return (uint32_t)(*pin >> shift);
	if (state->index == REG_VERSION)
		return VERSION | (AVD__IOAPIC_PINS - 1) << 16;
	return state->index == REG_ID || state->index == REG_ARBITRATION ? state->id : 0;
}

void avd__ioapic_line(struct avd__ioapic *ioapic, uint32_t pin, bool level)
{
	struct avd__ioapic_state *state = &ioapic->state;
	const uint32_t line = 1u << pin;
	const bool rises = level && !(state->lines & line);
	state->lines = level ? state->lines | line : state->lines & ~line;
	const uint64_t entry = state->pins[pin];
	if (!rises ||
	    (entry & PIN_MASKED)) /* an edge that comes while masked is lost, as in the chip */
		return;
	const uint64_t low = entry >> 56, high = entry >> 49 & 0x7f;
	ioapic->deliver(ioapic->userdata,
			MESSAGE_ADDRESS | low << 12 | (entry & PIN_LOGICAL ? 1u << 2 : 0) |
				high << 40,
			(uint32_t)entry & PIN_MESSAGE);
}
