// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_run.h"
#include "exit_style.h"

/* A week of the quickest cells; beyond it a mistake is likelier. */
#define REPEAT_MAX 1000000u

enum {
	OPT_TOPOLOGY = 256,
	OPT_MEMORY,
	OPT_PAYLOAD,
	OPT_INCLUDE,
	OPT_DISPATCH,
	OPT_MACHINE,
	OPT_QEMU,
	OPT_KERNEL_ARGS,
	OPT_CACHE_DIR,
	OPT_KEEP,
	/* limits */
	OPT_TIMEOUT,
	OPT_BOOT_TIMEOUT,
	OPT_SILENCE_TIMEOUT,
	OPT_IDLE_TIMEOUT,
	OPT_SETTLE,
	OPT_BUDGET_CPU,
	OPT_BUDGET_WALL,
	OPT_PAYLOAD_TIMEOUT,
	OPT_DISPATCH_TIMEOUT,
	OPT_LOG_LIMIT,
	OPT_CHANNEL_LIMIT,
	OPT_CARRIER,
	OPT_NO_SANDBOX,
	OPT_VERIFIER_STATS,
	OPT_VERIFIER_LOG,
	OPT_REPEAT,
	OPT_EXIT_STYLE,
};

const struct cli_option run_options[RUN_OPTION_COUNT] = {
	{'s', "scheduler", "PROGRAM", "the scheduler: a program or a .bpf.o; required"},
	{'k', "kernel", "IMAGE", "[the running kernel, else the newest fetched]"},
	{OPT_TOPOLOGY, "topology", "SHAPE", "CPUs: 4, 2n4l4c2t, a preset; or help [2]"},
	{OPT_MEMORY, "memory", "SIZE", "memory, such as 512M or 2G [1G]"},
	{OPT_PAYLOAD, "payload", "'CMD ARG...'", "run it after the attach; it must exit 0"},
	{OPT_INCLUDE, "include", "HOST[:GUEST]", "file or directory to bring along; repeatable"},
	{OPT_DISPATCH, "dispatch", "off|quick|full", "do all CPUs and tasks make progress [quick]"},
	{OPT_MACHINE, "machine", "auto|qemu|kvm", "what to run it in [auto]"},
	{OPT_QEMU, "qemu", "PATH", "[qemu-system-x86_64 in $PATH]"},
	{'r', "record", "FILE", "write the recording, for replay"},
	{OPT_KEEP, "keep", "DIR", "leave initramfs, console, command line in DIR"},
	{'f', "format", "text|json", "form of the report [text]"},
	{'v', "verbose", NULL, "phases as they come, all evidence"},
	CLI_OPTION_HELP,
	{OPT_TIMEOUT, "timeout", "DURATION", NULL},
	{OPT_BOOT_TIMEOUT, "boot-timeout", "DURATION", NULL},
	{OPT_SILENCE_TIMEOUT, "silence-timeout", "DURATION", NULL},
	{OPT_IDLE_TIMEOUT, "idle-timeout", "DURATION", NULL},
	{OPT_SETTLE, "settle", "DURATION", NULL},
	{OPT_BUDGET_CPU, "budget-cpu", "DURATION", NULL},
	{OPT_BUDGET_WALL, "budget-wall", "DURATION", NULL},
	{OPT_PAYLOAD_TIMEOUT, "payload-timeout", "DURATION", NULL},
	{OPT_DISPATCH_TIMEOUT, "dispatch-timeout", "DURATION", NULL},
	{OPT_LOG_LIMIT, "log-limit", "SIZE", NULL},
	{OPT_CHANNEL_LIMIT, "channel-limit", "SIZE", NULL},
	{OPT_CARRIER, "carrier", "WORD", NULL},
	{OPT_NO_SANDBOX, "no-sandbox", NULL, NULL},
	{OPT_VERIFIER_STATS, "verifier-stats", "WORD", NULL},
	{OPT_VERIFIER_LOG, "verifier-log", "LEVEL", NULL},
	{OPT_REPEAT, "repeat", "N", NULL},
	{OPT_KERNEL_ARGS, "kernel-args", "STRING", NULL},
	{OPT_CACHE_DIR, "cache-dir", "DIR", NULL},
	{OPT_EXIT_STYLE, "exit-style", "WORD", NULL},
};

const char run_more[] =
	"More: --carrier auto|serial|window --silence-timeout [60s] --boot-timeout [120s]\n"
	"  --channel-limit [256M] --verifier-log 0|1|2|4 --dispatch-timeout --no-sandbox\n"
	"  --idle-timeout [60s] --budget-wall [120s] --budget-cpu [35s] --payload-timeout\n"
	"  --repeat N --settle [100ms] --timeout [600s] --verifier-stats --log-limit [4M]\n"
	"  --kernel-args STRING --cache-dir DIR --exit-style default|tap|bisect|kselftest\n"
	"Exit status: 0 passed; 1 failed, with a verdict; 2 wrong usage; 3 not tried";

static const char *name_of(int id)
{
	for (size_t i = 0; i < RUN_OPTION_COUNT; i++) {
		if (run_options[i].id == id)
			return run_options[i].name;
	}
	return "";
}

static int parse_payload(const struct cli_command *command, const char *text,
			 struct run_request *request)
{
	free(request->payload);
	request->payload = NULL;
	const int r = cli_split_words(text, &request->payload, &request->cell.payload_count);
	if (r == -ENOMEM)
		return cli_error("out of memory");
	if (r < 0)
		return cli_usage(command, "run: --payload: a quote is not closed in: %s", text);
	if (request->cell.payload_count == 0)
		return cli_usage(command, "run: --payload: it names no program");
	request->cell.payload = (const char *const *)request->payload;
	return 0;
}

/* Options that a plan's settings have, too, read by the same code of the library. */
static int parse_setting(const struct cli_command *command, int id, const char *value,
			 struct avd_cell_options *cell)
{
	char error[1024];
	const int r = avd_cell_options_set(cell, name_of(id), value, error, sizeof(error));
	return r < 0 ? cli_usage(command, "run: --%s", error) : 0;
}

static int parse_option(const struct cli_command *command, int id, const char *value,
			struct run_request *request)
{
	struct avd_cell_options *cell = &request->cell;
	switch (id) {
	case 'v':
		request->verbose = 1;
		return 0;
	case 'f':
		return cli_parse_format(command, value, &request->format);
	case 's':
		request->scheduler[0] = value;
		return 0;
	case 'k':
		cell->kernel = value;
		return 0;
	case 'r':
		request->record = value;
		return 0;
	case OPT_KEEP:
		request->keep = value;
		return 0;
	case OPT_TOPOLOGY:
		cell->topology = value;
		return 0;
	case OPT_INCLUDE:
		request->includes[cell->include_count++] = value;
		return 0;
	case OPT_PAYLOAD:
		return parse_payload(command, value, request);
	case OPT_NO_SANDBOX:
		cell->sandbox = AVD_SANDBOX_OFF;
		return 0;
	case OPT_EXIT_STYLE: /* exit_style_of() took it already */
		return exit_style_parse(command, value, &request->exit_style);
	case OPT_REPEAT:
		return cli_parse_count(command, "repeat", value, REPEAT_MAX, &request->repeat);
	case CLI_OPTION_ARGUMENT:
		return cli_usage(command,
				 "run: unexpected argument '%s': the scheduler is named with "
				 "--scheduler and its arguments stand behind --",
				 value);
	default:
		return parse_setting(command, id, value, cell);
	}
}

/* Not given, it would have a meaning; given as nothing, it is a variable that was not set. */
static int must_not_be_empty(int id)
{
	static const int ids[] = {'s',		'k',	     'r',      OPT_KEEP,
				  OPT_TOPOLOGY, OPT_INCLUDE, OPT_QEMU, OPT_KERNEL_ARGS,
				  OPT_CACHE_DIR};
	for (size_t i = 0; i < CLI_COUNT(ids); i++) {
		if (ids[i] == id)
			return 1;
	}
	return 0;
}

int run_parse(const struct cli_command *command, int argc, char **argv,
	      struct run_request *ret_request)
{
	struct avd_cell_options *cell = &ret_request->cell;
	const char *value;
	int id, code;

	*ret_request = (struct run_request){.cell = AVD_OPTIONS_INIT(struct avd_cell_options)};
	/* No list can be longer than the command line. */
	ret_request->scheduler = calloc((size_t)argc + 1, sizeof(char *));
	ret_request->includes = calloc((size_t)argc + 1, sizeof(char *));
	if (!ret_request->scheduler || !ret_request->includes)
		return cli_error("out of memory");
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		if (id == CLI_OPTION_STOP)
			return code;
		if (id == OPT_TOPOLOGY && !strcmp(value, "help"))
			return cli_list_topologies();
		code = must_not_be_empty(id) && !*value
			       ? cli_usage(command, "run: --%s: its value is empty", name_of(id))
			       : parse_option(command, id, value, ret_request);
		if (code)
			return code;
	}
	if (!ret_request->scheduler[0])
		return cli_usage(command, "run: no scheduler was named: --scheduler PROGRAM");
	cell->scheduler_count = 1;
	while (optind < argc)
		ret_request->scheduler[cell->scheduler_count++] = argv[optind++];
	ret_request->found[0] = cli_find_program(ret_request->scheduler[0]);
	if (ret_request->found[0])
		ret_request->scheduler[0] = ret_request->found[0];
	ret_request->found[1] =
		ret_request->payload ? cli_find_program(ret_request->payload[0]) : NULL;
	if (ret_request->found[1])
		ret_request->payload[0] = ret_request->found[1];
	cell->record_path = ret_request->record;
	cell->keep_dir = ret_request->keep;
	cell->scheduler = ret_request->scheduler;
	cell->includes = ret_request->includes;
	return -1;
}

void run_request_free(struct run_request *request)
{
	free(request->scheduler);
	free(request->includes);
	free(request->payload);
	free(request->found[0]);
	free(request->found[1]);
}
