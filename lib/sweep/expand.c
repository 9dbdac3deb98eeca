// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The product of the axes, filtered by the rules. */
#include <attachverdict/kernel.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cell/config.h"
#include "cell/limits.h"
#include "sweep/digest.h"

static int out_of_memory(struct avd_plan *plan)
{
	return avd__fail(&plan->error, ENOMEM, "out of memory");
}

struct search {
	const char *release;
	char *found;
};

/* Takes the first kernel that has `release`, or its beginning up to a full part, in its path. */
static int match_kernel(void *userdata, const char *path, const char *origin)
{
	struct search *search = userdata;
	const size_t len = strlen(search->release);
	(void)origin;
	for (const char *at = strstr(path, search->release); at;
	     at = strstr(at + 1, search->release)) {
		const char after = at[len];
		if ((at == path || at[-1] == '/' || at[-1] == '-') &&
		    !(after >= '0' && after <= '9')) {
			search->found = strdup(path);
			return 1;
		}
	}
	return 0;
}

static int find_kernel(struct avd_plan *plan, struct avd__axis_value *kernel)
{
	struct search search = {.release = kernel->text};
	char text[512];
	if (strchr(kernel->text, '/')) {
		kernel->path = strdup(kernel->text);
		if (!kernel->path)
			return out_of_memory(plan);
		return access(kernel->path, R_OK) == 0
			       ? 0
			       : avd__fail(&plan->error, errno, "kernel %s: %s", kernel->path,
					   strerror(errno));
	}
	if (strcmp(kernel->text, "default") == 0) {
		const int r = avd_kernel_default(plan->options.cache_dir, &kernel->path, text,
						 sizeof(text));
		return r < 0 ? avd__fail(&plan->error, -r, "%s", text) : 0;
	}
	const int r = avd_kernel_list(plan->options.cache_dir, match_kernel, &search);
	if (r < 0)
		return avd__fail(&plan->error, -r, "cannot list the kernels: %s", strerror(-r));
	if (!r)
		return avd__fail(&plan->error, ENOENT,
				 "no kernel %s is here; 'attachverdict kernel list' shows those "
				 "that are, attachverdict-fetch-kernel gets more; or give "
				 "a path",
				 kernel->text);
	kernel->path = search.found;
	return kernel->path ? 0 : out_of_memory(plan);
}

/* Defaults for axes that nobody named, the kernels' files, and each value's digest. */
static int complete_axes(struct avd_plan *plan)
{
	int r = 0;
	if (!plan->axes[AVD__AXIS_SCHEDULER].count)
		return avd__fail(&plan->error, EINVAL,
				 "the plan names no scheduler: schedulers = [ ... ] in its file, "
				 "or --scheduler");
	if (!plan->axes[AVD__AXIS_KERNEL].count)
		r = avd_plan_add_kernel(plan, NULL, "default");
	if (r == 0 && !plan->axes[AVD__AXIS_TOPOLOGY].count)
		r = avd_plan_add_topology(plan, AVD__CELL_TOPOLOGY);
	for (int kind = 0; r == 0 && kind < AVD__AXIS_COUNT; kind++) {
		for (size_t i = 0; r == 0 && i < plan->axes[kind].count; i++) {
			struct avd__axis_value *value = &plan->axes[kind].values[i];
			struct avd__buf gathered = {0};
			if (kind == AVD__AXIS_KERNEL)
				r = find_kernel(plan, value);
			if (r == 0 && value->path)
				avd__digest_file(&gathered, value->path);
			else if (value->argv)
				avd__digest_program(&gathered, value->argv[0]);
			else if (value->text)
				avd__digest_text(&gathered, value->text);
			for (size_t word = 1; value->argv && word < value->argc; word++)
				avd__digest_text(&gathered, value->argv[word]);
			value->digest = avd__digest(&gathered);
			if (r == 0 && gathered.error)
				r = out_of_memory(plan);
			avd__buf_free(&gathered);
		}
	}
	return r;
}

/* Files that go along, by their bytes: where a path leads to is another thing each day. What is no
 * include is refused by the cell, which says so better. */
static int digest_include(struct avd__buf *gathered, const char *include)
{
	const char *guest;
	char *host;
	const int r = avd__cell_split_include(include, &host, &guest, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	avd__digest_tree(gathered, host);
	free(host);
	return 0;
}

static int complete_settings(struct avd_plan *plan, uint64_t *ret_digest)
{
	struct avd__buf gathered = {0};
	int r = 0;
	plan->includes = calloc(plan->setting_count + 1, sizeof(*plan->includes));
	if (!plan->includes)
		return out_of_memory(plan);
	for (size_t i = 0; i < plan->setting_count; i++) {
		const struct avd__setting *setting = &plan->settings[i];
		if (strcmp(setting->name, "include") == 0)
			plan->includes[plan->options.include_count++] = setting->value;
		/* Where things are kept is no part of what a cell is. */
		if (strcmp(setting->name, "cache-dir") == 0 || strcmp(setting->name, "qemu") == 0)
			continue;
		avd__digest_text(&gathered, setting->name);
		avd__digest_text(&gathered, setting->value);
		if (r == 0 && strcmp(setting->name, "include") == 0)
			r = digest_include(&gathered, setting->value);
	}
	if (plan->options.include_count)
		plan->options.includes = plan->includes;
	*ret_digest = avd__digest(&gathered);
	if (r == 0)
		r = gathered.error;
	avd__buf_free(&gathered);
	return r < 0 ? out_of_memory(plan) : 0;
}

/* What the rules make of a cell: whether it stays, and what it must come to. */
static bool judge(struct avd_plan *plan, const char *const *names, const char *id,
		  struct avd_expectation *ret_expect)
{
	bool includes = false, included = false, excluded = false;
	struct avd_expectation expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED};
	for (size_t i = 0; i < plan->rule_count; i++) {
		struct avd__rule *rule = &plan->rules[i];
		const bool matches = avd__rule_matches(rule, names, id);
		rule->used |= matches;
		if (rule->kind == AVD_RULE_INCLUDE) {
			includes = true;
			included |= matches;
		} else if (rule->kind == AVD_RULE_EXCLUDE) {
			excluded |= matches;
		} else if (matches) {
			expect = rule->expect;
		}
	}
	*ret_expect = expect;
	return !excluded && (included || !includes);
}

static int add_cell(struct avd_plan *plan, size_t *cap, const uint32_t *value, uint64_t settings)
{
	const char *names[AVD__AXIS_COUNT];
	const struct avd__axis_value *values[AVD__AXIS_COUNT];
	struct avd_expectation expect;
	char id[AVD__ID_MAX];
	for (int axis = 0; axis < AVD__AXIS_COUNT; axis++) {
		values[axis] =
			plan->axes[axis].count ? &plan->axes[axis].values[value[axis]] : NULL;
		names[axis] = values[axis] ? values[axis]->name : "";
	}
	snprintf(id, sizeof(id), "%s/%s/%s%s%s", names[AVD__AXIS_KERNEL],
		 names[AVD__AXIS_SCHEDULER], names[AVD__AXIS_TOPOLOGY],
		 *names[AVD__AXIS_PAYLOAD] ? "/" : "", names[AVD__AXIS_PAYLOAD]);
	if (!judge(plan, names, id, &expect))
		return 0;
	if (plan->cell_count == AVD_PLAN_CELLS_MAX)
		return avd__fail(&plan->error, E2BIG, "the plan has more than %u cells",
				 AVD_PLAN_CELLS_MAX);
	struct avd__buf gathered = {0};
	avd__digest_text(&gathered, id);
	avd__buf_append(&gathered, &settings, sizeof(settings));
	for (int axis = 0; axis < AVD__AXIS_COUNT; axis++) {
		const uint64_t digest = values[axis] ? values[axis]->digest : 0;
		avd__buf_append(&gathered, &digest, sizeof(digest));
	}
	const struct avd__planned cell = {
		.id = strdup(id), .expect = expect, .digest = avd__digest(&gathered)};
	avd__buf_free(&gathered);
	struct avd__planned *cells =
		cell.id && cell.digest
			? avd__plan_grow(plan->cells, &plan->cell_count, cap, sizeof(*cells))
			: NULL;
	if (!cells) {
		free(cell.id);
		return out_of_memory(plan);
	}
	plan->cells = cells;
	cells[plan->cell_count - 1] = cell;
	memcpy(cells[plan->cell_count - 1].value, value, sizeof(cell.value));
	return 0;
}

static int make_cells(struct avd_plan *plan, uint64_t settings)
{
	uint32_t value[AVD__AXIS_COUNT] = {0};
	size_t cap = 0;
	for (;;) {
		const int r = add_cell(plan, &cap, value, settings);
		if (r < 0)
			return r;
		/* Counts up, the last axis fastest. */
		int axis = AVD__AXIS_COUNT - 1;
		while (axis >= 0 && value[axis] + 1 >= plan->axes[axis].count)
			value[axis--] = 0;
		if (axis < 0)
			return 0;
		value[axis]++;
	}
}

static int check_rules(struct avd_plan *plan)
{
	static const char *const kinds[] = {"", "include", "exclude", "expect"};
	for (size_t i = 0; i < plan->rule_count; i++) {
		if (!plan->rules[i].used)
			return avd__fail(&plan->error, EINVAL,
					 "the %s rule \"%.200s\" matches no cell; without it "
					 "'attachverdict sweep --list' shows their names",
					 kinds[plan->rules[i].kind], plan->rules[i].match);
	}
	return plan->cell_count ? 0
				: avd__fail(&plan->error, EINVAL,
					    "the rules (include, exclude) leave no cell at all");
}

int avd_plan_finish(avd_plan *plan)
{
	uint64_t settings = 0;
	int r = avd__plan_open(plan);
	if (r == 0)
		r = complete_axes(plan);
	if (r == 0)
		r = complete_settings(plan, &settings);
	if (r == 0)
		r = make_cells(plan, settings);
	if (r == 0)
		r = check_rules(plan);
	if (r < 0)
		return r;
	struct avd__buf gathered = {0};
	for (size_t i = 0; i < plan->cell_count; i++)
		avd__buf_append(&gathered, &plan->cells[i].digest, sizeof(uint64_t));
	plan->digest = avd__digest(&gathered);
	r = gathered.error;
	avd__buf_free(&gathered);
	if (r < 0)
		return out_of_memory(plan);
	plan->finished = true;
	return 0;
}
