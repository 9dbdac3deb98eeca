// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What goes over the channel: everything up to the first limit; up to the second one what the
 * kernel warns of or sched_ext says. A flood must not make the channel the slowest part of a
 * cell (serial: 0.4 MB/s). */
#define LIMIT_ALL (256u * 1024u)
#define LIMIT_TELLING (2u * 1024u * 1024u)
#define LEVEL_WARNING 4u
/* Records a turn of the loop. */
#define RECORDS 64
/* A kernel that logs without end must not keep init from going on: turns of catching up. A
 * boot makes some 500 records. */
#define CATCH_UP 256
/* PRINTKRB_RECORD_MAX of the kernel: a longer record does not exist. */
#define RECORD_MAX 8192u

void avd__kmsg_open(struct avd__kmsg *kmsg)
{
	*kmsg = (struct avd__kmsg){.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
}

static bool wanted(const struct avd__kmsg *kmsg, const struct avd__kmsg_record *record,
		   bool of_sched_ext)
{
	const bool telling = of_sched_ext || (!record->facility && record->level <= LEVEL_WARNING);

	return kmsg->sent < (telling ? LIMIT_TELLING : LIMIT_ALL) && (telling || kmsg->started);
}

bool avd__kmsg_pump(struct avd__kmsg *kmsg, struct avd__channel *channel, struct avd__facts *facts)
{
	static char bytes[RECORD_MAX];
	bool some = false;

	for (int i = 0; i < RECORDS && kmsg->fd >= 0; i++) {
		const ssize_t n = read(kmsg->fd, bytes, sizeof(bytes));
		struct avd__kmsg_record record;
		if (n < 0 && errno == EPIPE) { /* overwritten: the next read goes on behind it */
			kmsg->left_out++;
			continue;
		}
		if (n <= 0)
			break;
		some = true;
		if (!avd__kmsg_parse(bytes, (size_t)n, &record))
			continue;
		if (!wanted(kmsg, &record, avd__facts_kernel(facts, &record))) {
			kmsg->left_out += kmsg->started;
			continue;
		}
		kmsg->sent += record.len;
		struct avd_message message = {
			.kind = AVD_MSG_KERNEL_LOG,
			.u.kernel_log = {.level = record.level,
					 .log_seq = record.seq,
					 .log_time_us = record.time_us,
					 .bytes = {.data = (const uint8_t *)record.text,
						   .len = record.len}}};
		avd__channel_send(channel, &message);
	}
	return some;
}

void avd__kmsg_catch_up(struct avd__kmsg *kmsg, struct avd__channel *channel,
			struct avd__facts *facts)
{
	for (int i = 0; i < CATCH_UP && avd__kmsg_pump(kmsg, channel, facts); i++)
		;
}
