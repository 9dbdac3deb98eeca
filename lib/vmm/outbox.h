/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Bytes on their way from the vCPU threads to whoever steps the machine: lossless and
 * bounded. A full box makes the guest wait.
 */
#ifndef AVD_LIB_VMM_OUTBOX_H
#define AVD_LIB_VMM_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Holds a burst of the largest frame's quarter; more only delays back-pressure. */
#define AVD__OUTBOX_SIZE (256u * 1024u)

struct avd__outbox {
	pthread_mutex_t lock;
	pthread_cond_t room;
	int event_fd; /* not owned; signalled when the box stops being empty */
	bool closed; /* nobody waits any more; what comes is dropped */
	size_t start, len;
	uint8_t *bytes;
};

int avd__outbox_init(struct avd__outbox *box, int event_fd);
void avd__outbox_fini(struct avd__outbox *box);
void avd__outbox_put(struct avd__outbox *box, const void *bytes, size_t size);
/* Takes up to `size` bytes out; returns how many. */
size_t avd__outbox_take(struct avd__outbox *box, void *bytes, size_t size);
/* Wakes those who wait for room. What is in the box stays and can be taken. */
void avd__outbox_close(struct avd__outbox *box);

#endif
