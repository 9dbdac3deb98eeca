/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A part of a plan, as several machines share one. */
#ifndef AVD_LIB_SWEEP_PART_H
#define AVD_LIB_SWEEP_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* `count` cells from `first` on, 0: all; of these every `shards`th, starting with number `shard`,
 * 0: all. */
struct avd__part {
	size_t first, count;
	uint32_t shard, shards;
};

/* Whether a plan of `cells` cells has such a part. -EINVAL. */
int avd__part_check(const struct avd__part *part, size_t cells, struct avd__error *error);
bool avd__part_has(const struct avd__part *part, size_t index);

#endif
