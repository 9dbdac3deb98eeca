// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_sweep.h"
#include "exit_style.h"

/* As many as the library allows. */
#define JOBS_MAX 1024u

enum {
	OPT_TOPOLOGY = 256,
	OPT_PAYLOAD,
	OPT_ONLY,
	OPT_SKIP,
	OPT_EXPECT,
	OPT_SET,
	OPT_LIST,
	OPT_SHARD,
	OPT_CELLS,
	OPT_FAIL_FAST,
	OPT_RERUN_FAILED,
	OPT_MACHINE,
	OPT_MEMORY,
	OPT_EXIT_STYLE,
};

const struct cli_option sweep_options[SWEEP_OPTION_COUNT] = {
	{'o', "out", "DIR", "the results; started again, it goes on"},
	{'s', "scheduler", "'CMD ARG...'", "repeatable, as all axes are"},
	{'k', "kernel", "IMAGE|7.3", "an image, or the newest such release"},
	{OPT_TOPOLOGY, "topology", "SHAPE", "CPUs: 4, 2n4l4c2t, a preset; or help [2]"},
	{OPT_PAYLOAD, "payload", "'CMD ARG...'", "run it after the attach"},
	{OPT_ONLY, "only", "MATCH", "cells that match, such as kernel=7.*"},
	{OPT_SKIP, "skip", "MATCH", "drop the cells that match"},
	{OPT_EXPECT, "expect", "MATCH:WHAT", "such as scheduler=bad:DIED/exited [passed]"},
	{OPT_MEMORY, "memory", "SIZE", "of each machine [1G]"},
	{OPT_MACHINE, "machine", "auto|qemu|kvm", "what to run cells in [auto]"},
	{OPT_SET, "set", "NAME=VALUE", "any other option of run, without its dashes"},
	{'j', "jobs", "N", "cells at a time [as CPUs and memory allow]"},
	{OPT_LIST, "list", NULL, "print the plan's cells and run nothing"},
	{OPT_SHARD, "shard", "M/N", "the Mth of N equal parts of the plan"},
	{OPT_CELLS, "cells", "A-B|none", "only these, by their numbers in the list"},
	{OPT_FAIL_FAST, "fail-fast", NULL, "after one that is not as expected start no more"},
	{OPT_RERUN_FAILED, "rerun-failed", NULL, "run again what is not as expected"},
	{OPT_EXIT_STYLE, "exit-style", "STYLE", "default, tap, bisect or kselftest"},
	CLI_OPTION_HELP,
};

static int plan_failed(const struct sweep_request *request)
{
	cli_error("%s", avd_plan_error(request->plan));
	return CLI_USAGE;
}

/* A program of the command line's: its words, and where $PATH has it. */
static int add_program(const struct cli_command *command, const char *option, const char *text,
		       struct sweep_request *request)
{
	char **words;
	size_t count;
	const int r = cli_split_words(text, &words, &count);
	if (r == -ENOMEM)
		return cli_error("out of memory");
	if (r < 0 || !count) {
		if (r == 0)
			free(words);
		return cli_usage(command, "sweep: --%s '%s' %s", option, text,
				 r < 0 ? "has an open quote" : "is empty");
	}
	char *found = cli_find_program(words[0]);
	if (found)
		words[0] = found;
	const char *const *argv = (const char *const *)words;
	const int added = strcmp(option, "payload") == 0
				  ? avd_plan_add_payload(request->plan, NULL, argv, count)
				  : avd_plan_add_scheduler(request->plan, NULL, argv, count);
	free(found);
	free(words);
	return added < 0 ? plan_failed(request) : 0;
}

static int add_expect(const struct cli_command *command, const char *text,
		      struct sweep_request *request)
{
	const char *cut = strrchr(text, ':');
	char *match = cut ? strndup(text, (size_t)(cut - text)) : NULL;
	if (!cut)
		return cli_usage(command, "sweep: --expect '%s' is not MATCH:WHAT", text);
	if (!match)
		return cli_error("out of memory");
	const int r = avd_plan_add_rule(request->plan, AVD_RULE_EXPECT, match, cut + 1);
	free(match);
	return r < 0 ? plan_failed(request) : 0;
}

static int set_option(const struct cli_command *command, const char *text,
		      struct sweep_request *request)
{
	const char *cut = strchr(text, '=');
	char *name = cut ? strndup(text, (size_t)(cut - text)) : NULL;
	if (!cut)
		return cli_usage(command, "sweep: --set '%s' is not NAME=VALUE", text);
	if (!name)
		return cli_error("out of memory");
	const int r = avd_plan_set(request->plan, name, cut + 1);
	free(name);
	return r < 0 ? plan_failed(request) : 0;
}

static int parse_part(const struct cli_command *command, int id, const char *value,
		      struct sweep_request *request)
{
	struct avd_sweep_options *o = &request->options;
	if (id == OPT_SHARD)
		return cli_parse_shard(command, value, &o->shard, &o->shards);
	if (strcmp(value, "none") == 0) {
		o->flags |= AVD_SWEEP_NO_CELLS;
		return 0;
	}
	o->flags &= ~(uint32_t)AVD_SWEEP_NO_CELLS; /* the last word counts */
	return cli_parse_cells(command, value, &o->first, &o->count);
}

static int parse_axis(const struct cli_command *command, int id, const char *value,
		      struct sweep_request *request)
{
	avd_plan *plan = request->plan;
	int r;
	switch (id) {
	case CLI_OPTION_ARGUMENT:
		r = avd_plan_load(plan, value);
		break;
	case 's':
		return add_program(command, "scheduler", value, request);
	case OPT_PAYLOAD:
		return add_program(command, "payload", value, request);
	case 'k':
		r = avd_plan_add_kernel(plan, NULL, value);
		break;
	case OPT_TOPOLOGY:
		r = avd_plan_add_topology(plan, value);
		break;
	case OPT_ONLY:
		r = avd_plan_add_rule(plan, AVD_RULE_INCLUDE, value, NULL);
		break;
	case OPT_SKIP:
		r = avd_plan_add_rule(plan, AVD_RULE_EXCLUDE, value, NULL);
		break;
	case OPT_EXPECT:
		return add_expect(command, value, request);
	case OPT_MEMORY:
		r = avd_plan_set(plan, "memory", value);
		break;
	case OPT_MACHINE:
		r = avd_plan_set(plan, "machine", value);
		break;
	default:
		return set_option(command, value, request);
	}
	return r < 0 ? plan_failed(request) : 0;
}

static int parse_option(const struct cli_command *command, int id, const char *value,
			struct sweep_request *request)
{
	switch (id) {
	case 'o':
		request->options.dir = value;
		return 0;
	case 'j':
		return cli_parse_count(command, "jobs", value, JOBS_MAX, &request->options.jobs);
	case OPT_LIST:
		request->list = 1;
		return 0;
	case OPT_FAIL_FAST:
		request->options.flags |= AVD_SWEEP_FAIL_FAST;
		return 0;
	case OPT_RERUN_FAILED:
		request->options.flags |= AVD_SWEEP_RERUN_FAILED;
		return 0;
	case OPT_EXIT_STYLE: /* exit_style_of() took it already */
		return exit_style_parse(command, value, &(uint32_t){0});
	case OPT_SHARD:
	case OPT_CELLS:
		return parse_part(command, id, value, request);
	default:
		return parse_axis(command, id, value, request);
	}
}

int sweep_parse(const struct cli_command *command, int argc, char **argv,
		struct sweep_request *ret_request)
{
	const char *value;
	int id, code;
	*ret_request =
		(struct sweep_request){.options = AVD_OPTIONS_INIT(struct avd_sweep_options)};
	if (avd_plan_new(&ret_request->plan) < 0)
		return cli_error("out of memory");
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		if (id == OPT_TOPOLOGY && !strcmp(value, "help"))
			return cli_list_topologies();
		code = parse_option(command, id, value, ret_request);
		if (code)
			return code;
	}
	const struct avd_sweep_options *o = &ret_request->options;
	if (ret_request->list && (o->shards || o->count || o->flags & AVD_SWEEP_NO_CELLS))
		return cli_usage(command, "sweep: --list is of the whole plan: leave out --shard "
					  "and --cells");
	if (!ret_request->list && !ret_request->options.dir)
		return cli_usage(command, "sweep: no directory for the results: --out DIR");
	if (avd_plan_finish(ret_request->plan) < 0)
		return plan_failed(ret_request);
	return -1;
}
