/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The options of a cell: checked, copied, with every default filled in. */
#ifndef AVD_LIB_CELL_CONFIG_H
#define AVD_LIB_CELL_CONFIG_H

#include <attachverdict/cell.h>

#include "base/error.h"
#include "base/keep.h"
#include "topology/topology.h"

struct avd__cell_config {
	/* Its pointers are NULL or point into `keep`; its numbers are never 0 where 0 means the
	 * default. Paths are absolute, but for programs that are looked up in $PATH. */
	struct avd_cell_options options;
	struct avd__keep keep;
	struct avd__topology topology;
	uint32_t cpus; /* of the topology */
};

/* -EINVAL, -E2BIG, -ENOTSUP, -ENOMEM. On failure nothing is left in `config`. */
int avd__cell_config_init(struct avd__cell_config *config, const struct avd_cell_options *given,
			  struct avd__error *error);
void avd__cell_config_free(struct avd__cell_config *config);

/* "HOST[:GUEST]" cut at its last ":/", for a host's path may hold a colon and a guest's path is
 * absolute. *ret_host is to be freed with free(); *ret_guest points into `include` or is NULL. */
int avd__cell_split_include(const char *include, char **ret_host, const char **ret_guest,
			    struct avd__error *error);

#endif
