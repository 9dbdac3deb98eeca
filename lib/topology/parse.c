// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "topology/topology.h"

/*
 * From small to large: what real machines look like, and odd shapes, which find what a scheduler
 * takes for granted. Once released a name keeps its shape: recordings name presets.
 *
 * The names from tiny-1llc to numa4-12llc, and their shapes, are those of ktstr's gauntlet, where
 * many know them from (its guide, "Gauntlet: topology presets").
 */
static const struct {
	const char *name, *shape;
} presets[] = {
	{"one", "1n1l1c1t"},
	{"smt", "1n1l1c2t"},
	{"dual", "1n1l2c1t"},
	{"tiny-1llc", "1n1l4c1t"},
	{"tiny-2llc", "1n2l2c1t"},
	{"odd-3llc", "1n3l3c1t"},
	{"odd-5llc", "1n5l3c1t"},
	{"odd-7llc", "1n7l2c1t"},
	{"smt-2llc", "1n2l2c2t"},
	{"smt-3llc", "1n3l2c2t"},
	{"medium-4llc", "1n4l4c2t"},
	{"medium-8llc", "1n8l4c2t"},
	{"large-4llc", "1n4l16c2t"},
	{"large-8llc", "1n8l8c2t"},
	{"near-max-llc", "1n15l8c2t"},
	{"max-cpu", "1n14l9c2t"},
	{"medium-4llc-nosmt", "1n4l8c1t"},
	{"medium-8llc-nosmt", "1n8l8c1t"},
	{"large-4llc-nosmt", "1n4l32c1t"},
	{"large-8llc-nosmt", "1n8l16c1t"},
	{"near-max-llc-nosmt", "1n15l16c1t"},
	{"max-cpu-nosmt", "1n14l18c1t"},
	{"numa2-4llc", "2n4l4c1t"},
	{"numa2-8llc", "2n8l8c2t"},
	{"numa2-8llc-nosmt", "2n8l16c1t"},
	{"numa4-8llc", "4n8l4c1t"},
	{"numa4-12llc", "4n12l8c2t"},
	{"uneven-llc", "1n3l4+2+1c1t"},
	{"numa2-tiny", "2n2l1c1t"},
	{"numa2-smt", "2n2l2c2t"},
};

const char *avd__topology_preset(size_t i, const char **ret_shape)
{
	if (i >= AVD__ARRAY_SIZE(presets))
		return NULL;
	*ret_shape = presets[i].shape;
	return presets[i].name;
}

static int refuse(const char *text, const char *why, struct avd__error *error)
{
	return avd__fail(
		error, EINVAL,
		"topology \"%.64s\": %s; write a number of CPUs (4), or nodes, LLCs in "
		"all, cores of an LLC and threads of a core (2n4l4c2t), or a preset (numa2-4llc)",
		text, why);
}

/* A number of up to four digits; 0 if there is none. */
static uint32_t number(const char **at)
{
	uint32_t value = 0;
	for (int digits = 0; **at >= '0' && **at <= '9' && digits < 4; digits++)
		value = value * 10 + (uint32_t)(*(*at)++ - '0');
	return value;
}

struct parts {
	uint32_t nodes, llcs, threads, lists; /* lists: how many counts of cores were given */
	uint16_t cores[AVD__TOPOLOGY_LLCS_MAX];
};

/* One "NUMBER LETTER", in the order n, l, c, t. */
static const char *read_part(const char **at, const char **order, struct parts *parts)
{
	uint32_t count = 0, value;
	uint16_t list[AVD__TOPOLOGY_LLCS_MAX];
	do {
		value = number(at);
		if (!value || value > AVD__TOPOLOGY_CPUS_MAX)
			return "each count is 1 to 252";
		if (count == AVD__TOPOLOGY_LLCS_MAX)
			return "the list of cores is too long";
		list[count++] = (uint16_t)value;
	} while (**at == '+' && *(*at)++);
	const char *place = **at ? strchr(*order, **at) : NULL;
	if (!place)
		return "a count is followed by n, l, c or t, in this order";
	(*at)++;
	*order = place + 1;
	if (count > 1 && *place != 'c')
		return "only cores (c) may be a list";
	if (*place == 'n')
		parts->nodes = value;
	else if (*place == 'l')
		parts->llcs = value;
	else if (*place == 't')
		parts->threads = value;
	else
		memcpy(parts->cores, list, sizeof(list[0]) * (parts->lists = count));
	return NULL;
}

static const char *assemble(const struct parts *parts, struct avd__topology *shape)
{
	uint32_t cores = 0;
	*shape = (struct avd__topology){
		.nodes = parts->nodes, .llcs = parts->llcs, .threads = parts->threads};
	if (shape->nodes > AVD__TOPOLOGY_NODES_MAX)
		return "at most 16 nodes";
	if (shape->threads > AVD__TOPOLOGY_THREADS_MAX)
		return "a core has 1 or 2 threads";
	if (shape->llcs % shape->nodes)
		return "the LLCs (l, counted in all) do not spread evenly over the nodes";
	if (parts->lists > 1 && parts->lists != shape->llcs)
		return "the list of cores has not one count an LLC";
	shape->node_llcs = shape->llcs / shape->nodes;
	for (uint32_t llc = 0; llc < shape->llcs; llc++) {
		shape->cores[llc] = parts->cores[parts->lists > 1 ? llc : 0];
		cores += shape->cores[llc];
	}
	shape->cpus = cores * shape->threads;
	return shape->cpus > AVD__TOPOLOGY_CPUS_MAX ? "more than 252 CPUs" : NULL;
}

int avd__topology_parse(const char *text, struct avd__topology *ret_topology,
			struct avd__error *error)
{
	struct parts parts = {.nodes = 1, .llcs = 0, .threads = 1, .lists = 1, .cores = {1}};
	struct avd__topology shape;
	const char *shape_text = text, *order = "nlct", *why = NULL;
	if (strlen(text) >= AVD__TOPOLOGY_TEXT_MAX)
		return refuse(text, "it is longer than any shape", error);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(presets); i++) {
		if (strcmp(text, presets[i].name) == 0)
			shape_text = presets[i].shape;
	}
	const char *at = shape_text;
	const uint32_t cpus = number(&at);
	if (cpus && !*at) {
		parts.llcs = 1;
		parts.cores[0] = (uint16_t)cpus;
	} else {
		if (*shape_text < '0' || *shape_text > '9')
			return refuse(text, "it is no preset and starts with no number", error);
		at = shape_text;
		while (*at && !why)
			why = read_part(&at, &order, &parts);
		if (!parts.llcs) /* "2n4c": one a node, or as many as the list has */
			parts.llcs = parts.lists > 1 ? parts.lists : parts.nodes;
	}
	if (!why)
		why = assemble(&parts, &shape);
	if (why)
		return refuse(text, why, error);
	*ret_topology = shape;
	return 0;
}
