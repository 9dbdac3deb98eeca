// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/part.h"

#include <errno.h>

int avd__part_check(const struct avd__part *part, size_t cells, struct avd__error *error)
{
	if (part->shards ? part->shard < 1 || part->shard > part->shards : part->shard != 0)
		return avd__fail(error, EINVAL, "shard %u of %u: shards are numbered from 1",
				 part->shard, part->shards);
	if (part->first >= cells)
		return avd__fail(error, EINVAL,
				 "the plan has no cell %zu: its %zu are counted from 0",
				 part->first, cells);
	return 0;
}

bool avd__part_has(const struct avd__part *part, size_t index)
{
	return index >= part->first && (!part->count || index - part->first < part->count) &&
	       (!part->shards || (index - part->first) % part->shards == part->shard - 1);
}
