// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "vmm/lock.h"

int avd__outbox_init(struct avd__outbox *box, int event_fd)
{
	*box = (struct avd__outbox){.event_fd = event_fd};
	box->bytes = malloc(AVD__OUTBOX_SIZE);
	if (!box->bytes)
		return -ENOMEM;
	const int r = avd__lock_init(&box->lock);
	if (r < 0) {
		free(box->bytes);
		box->bytes = NULL;
		return r;
	}
	pthread_cond_init(&box->room, NULL);
	return 0;
}

void avd__outbox_fini(struct avd__outbox *box)
{
	if (!box->bytes)
		return;
	pthread_cond_destroy(&box->room);
	pthread_mutex_destroy(&box->lock);
	free(box->bytes);
	box->bytes = NULL;
}

void avd__outbox_put(struct avd__outbox *box, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	avd__lock(&box->lock);
	while (size && !box->closed) {
		const size_t free_bytes = AVD__OUTBOX_SIZE - box->len;
		if (!free_bytes) {
			avd__lock_wait(&box->room, &box->lock);
			continue;
		}
		const size_t at = (box->start + box->len) % AVD__OUTBOX_SIZE;
		size_t piece = AVD__OUTBOX_SIZE - at;
		if (piece > free_bytes)
			piece = free_bytes;
		if (piece > size)
			piece = size;
		memcpy(box->bytes + at, p, piece);
		if (!box->len)
			eventfd_write(box->event_fd, 1);
		box->len += piece;
		p += piece;
		size -= piece;
	}
	avd__unlock(&box->lock);
}

size_t avd__outbox_take(struct avd__outbox *box, void *bytes, size_t size)
{
	uint8_t *p = bytes;
	size_t done = 0;
	avd__lock(&box->lock);
	while (done < size && box->len) {
		size_t piece = AVD__OUTBOX_SIZE - box->start;
		if (piece > box->len)
			piece = box->len;
		if (piece > size - done)
			piece = size - done;
		memcpy(p + done, box->bytes + box->start, piece);
		box->start = (box->start + piece) % AVD__OUTBOX_SIZE;
		box->len -= piece;
		done += piece;
	}
	if (done)
		pthread_cond_broadcast(&box->room);
	avd__unlock(&box->lock);
	return done;
}

void avd__outbox_close(struct avd__outbox *box)
{
	avd__lock(&box->lock);
	box->closed = true;
	pthread_cond_broadcast(&box->room);
	avd__unlock(&box->lock);
}
