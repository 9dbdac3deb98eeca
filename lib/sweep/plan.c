// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cell/limits.h"
#include "cell/settings.h"

/* What a name may consist of; ids and files' names are made of names. */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-"

static int out_of_memory(struct avd_plan *plan)
{
	return avd__fail(&plan->error, ENOMEM, "out of memory");
}

int avd_plan_new(avd_plan **ret_plan)
{
	struct avd_plan *plan = calloc(1, sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	plan->options.size = sizeof(plan->options);
	*ret_plan = plan;
	return 0;
}

void avd__axis_value_free(struct avd__axis_value *value)
{
	for (size_t i = 0; value->argv && i < value->argc; i++)
		free(value->argv[i]);
	free(value->argv);
	free(value->name);
	free(value->text);
	free(value->path);
	*value = (struct avd__axis_value){0};
}

void avd_plan_free(avd_plan *plan)
{
	if (!plan)
		return;
	for (int axis = 0; axis < AVD__AXIS_COUNT; axis++) {
		for (size_t i = 0; i < plan->axes[axis].count; i++)
			avd__axis_value_free(&plan->axes[axis].values[i]);
		free(plan->axes[axis].values);
	}
	for (size_t i = 0; i < plan->rule_count; i++)
		avd__rule_free(&plan->rules[i]);
	free(plan->rules);
	for (size_t i = 0; i < plan->setting_count; i++) {
		free(plan->settings[i].name);
		free(plan->settings[i].value);
	}
	free(plan->settings);
	free(plan->includes);
	for (size_t i = 0; i < plan->cell_count; i++)
		free(plan->cells[i].id);
	free(plan->cells);
	free(plan);
}

const char *avd_plan_error(const avd_plan *plan)
{
	return plan->error.text;
}

int avd__plan_open(struct avd_plan *plan)
{
	return plan->finished ? avd__fail(&plan->error, EINVAL,
					  "the plan is finished and takes nothing more")
			      : 0;
}

void *avd__plan_grow(void *array, size_t *count, size_t *cap, size_t size)
{
	if (*count == *cap) {
		const size_t more = *cap ? *cap * 2 : 8;
		void *grown = reallocarray(array, more, size);
		if (!grown)
			return NULL;
		array = grown;
		*cap = more;
	}
	memset((char *)array + *count * size, 0, size);
	(*count)++;
	return array;
}

/* Appends what of `text` a name may hold, other characters as '-'. */
static void append_name(char *name, const char *text, size_t len)
{
	size_t at = strlen(name);
	for (size_t i = 0; i < len && at < AVD__AXIS_NAME_MAX; i++)
		name[at++] = text[i];
	name[at] = '\0';
	for (char *bad = name; *(bad += strspn(bad, NAME_CHARACTERS)); bad++)
		*bad = '-';
}

/* The last part of a path, without what says nothing. */
static void append_base(char *name, const char *path)
{
	static const char *const dull[] = {"vmlinuz", "vmlinux", "bzImage"};
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(dull) && base > path + 1; i++) {
		if (strcmp(base, dull[i]) == 0) { /* its directory tells more */
			const char *end = base - 1;
			base = end;
			while (base > path && base[-1] != '/')
				base--;
			append_name(name, base, (size_t)(end - base));
			return;
		}
	}
	size_t len = strlen(base);
	if (strncmp(base, "vmlinuz-", 8) == 0) {
		base += 8;
		len -= 8;
	}
	if (len > 6 && strcmp(base + len - 6, ".bpf.o") == 0)
		len -= 6;
	append_name(name, base, len);
}

static void make_name(const struct avd__axis_value *value, char *name)
{
	*name = '\0';
	if (!value->argv) {
		append_base(name, value->text);
		return;
	}
	append_base(name, value->argv[0]);
	for (size_t i = 1; i < value->argc; i++) {
		const char *argument = value->argv[i] + strspn(value->argv[i], "-");
		append_name(name, "+", 1);
		append_name(name, argument, strlen(argument));
	}
}

/* Takes `value` over, also when it fails. */
static int add_value(struct avd_plan *plan, enum avd__axis_kind kind, const char *name,
		     struct avd__axis_value *value)
{
	struct avd__axis *axis = &plan->axes[kind];
	char made[AVD__AXIS_NAME_MAX + 1];
	int r = 0;
	if (!name) {
		make_name(value, made);
		name = made;
	}
	const size_t len = strlen(name);
	if (!len || len > AVD__AXIS_NAME_MAX || strspn(name, NAME_CHARACTERS) != len)
		r = avd__fail(&plan->error, EINVAL,
			      "%s \"%.80s\" is no name: 1 to %u of the characters A-Z a-z 0-9 . _ "
			      "+ -",
			      avd__axis_names[kind], name, AVD__AXIS_NAME_MAX);
	for (size_t i = 0; r == 0 && i < axis->count; i++) {
		if (strcmp(axis->values[i].name, name) == 0)
			r = avd__fail(&plan->error, EINVAL,
				      "there are two values \"%s\" of %s; give one another name",
				      name, avd__axis_names[kind]);
	}
	if (r == 0 && axis->count == AVD__AXIS_VALUES_MAX)
		r = avd__fail(&plan->error, E2BIG, "more than %u values of %s",
			      AVD__AXIS_VALUES_MAX, avd__axis_names[kind]);
	if (r == 0 && !(value->name = strdup(name)))
		r = out_of_memory(plan);
	if (r == 0) {
		struct avd__axis_value *values =
			avd__plan_grow(axis->values, &axis->count, &axis->cap, sizeof(*values));
		if (!values) {
			r = out_of_memory(plan);
		} else {
			axis->values = values;
			values[axis->count - 1] = *value;
		}
	}
	if (r < 0)
		avd__axis_value_free(value);
	return r;
}

static int add_text(struct avd_plan *plan, enum avd__axis_kind kind, const char *name,
		    const char *text, uint32_t cpus)
{
	int r = avd__plan_open(plan);
	if (r < 0)
		return r;
	if (!text || !*text)
		return avd__fail(&plan->error, EINVAL, "a %s is empty", avd__axis_names[kind]);
	struct avd__axis_value value = {.text = strdup(text), .cpus = cpus};
	return value.text ? add_value(plan, kind, name, &value) : out_of_memory(plan);
}

static int add_program(struct avd_plan *plan, enum avd__axis_kind kind, const char *name,
		       const char *const *argv, size_t count)
{
	struct avd__axis_value value = {0};
	int r = avd__plan_open(plan);
	if (r < 0)
		return r;
	if (!argv || !count || !argv[0] || !*argv[0])
		return avd__fail(&plan->error, EINVAL, "a %s has no program",
				 avd__axis_names[kind]);
	value.argv = calloc(count + 1, sizeof(*value.argv));
	for (; value.argv && value.argc < count; value.argc++) {
		if (!argv[value.argc])
			r = avd__fail(&plan->error, EINVAL, "argument %zu of %s is NULL",
				      value.argc, avd__axis_names[kind]);
		else if (!(value.argv[value.argc] = strdup(argv[value.argc])))
			r = out_of_memory(plan);
		if (r < 0)
			break;
	}
	if (r == 0 && value.argv)
		return add_value(plan, kind, name, &value);
	avd__axis_value_free(&value);
	return r < 0 ? r : out_of_memory(plan);
}

int avd_plan_add_kernel(avd_plan *plan, const char *name, const char *kernel)
{
	return add_text(plan, AVD__AXIS_KERNEL, name, kernel, 0);
}

int avd_plan_add_scheduler(avd_plan *plan, const char *name, const char *const *argv, size_t count)
{
	return add_program(plan, AVD__AXIS_SCHEDULER, name, argv, count);
}

int avd_plan_add_payload(avd_plan *plan, const char *name, const char *const *argv, size_t count)
{
	return add_program(plan, AVD__AXIS_PAYLOAD, name, argv, count);
}

int avd_plan_add_topology(avd_plan *plan, const char *topology)
{
	struct avd__topology shape;
	if (!topology)
		return avd__fail(&plan->error, EINVAL, "a topology is empty");
	const int r = avd__topology_parse(topology, &shape, &plan->error);
	return r < 0 ? r : add_text(plan, AVD__AXIS_TOPOLOGY, topology, topology, shape.cpus);
}

int avd_plan_add_rule(avd_plan *plan, uint32_t kind, const char *match, const char *expect)
{
	struct avd__rule rule;
	int r = avd__plan_open(plan);
	if (r == 0 && plan->rule_count == AVD__RULES_MAX)
		r = avd__fail(&plan->error, E2BIG, "more than %u rules", AVD__RULES_MAX);
	if (r == 0)
		r = avd__rule_parse(&rule, kind, match ? match : "", expect, &plan->error);
	if (r < 0)
		return r;
	struct avd__rule *rules =
		avd__plan_grow(plan->rules, &plan->rule_count, &plan->rule_cap, sizeof(*rules));
	if (!rules) {
		avd__rule_free(&rule);
		return out_of_memory(plan);
	}
	plan->rules = rules;
	rules[plan->rule_count - 1] = rule;
	return 0;
}

int avd_plan_set(avd_plan *plan, const char *name, const char *value)
{
	struct avd__setting setting = {0};
	int r = avd__plan_open(plan);
	if (r < 0)
		return r;
	if (!name || !value)
		return avd__fail(&plan->error, EINVAL, "a setting lacks its %s",
				 name ? "value" : "name");
	setting.name = strdup(name);
	setting.value = strdup(value);
	struct avd_cell_options options = plan->options;
	if (!setting.name || !setting.value)
		r = out_of_memory(plan);
	else if (strcmp(name, "include") != 0)
		r = avd__cell_setting(&options, name, setting.value, &plan->error);
	struct avd__setting *settings =
		r < 0 ? NULL
		      : avd__plan_grow(plan->settings, &plan->setting_count, &plan->setting_cap,
				       sizeof(*settings));
	if (!settings) {
		free(setting.name);
		free(setting.value);
		return r < 0 ? r : out_of_memory(plan);
	}
	plan->settings = settings;
	settings[plan->setting_count - 1] = setting;
	plan->options = options;
	return 0;
}

size_t avd_plan_count(const avd_plan *plan)
{
	return plan->finished ? plan->cell_count : 0;
}

uint64_t avd_plan_digest(const avd_plan *plan)
{
	return plan->digest;
}

uint64_t avd__plan_memory(const struct avd_plan *plan, uint32_t cpus)
{
	return plan->options.memory_bytes
		       ? plan->options.memory_bytes
		       : avd__cell_for_cpus(AVD__CELL_MEMORY, AVD__CELL_MEMORY_CPU, cpus);
}

int avd_plan_get(const avd_plan *plan, size_t index, struct avd_plan_cell *ret_cell)
{
	if (index >= avd_plan_count(plan))
		return -ERANGE;
	const struct avd__planned *cell = &plan->cells[index];
	const struct avd__axis_value *value[AVD__AXIS_COUNT] = {0};
	for (int axis = 0; axis < AVD__AXIS_COUNT; axis++) {
		if (plan->axes[axis].count)
			value[axis] = &plan->axes[axis].values[cell->value[axis]];
	}
	const struct avd__axis_value *payload = value[AVD__AXIS_PAYLOAD];
	*ret_cell = (struct avd_plan_cell){
		.id = cell->id,
		.kernel_name = value[AVD__AXIS_KERNEL]->name,
		.scheduler_name = value[AVD__AXIS_SCHEDULER]->name,
		.topology = value[AVD__AXIS_TOPOLOGY]->text,
		.payload_name = payload ? payload->name : "",
		.kernel = value[AVD__AXIS_KERNEL]->path,
		.scheduler = (const char *const *)value[AVD__AXIS_SCHEDULER]->argv,
		.scheduler_count = value[AVD__AXIS_SCHEDULER]->argc,
		.payload = payload ? (const char *const *)payload->argv : NULL,
		.payload_count = payload ? payload->argc : 0,
		.expect = cell->expect,
		.cpus = value[AVD__AXIS_TOPOLOGY]->cpus,
		.memory_bytes = avd__plan_memory(plan, value[AVD__AXIS_TOPOLOGY]->cpus),
		.digest = cell->digest,
	};
	return 0;
}
