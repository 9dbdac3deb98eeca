// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* --shard and --cells: a part of a plan. */
#include <errno.h>
#include <stdlib.h>

#include "cli.h"

/* "A/B" or "A-B": two whole numbers with the mark between them. */
static int parse_pair(const char *text, char mark, size_t *ret_a, size_t *ret_b)
{
	char *end;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*ret_a = strtoul(text, &end, 10);
	if (*end != mark || end[1] < '0' || end[1] > '9')
		return -EINVAL;
	*ret_b = strtoul(end + 1, &end, 10);
	return *end || errno ? -EINVAL : 0;
}

int cli_parse_shard(const struct cli_command *command, const char *text, uint32_t *ret_shard,
		    uint32_t *ret_shards)
{
	size_t a, b;
	if (parse_pair(text, '/', &a, &b) < 0 || !a || a > b || b > UINT32_MAX)
		return cli_usage(command, "%s: --shard '%s' is not M/N with M from 1 to N",
				 command->name, text);
	*ret_shard = (uint32_t)a;
	*ret_shards = (uint32_t)b;
	return 0;
}

int cli_parse_cells(const struct cli_command *command, const char *text, size_t *ret_first,
		    size_t *ret_count)
{
	size_t a, b;
	if (parse_pair(text, '-', &a, &b) < 0 || b < a)
		return cli_usage(command, "%s: --cells '%s' is not A-B with A not above B",
				 command->name, text);
	*ret_first = a;
	*ret_count = b - a + 1;
	return 0;
}
