// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "ring.h"

#include <string.h>

/* include/uapi/linux/bpf.h: BPF_RINGBUF_BUSY_BIT, _DISCARD_BIT, _HDR_SZ */
#define BUSY (UINT32_C(1) << 31)
#define DISCARD (UINT32_C(1) << 30)
#define HEAD_SIZE 8u

static void move_to(struct avd__ring *ring, uint64_t at)
{
	ring->at = at;
	__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
}

enum avd__ring_status avd__ring_take(struct avd__ring *ring, void *out, uint32_t size)
{
	if (!ring->consumer)
		return AVD__RING_EMPTY;
	const uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	/* More than fits: somebody moved the consumer's position under us. What is there now
	 * starts nobody knows where. */
	if (end - ring->at > ring->size) {
		move_to(ring, end);
		return AVD__RING_OTHER;
	}
	if (ring->at == end)
		return AVD__RING_EMPTY;
	const uint8_t *head = ring->data + (ring->at & (ring->size - 1));
	const uint32_t word =
		__atomic_load_n((const uint32_t *)(const void *)head, __ATOMIC_ACQUIRE);
	if (word & BUSY)
		return AVD__RING_EMPTY;
	const uint32_t length = word & ~DISCARD;
	const uint64_t step = ((uint64_t)length + HEAD_SIZE + 7) & ~UINT64_C(7);
	if (step > end - ring->at) {
		move_to(ring, end);
		return AVD__RING_OTHER;
	}
	const bool whole = !(word & DISCARD) && length == size;
	if (whole)
		memcpy(out, head + HEAD_SIZE, size);
	move_to(ring, ring->at + step);
	return whole ? AVD__RING_RECORD : AVD__RING_OTHER;
}
