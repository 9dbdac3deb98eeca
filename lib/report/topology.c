// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/topology.h"

#include <inttypes.h>
#include <string.h>

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static void put_seen(struct avd__buf *out, const struct avd__evidence *ev)
{
	struct avd__topology_counts seen;
	avd__topology_count(ev->seen_cpus, ev->seen_count, &seen);
	avd__buf_printf(out,
			"the guest sees %" PRIu32 " node%s, %" PRIu32 " LLC%s, %" PRIu32
			" core%s, %" PRIu32 " CPU%s",
			seen.nodes, plural(seen.nodes), seen.llcs, plural(seen.llcs), seen.cores,
			plural(seen.cores), seen.cpus, plural(seen.cpus));
}

/* numa2-4llc = 2n4l4c1t, 16 CPUs; the guest sees the same */
void avd__text_topology(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	char shape[AVD__TOPOLOGY_TEXT_MAX];
	if (!ev->have_asked && !ev->have_topology)
		return;
	avd__text_row(text, "topology");
	if (ev->have_asked) {
		if (ev->topology[0] < '0' || ev->topology[0] > '9') /* a preset */
			avd__buf_printf(out, "%s = ", ev->topology);
		avd__buf_printf(out, "%s, %" PRIu32 " CPU%s",
				avd__topology_format(&ev->asked, shape, sizeof(shape)),
				ev->asked.cpus, plural(ev->asked.cpus));
	}
	if (ev->have_asked && ev->have_topology)
		avd__buf_puts(out, "; ");
	if (ev->topology_difference[0])
		avd__buf_escape(out, ev->topology_difference, strlen(ev->topology_difference));
	else if (ev->have_asked && ev->have_topology)
		avd__buf_puts(out, "the guest sees the same");
	else if (ev->have_topology)
		put_seen(out, ev);
	avd__buf_puts(out, "\n");
}

static void put_asked(struct avd__json *json, const struct avd__evidence *ev)
{
	char shape[AVD__TOPOLOGY_TEXT_MAX];
	if (!ev->have_asked) {
		avd__json_null(json, "asked");
		return;
	}
	avd__json_open(json, "asked", '{');
	avd__json_cstring(json, "shape", avd__topology_format(&ev->asked, shape, sizeof(shape)));
	avd__json_u64(json, "cpus", ev->asked.cpus);
	avd__json_u64(json, "nodes", ev->asked.nodes);
	avd__json_u64(json, "llcs", ev->asked.llcs);
	avd__json_u64(json, "cores", avd__topology_cores(&ev->asked));
	avd__json_u64(json, "threads_per_core", ev->asked.threads);
	avd__json_close(json, '}');
}

static void put_id(struct avd__json *json, const char *key, uint16_t id)
{
	if (id == AVD_TOPOLOGY_UNKNOWN)
		avd__json_null(json, key);
	else
		avd__json_u64(json, key, id);
}

static void put_cpus(struct avd__json *json, const struct avd__evidence *ev)
{
	struct avd__topology_counts seen;
	avd__topology_count(ev->seen_cpus, ev->seen_count, &seen);
	avd__json_open(json, "seen", '{');
	avd__json_u64(json, "cpus", seen.cpus);
	avd__json_u64(json, "cpus_possible", ev->seen.cpus_possible);
	avd__json_u64(json, "nodes", seen.nodes);
	avd__json_u64(json, "llcs", seen.llcs);
	avd__json_u64(json, "cores", seen.cores);
	avd__json_u64(json, "threads_per_core", seen.threads);
	avd__json_u64(json, "packages", seen.packages);
	avd__json_open(json, "table", '[');
	for (uint32_t i = 0; i < ev->seen_count; i++) {
		const struct avd_topology_cpu *cpu = &ev->seen_cpus[i];
		avd__json_open(json, NULL, '{');
		avd__json_u64(json, "cpu", cpu->cpu);
		put_id(json, "node", cpu->node);
		put_id(json, "llc", cpu->llc);
		put_id(json, "core", cpu->core);
		avd__json_u64(json, "thread", cpu->thread);
		put_id(json, "package", cpu->package);
		avd__json_close(json, '}');
	}
	avd__json_close(json, ']');
	avd__json_close(json, '}');
}

void avd__json_topology(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "topology", '{');
	put_asked(json, ev);
	if (ev->have_topology)
		put_cpus(json, ev);
	else
		avd__json_null(json, "seen");
	if (ev->have_asked && ev->have_topology)
		avd__json_bool(json, "same", !ev->topology_difference[0]);
	else
		avd__json_null(json, "same");
	avd__json_cstring(json, "difference",
			  ev->topology_difference[0] ? ev->topology_difference : NULL);
	avd__json_close(json, '}');
}
