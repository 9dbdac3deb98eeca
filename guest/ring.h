/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The reading side of a BPF ring buffer (kernel/bpf/ringbuf.c). libbpf's own reads until the
 * ring is empty and believes the consumer's position, which stands in a page that others
 * could map: a program with CAP_BPF would decide how long init reads. Here each call takes
 * one record, the position is kept apart, and nothing in a header is believed.
 */
#ifndef AVD_GUEST_RING_H
#define AVD_GUEST_RING_H

#include <stdbool.h>
#include <stdint.h>

struct avd__ring {
	uint64_t *consumer; /* told to the kernel, never read; NULL: there is no ring */
	const uint64_t *producer;
	const uint8_t *data; /* twice in a row, so that no record is cut */
	uint64_t size; /* of the data, a power of two */
	uint64_t at;
};

enum avd__ring_status {
	AVD__RING_EMPTY = 0,
	AVD__RING_RECORD, /* of just the size that was asked for; copied */
	AVD__RING_OTHER, /* of another size or given up: passed over */
};

/* Takes the next record, whose size must be `size`, into `out`. */
enum avd__ring_status avd__ring_take(struct avd__ring *ring, void *out, uint32_t size);

#endif
