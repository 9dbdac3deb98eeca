// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/base.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"

struct unit {
	const char *name;
	uint64_t scale;
};

/* Digits, a number above 0, and one of the units, with nothing around or between them. */
static int parse(const char *text, const struct unit *units, size_t count, uint64_t *ret_value)
{
	uint64_t number = 0;
	if (!text)
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		const uint64_t digit = (uint64_t)(*text - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		number = number * 10 + digit;
	}
	for (size_t i = 0; number && i < count; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (number > UINT64_MAX / units[i].scale)
			return -ERANGE;
		*ret_value = number * units[i].scale;
		return 0;
	}
	return -EINVAL;
}

int avd_parse_duration(const char *text, uint64_t *ret_ms)
{
	static const struct unit units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}};
	return parse(text, units, AVD__ARRAY_SIZE(units), ret_ms);
}

int avd_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {{"K", 1 << 10},   {"KiB", 1 << 10}, {"M", 1 << 20},
					    {"MiB", 1 << 20}, {"G", 1 << 30},	{"GiB", 1 << 30}};
	return parse(text, units, AVD__ARRAY_SIZE(units), ret_bytes);
}
