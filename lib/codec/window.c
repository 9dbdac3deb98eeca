// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec/window.h"

#include <string.h>

_Static_assert(sizeof(struct avd__window_head) <= AVD__WINDOW_DATA_AT,
	       "the head fits before the data");
_Static_assert(AVD__WINDOW_DATA_AT + AVD__WINDOW_DATA_SIZE <= AVD__WINDOW_SIZE, "the data fits");
_Static_assert((AVD__WINDOW_DATA_SIZE & (AVD__WINDOW_DATA_SIZE - 1)) == 0, "positions wrap well");

static struct avd__window_head *head_of(uint8_t *memory)
{
	return (struct avd__window_head *)(void *)memory;
}

void avd__window_format(struct avd__window *window, uint8_t *memory)
{
	struct avd__window_head *head = head_of(memory);
	*window = (struct avd__window){.memory = memory};
	atomic_store_explicit(&head->put, 0, memory_order_relaxed);
	atomic_store_explicit(&head->taken, 0, memory_order_relaxed);
	head->data_at = AVD__WINDOW_DATA_AT;
	head->data_size = AVD__WINDOW_DATA_SIZE;
	head->magic = AVD__WINDOW_MAGIC;
}

/* The longest piece of the ring at `position` that does not wrap. */
static size_t piece_at(uint64_t position, uint64_t wanted)
{
	const uint64_t to_end = AVD__WINDOW_DATA_SIZE - position % AVD__WINDOW_DATA_SIZE;
	return (size_t)(wanted < to_end ? wanted : to_end);
}

size_t avd__window_take(struct avd__window *window, void *bytes, size_t size)
{
	struct avd__window_head *head = head_of(window->memory);
	const uint8_t *data = window->memory + AVD__WINDOW_DATA_AT;
	uint8_t *out = bytes;
	size_t done = 0;
	if (window->broken)
		return 0;
	const uint64_t put = atomic_load_explicit(&head->put, memory_order_acquire); /* once */
	if (put - window->taken > AVD__WINDOW_DATA_SIZE) {
		window->broken = true;
		*out = 0;
		return 1;
	}
	while (done < size && window->taken != put) {
		uint64_t wanted = put - window->taken;
		if (wanted > size - done)
			wanted = size - done;
		const size_t piece = piece_at(window->taken, wanted);
		memcpy(out + done, data + window->taken % AVD__WINDOW_DATA_SIZE, piece);
		window->taken += piece;
		done += piece;
	}
	atomic_store_explicit(&head->taken, window->taken, memory_order_release);
	return done;
}

bool avd__window_check(const uint8_t *memory)
{
	const struct avd__window_head *head = (const struct avd__window_head *)(const void *)memory;
	return head->magic == AVD__WINDOW_MAGIC && head->data_at == AVD__WINDOW_DATA_AT &&
	       head->data_size == AVD__WINDOW_DATA_SIZE;
}

size_t avd__window_put(uint8_t *memory, const void *bytes, size_t size)
{
	struct avd__window_head *head = head_of(memory);
	uint8_t *data = memory + AVD__WINDOW_DATA_AT;
	const uint8_t *in = bytes;
	const uint64_t start = atomic_load_explicit(&head->put, memory_order_relaxed);
	const uint64_t taken = atomic_load_explicit(&head->taken, memory_order_acquire);
	uint64_t put = start;
	while (size && put - taken < AVD__WINDOW_DATA_SIZE) {
		uint64_t wanted = AVD__WINDOW_DATA_SIZE - (put - taken);
		if (wanted > size)
			wanted = size;
		const size_t piece = piece_at(put, wanted);
		memcpy(data + put % AVD__WINDOW_DATA_SIZE, in, piece);
		put += piece;
		in += piece;
		size -= piece;
	}
	atomic_store_explicit(&head->put, put, memory_order_release);
	return (size_t)(put - start);
}
