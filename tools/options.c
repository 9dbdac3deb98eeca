// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define OPTIONS_MAX 48 /* of one command */

static void print_option(const struct cli_option *option, int width)
{
	char left[64];
	const char *arg = option->arg ? option->arg : "";
	if (option->id < 256)
		snprintf(left, sizeof(left), "-%c, --%s %s", option->id, option->name, arg);
	else
		snprintf(left, sizeof(left), "    --%s %s", option->name, arg);
	printf("  %-*s %s\n", width, left, option->help);
}

void cli_print_help(const struct cli_command *command)
{
	size_t width = 0;
	printf("Usage: " CLI_NAME " %s%s%s\n%s\n\n", command->name, *command->usage ? " " : "",
	       command->usage, command->about);
	for (size_t i = 0; i < command->option_count; i++) {
		const struct cli_option *option = &command->options[i];
		const size_t len =
			strlen(option->name) + (option->arg ? strlen(option->arg) : 0) + 8;
		if (option->help && len > width)
			width = len;
	}
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].help)
			print_option(&command->options[i], (int)width);
	}
	if (command->more)
		printf("%s\n", command->more);
}

/* Bytes of the UTF-8 sequence at `at`; 0 of what is none, or is a control character (C1). */
static size_t sequence(const unsigned char *at)
{
	const size_t len = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
	if (*at < 0xc2 || *at > 0xf4 || (*at == 0xc2 && at[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

/* A line may quote any word of the command line, such as a name that a shell's `*` found. */
static void line(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
static void line(const char *fmt, va_list args)
{
	char *text = NULL;
	fputs(CLI_NAME ": ", stderr);
	if (vasprintf(&text, fmt, args) < 0) {
		fputs("out of memory", stderr);
		return;
	}
	for (const char *at = text; *at;) {
		const unsigned char c = (unsigned char)*at;
		const size_t len = c >= 0x20 && c < 0x7f ? 1 : sequence((const unsigned char *)at);
		if (len)
			fwrite(at, 1, len, stderr);
		else
			fprintf(stderr, "\\x%02x", c);
		at += len ? len : 1;
	}
	free(text);
}

int cli_usage(const struct cli_command *command, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	line(fmt, args);
	va_end(args);
	if (command)
		fprintf(stderr, "; try '" CLI_NAME " %s --help'\n", command->name);
	else
		fprintf(stderr, "; try '" CLI_NAME " --help'\n");
	return CLI_USAGE;
}

int cli_error(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	line(fmt, args);
	va_end(args);
	fputs("\n", stderr);
	return CLI_NOT_TRIED;
}

static const struct cli_option *find_option(const struct cli_command *command, int id)
{
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].id == id)
			return &command->options[i];
	}
	return NULL;
}

/* getopt's tables from ours. '-' hands out arguments in their place, ':' tells a missing
 * value from an unknown option. */
static void make_tables(const struct cli_command *command, char *letters, struct option *names)
{
	*letters++ = '-';
	*letters++ = ':';
	for (size_t i = 0; i < command->option_count && i < OPTIONS_MAX; i++) {
		const struct cli_option *option = &command->options[i];
		*names++ = (struct option){
			.name = option->name,
			.has_arg = option->arg ? required_argument : no_argument,
			.val = option->id,
		};
		if (option->id > 255)
			continue;
		*letters++ = (char)option->id;
		if (option->arg)
			*letters++ = ':';
	}
	*letters = '\0';
	*names = (struct option){0};
}

static int wrong_option(const struct cli_command *command, int what, const char *word)
{
	const struct cli_option *option = find_option(command, optopt);
	if (what == ':' && option)
		return cli_usage(command, "%s: --%s needs a value: %s", command->name, option->name,
				 option->arg);
	if (option && !option->arg)
		return cli_usage(command, "%s: --%s takes no value", command->name, option->name);
	if (optopt)
		return cli_usage(command, "%s: unknown option '-%c'", command->name, optopt);
	return cli_usage(command, "%s: unknown or ambiguous option '%s'", command->name, word);
}

/* Set once getopt has come to its end: called again it would go back to where that was. */
static int at_rest;

static int next_of_rest(const struct cli_command *command, int argc, char **argv,
			const char **ret_value)
{
	if (command->keeps_rest || optind >= argc)
		return -1;
	*ret_value = argv[optind++];
	return CLI_OPTION_ARGUMENT;
}

int cli_next_option(const struct cli_command *command, int argc, char **argv,
		    const char **ret_value, int *ret_exit)
{
	char letters[2 * OPTIONS_MAX + 3];
	struct option names[OPTIONS_MAX + 1];

	make_tables(command, letters, names);
	if (at_rest)
		return next_of_rest(command, argc, argv, ret_value);
	opterr = 0;
	const int id = getopt_long(argc, argv, letters, names, NULL);
	if (id == -1) {
		at_rest = 1;
		return next_of_rest(command, argc, argv, ret_value);
	}
	if (id == '?' || id == ':') {
		*ret_exit = wrong_option(command, id, argv[optind - 1]);
		return CLI_OPTION_STOP;
	}
	if (id == 'h') {
		cli_print_help(command);
		*ret_exit = CLI_PASSED;
		return CLI_OPTION_STOP;
	}
	*ret_value = optarg;
	return id;
}

int cli_parse_size(const struct cli_command *command, const char *option, const char *text,
		   uint64_t *ret_bytes)
{
	if (avd_parse_size(text, ret_bytes) == 0)
		return 0;
	return cli_usage(command,
			 "%s: --%s '%s' is no size: a whole number above 0 with its unit, "
			 "such as 512M or 2G",
			 command->name, option, text);
}

int cli_parse_count(const struct cli_command *command, const char *option, const char *text,
		    uint32_t most, uint32_t *ret_count)
{
	char *end;
	errno = 0;
	const unsigned long count = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && count && count <= most) {
		*ret_count = (uint32_t)count;
		return 0;
	}
	return cli_usage(command, "%s: --%s '%s' is no whole number from 1 to %u", command->name,
			 option, text, most);
}

int cli_parse_word(const struct cli_command *command, const char *option, const char *text,
		   const char *const *words, size_t count, uint32_t *ret_index)
{
	char list[128];
	if (avd_parse_word(text, words, count, ret_index, list, sizeof(list)) == 0)
		return 0;
	return cli_usage(command, "%s: --%s '%s' is not %s", command->name, option, text, list);
}
