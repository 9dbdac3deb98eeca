// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/topology.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "topology/topology.h"

int avd_topology_describe(const char *text, struct avd_topology_info *ret_info, char *error_text,
			  size_t error_size)
{
	struct avd__topology shape;
	struct avd__error error = {0};
	int r = 0;
	if (!text || !ret_info || ret_info->size < offsetof(struct avd_topology_info, nodes))
		r = avd__fail(&error, EINVAL, "no text, or the size of the answer is not set");
	if (r == 0)
		r = avd__topology_parse(text, &shape, &error);
	if (r < 0) {
		avd__error_copy(&error, error_text, error_size);
		return r;
	}
	struct avd_topology_info info = {
		.size = ret_info->size,
		.cpus = shape.cpus,
		.nodes = shape.nodes,
		.llcs = shape.llcs,
		.cores = avd__topology_cores(&shape),
		.threads_per_core = shape.threads,
		.even = 1,
	};
	for (uint32_t llc = 1; llc < shape.llcs; llc++)
		info.even &= shape.cores[llc] == shape.cores[0];
	memset(ret_info, 0, info.size);
	memcpy(ret_info, &info, info.size < sizeof(info) ? info.size : sizeof(info));
	return 0;
}

const char *avd_topology_preset(size_t i, const char **ret_shape)
{
	const char *shape;
	const char *name = avd__topology_preset(i, &shape);
	if (name && ret_shape)
		*ret_shape = shape;
	return name;
}
