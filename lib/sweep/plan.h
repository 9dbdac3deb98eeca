/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The inside of a plan: axes, rules, cells. */
#ifndef AVD_LIB_SWEEP_PLAN_H
#define AVD_LIB_SWEEP_PLAN_H

#include <attachverdict/cell.h>
#include <attachverdict/plan.h>
#include <stdbool.h>

#include "base/error.h"
#include "topology/topology.h"

enum avd__axis_kind {
	AVD__AXIS_SCHEDULER, /* outermost: a scheduler's cells stand together */
	AVD__AXIS_KERNEL,
	AVD__AXIS_TOPOLOGY,
	AVD__AXIS_PAYLOAD,
	AVD__AXIS_COUNT,
};

#define AVD__AXIS_NAME_MAX 64u
/* Values of one axis: more than anybody has kernels; a plan's size has its own limit. */
#define AVD__AXIS_VALUES_MAX 10000u
#define AVD__RULES_MAX 10000u
#define AVD__ID_MAX (AVD__AXIS_COUNT * (AVD__AXIS_NAME_MAX + 1u))

struct avd__axis_value {
	char *name;
	char *text; /* kernel as given, or topology; NULL for programs */
	char **argv; /* NULL behind the last; NULL as a whole: no program */
	size_t argc;
	char *path; /* kernel: the file, once the plan is finished; NULL: there is none */
	uint32_t cpus; /* topology */
	uint64_t digest; /* of what it means, bytes of files included */
};

struct avd__axis {
	struct avd__axis_value *values;
	size_t count, cap;
};

struct avd__rule {
	uint32_t kind; /* enum avd_rule_kind */
	char *match; /* as given, for messages */
	char *pattern[AVD__AXIS_COUNT]; /* NULL: any */
	char *id; /* pattern for the id; NULL: any */
	struct avd_expectation expect;
	bool used;
};

struct avd__planned {
	char *id;
	uint32_t value[AVD__AXIS_COUNT]; /* index on each axis */
	struct avd_expectation expect;
	uint64_t digest;
};

struct avd__setting {
	char *name, *value;
};

struct avd_plan {
	struct avd__error error;
	bool finished;
	struct avd__axis axes[AVD__AXIS_COUNT];
	struct avd__rule *rules;
	size_t rule_count, rule_cap;
	struct avd__setting *settings; /* in the order given; `options` points into them */
	size_t setting_count, setting_cap;
	const char **includes; /* the same */
	struct avd_cell_options options; /* what all cells share */
	struct avd__planned *cells;
	size_t cell_count;
	uint64_t digest;
};

extern const char *const avd__axis_names[AVD__AXIS_COUNT];

/* plan.c */
int avd__plan_open(struct avd_plan *plan); /* -EINVAL once finished */
/* A slot more at the end of *array, zeroed; NULL: out of memory. */
void *avd__plan_grow(void *array, size_t *count, size_t *cap, size_t size);
/* What a cell with so many CPUs gets: as asked, or as a cell takes by default. */
uint64_t avd__plan_memory(const struct avd_plan *plan, uint32_t cpus);
void avd__axis_value_free(struct avd__axis_value *value);

/* rules.c */
int avd__rule_parse(struct avd__rule *rule, uint32_t kind, const char *match, const char *expect,
		    struct avd__error *error);
void avd__rule_free(struct avd__rule *rule);
/* Whether the rule matches these names (by axis) and this id. */
bool avd__rule_matches(const struct avd__rule *rule, const char *const *names, const char *id);
int avd__expectation_parse(const char *text, struct avd_expectation *ret_expect,
			   struct avd__error *error);

#endif
