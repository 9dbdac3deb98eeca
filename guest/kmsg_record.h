/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg of the kernel). */
#ifndef AVD_GUEST_KMSG_RECORD_H
#define AVD_GUEST_KMSG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct avd__kmsg_record {
	uint32_t level; /* 0..7 */
	uint32_t facility; /* 0: the kernel itself; user space can't write with this one */
	uint64_t seq;
	uint64_t time_us;
	const char *text; /* inside the bytes given; still escaped by the kernel (\xNN) */
	size_t len;
};

/* "prio,seq,usec,flags[,more];text\n KEY=value\n...". False: not such a record. */
bool avd__kmsg_parse(const char *bytes, size_t size, struct avd__kmsg_record *ret_record);

#endif
