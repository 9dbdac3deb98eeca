// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "kmsg_record.h"

#include <string.h>

#include "text.h"

static bool comma_number(const char *bytes, size_t size, size_t *at, uint64_t *ret_number)
{
	if (!avd__bytes_number(bytes, size, at, ret_number) || *at == size || bytes[*at] != ',')
		return false;
	++*at;
	return true;
}

bool avd__kmsg_parse(const char *bytes, size_t size, struct avd__kmsg_record *ret_record)
{
	uint64_t prio, seq, usec;
	size_t at = 0;

	if (!comma_number(bytes, size, &at, &prio) || prio > UINT32_MAX ||
	    !comma_number(bytes, size, &at, &seq) || !comma_number(bytes, size, &at, &usec))
		return false;
	const char *semicolon = memchr(bytes + at, ';', size - at);
	if (!semicolon)
		return false;
	const size_t start = (size_t)(semicolon - bytes) + 1;
	const char *end = memchr(bytes + start, '\n', size - start);

	*ret_record = (struct avd__kmsg_record){
		.level = (uint32_t)prio & 7,
		.facility = (uint32_t)prio >> 3,
		.seq = seq,
		.time_us = usec,
		.text = bytes + start,
		.len = end ? (size_t)(end - bytes) - start : size - start,
	};
	return true;
}
