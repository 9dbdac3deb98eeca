// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* `--topology help`: what can be asked for. */
#include <inttypes.h>

#include "cli.h"

static const char about[] =
	"A topology is one of\n"
	"  N          CPUs of one last-level cache (LLC), one thread each: 4\n"
	"  AnBlCcDt   A NUMA nodes, B LLCs in all, C cores in each LLC, D threads in\n"
	"             each core: 2n4l4c2t. A part that is left out is 1; C may be a\n"
	"             count for each LLC: 1n3l4+2+1c1t\n"
	"  NAME       a preset:\n\n";

int cli_list_topologies(void)
{
	const char *name, *shape = "";
	printf("%s%-20s %-13s %5s %6s %5s %6s %s\n", about, "preset", "shape", "CPUs", "nodes",
	       "LLCs", "cores", "threads/core");
	for (size_t i = 0; (name = avd_topology_preset(i, &shape)); i++) {
		struct avd_topology_info info = AVD_OPTIONS_INIT(struct avd_topology_info);
		char error[256] = "";
		if (avd_topology_describe(name, &info, error, sizeof(error)) < 0)
			return cli_error("%s", error);
		printf("%-20s %-13s %5" PRIu32 " %6" PRIu32 " %5" PRIu32 " %6" PRIu32 " %6" PRIu32
		       "\n",
		       name, shape, info.cpus, info.nodes, info.llcs, info.cores,
		       info.threads_per_core);
	}
	return CLI_PASSED;
}
