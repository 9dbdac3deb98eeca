// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "cli.h"

static const char *tristate(uint32_t value)
{
	switch (value) {
	case AVD_YES:
		return "yes";
	case AVD_NO:
		return "no";
	default:
		return "unknown";
	}
}

static const char *format_name(uint32_t format)
{
	return format == AVD_KERNEL_VMLINUX ? "vmlinux" : "bzImage";
}

static void print_json_member(const char *key, const char *value)
{
	printf("\"%s\": ", key);
	if (*value)
		cli_print_json_string(value);
	else
		printf("null");
	printf(", ");
}

/* One object; tristates as true, false, null. */
static void print_json(const char *path, const struct avd_kernel_info *info, const char *origin)
{
	static const char *const truth[] = {
		[AVD_UNKNOWN] = "null", [AVD_NO] = "false", [AVD_YES] = "true"};
	printf("{");
	print_json_member("path", path);
	if (origin)
		print_json_member("origin", origin);
	print_json_member("release", info->release);
	print_json_member("format", format_name(info->format));
	print_json_member("compression", info->compression);
	print_json_member("sched_ext_source", info->config_source);
	printf("\"sched_ext\": %s, \"btf\": %s, \"pvh\": %s, ", truth[info->sched_ext % 3],
	       truth[info->btf % 3], truth[info->pvh % 3]);
	printf("\"image_bytes\": %" PRIu64 ", \"vmlinux_bytes\": ", info->image_bytes);
	if (info->vmlinux_bytes)
		printf("%" PRIu64 "}", info->vmlinux_bytes);
	else
		printf("null}");
}

static int describe(const char *path, uint32_t format)
{
	struct avd_kernel_info info;
	char error[1024];
	if (avd_kernel_describe(path, &info, error, sizeof(error)) < 0)
		return cli_error("%s", error);
	if (format == CLI_JSON) {
		print_json(path, &info, NULL);
		puts("");
		return CLI_PASSED;
	}
	printf("release      ");
	cli_print_clean(stdout, *info.release ? info.release : "unknown",
			strlen(*info.release ? info.release : "unknown"));
	printf("\nsched_ext    %s", tristate(info.sched_ext));
	if (*info.config_source)
		printf(" (read from its %s)", info.config_source);
	printf("\nBTF          %s\nPVH entry    %s\n", tristate(info.btf), tristate(info.pvh));
	printf("format       %s, compression %s, %" PRIu64 " bytes\n", format_name(info.format),
	       *info.compression ? info.compression : "unknown", info.image_bytes);
	return CLI_PASSED;
}

struct listing {
	uint32_t format;
	int count;
};

static int list_one(void *userdata, const char *path, const char *origin)
{
	struct listing *listing = userdata;
	struct avd_kernel_info info;
	char error[1024];
	const int r = avd_kernel_describe(path, &info, error, sizeof(error));
	if (r < 0) {
		cli_error("%s", error);
		return 0; /* the others are still worth showing */
	}
	if (listing->format == CLI_JSON) {
		printf(listing->count ? ",\n  " : "\n  ");
		print_json(path, &info, origin);
	} else {
		if (!listing->count)
			printf("%-36s %-9s %-9s %s\n", "RELEASE", "SCHED_EXT", "ORIGIN", "PATH");
		printf("%-36s %-9s %-9s ", *info.release ? info.release : "unknown",
		       tristate(info.sched_ext), origin);
		cli_print_clean(stdout, path, strlen(path));
		puts("");
	}
	listing->count++;
	return 0;
}

/* The library knows where it has looked, and what to do. */
static int say_none(const char *cache_dir)
{
	char error[1024] = "no kernel was found";
	char *path = NULL;
	if (avd_kernel_default(cache_dir, &path, error, sizeof(error)) == 0)
		avd_free(path); /* it came just now */
	return cli_error("%s", error);
}

static int list(const char *cache_dir, uint32_t format)
{
	struct listing listing = {.format = format};
	if (format == CLI_JSON)
		printf("[");
	const int r = avd_kernel_list(cache_dir, list_one, &listing);
	if (format == CLI_JSON)
		puts(listing.count ? "\n]" : "]");
	if (r < 0)
		return cli_error("cannot list the kernels: %s", strerror(-r));
	return listing.count ? CLI_PASSED : say_none(cache_dir);
}

enum { OPT_CACHE_DIR = 256 };

static int run(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *words[2] = {NULL, NULL}, *cache_dir = NULL;
	uint32_t format = CLI_TEXT;
	size_t count = 0;
	int code, id;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		switch (id) {
		case CLI_OPTION_STOP:
			return code;
		case 'f':
			if (cli_parse_format(command, value, &format))
				return CLI_USAGE;
			break;
		case OPT_CACHE_DIR:
			cache_dir = value;
			break;
		default:
			if (count == CLI_COUNT(words))
				return cli_usage(command, "kernel: unexpected argument '%s'",
						 value);
			words[count++] = value;
		}
	}
	if (count == 1 && strcmp(words[0], "list") == 0)
		return list(cache_dir, format);
	if (count == 2 && strcmp(words[0], "describe") == 0)
		return describe(words[1], format);
	if (count && strcmp(words[0], "list") != 0 && strcmp(words[0], "describe") != 0)
		return cli_usage(command, "kernel: unknown subcommand '%s'", words[0]);
	return cli_usage(command, "kernel: it takes 'list' or 'describe IMAGE'");
}

static const struct cli_option options[] = {
	{'f', "format", "text|json", "[text]"},
	{OPT_CACHE_DIR, "cache-dir", "DIR", "where fetched kernels are [~/.cache/attachverdict]"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_kernel = {
	.name = "kernel",
	.usage = "list | describe IMAGE [OPTION]...",
	.summary = "list the kernels that are here, or describe one",
	.about = "Lists the kernels that were found here, or tells what an image is: its release,\n"
		 "whether it has sched_ext and BTF, and how it is packed.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.more = "\nExit status: 0 done; 2 wrong usage; 3 no kernel, or not a kernel",
	.run = run,
};
