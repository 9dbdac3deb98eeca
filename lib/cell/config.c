// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cell/limits.h"
#include "runner/run.h"

static int copy_list(struct avd__cell_config *config, const char *what, const char *const **list,
		     size_t count, struct avd__error *error)
{
	if (count == 0) {
		*list = NULL;
		return 0;
	}
	if (!*list)
		return avd__fail(error, EINVAL, "%s: %zu items are announced, but the list is NULL",
				 what, count);
	const char **copy = calloc(count + 1, sizeof(*copy));
	int r = avd__keep_add(&config->keep, copy, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!(*list)[i])
			return avd__fail(error, EINVAL, "%s: item %zu of %zu is NULL", what, i + 1,
					 count);
		char *text = strdup((*list)[i]);
		r = avd__keep_add(&config->keep, text, error);
		if (r < 0)
			return r;
		copy[i] = text;
	}
	*list = copy;
	return 0;
}

static int check_args(const struct avd_cell_options *o, struct avd__error *error)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < o->scheduler_count; i++)
		bytes += strlen(o->scheduler[i]) + 1;
	for (size_t i = 0; i < o->payload_count; i++)
		bytes += strlen(o->payload[i]) + 1;
	if (bytes > AVD__CELL_ARGS_MAX)
		return avd__fail(error, E2BIG,
				 "the scheduler's and the payload's arguments take %" PRIu64
				 " bytes, at most %" PRIu64
				 " are allowed; put them into a file and "
				 "include that",
				 bytes, AVD__CELL_ARGS_MAX);
	return 0;
}

static int copy_strings(struct avd__cell_config *config, struct avd__error *error)
{
	struct avd__keep *keep = &config->keep;
	struct avd_cell_options *o = &config->options;
	avd__keep_init(keep);
	int r = copy_list(config, "scheduler", &o->scheduler, o->scheduler_count, error);
	if (r == 0)
		r = copy_list(config, "payload", &o->payload, o->payload_count, error);
	if (r == 0)
		r = copy_list(config, "includes", &o->includes, o->include_count, error);
	if (r == 0)
		r = avd__keep_text(keep, &o->topology, error);
	if (r == 0)
		r = avd__keep_text(keep, &o->kernel_args, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->kernel, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->cache_dir, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->record_path, error);
	if (r == 0)
		r = avd__keep_path(keep, &o->keep_dir, error);
	if (r == 0)
		r = avd__keep_program(keep, &o->qemu, error);
	return r;
}

int avd__cell_split_include(const char *include, char **ret_host, const char **ret_guest,
			    struct avd__error *error)
{
	const char *cut = NULL;
	for (const char *p = strstr(include, ":/"); p; p = strstr(p + 1, ":/"))
		cut = p;
	const size_t host_len = cut ? (size_t)(cut - include) : strlen(include);
	if (host_len == 0)
		return avd__fail(error, EINVAL, "include \"%s\": no host path; give HOST[:GUEST]",
				 include);
	char *host = strndup(include, host_len);
	if (!host)
		return avd__fail(error, ENOMEM, "out of memory");
	*ret_host = host;
	*ret_guest = cut ? cut + 1 : NULL;
	return 0;
}

static int check_topology(struct avd__cell_config *config, struct avd__error *error)
{
	const int r = avd__topology_parse(config->options.topology, &config->topology, error);
	if (r == 0)
		config->cpus = config->topology.cpus;
	return r;
}

/* The value as the command line takes it: "1500ms", "60s", "64K", "256M", "1024G". */
static const char *readable(char *out, size_t size, const char *name, uint64_t value)
{
	const size_t len = strlen(name);
	if (len > 3 && strcmp(name + len - 3, "_ms") == 0)
		snprintf(out, size, "%" PRIu64 "%s", value % 1000 ? value : value / 1000,
			 value % 1000 ? "ms" : "s");
	else if (value && value % (UINT64_C(1) << 30) == 0)
		snprintf(out, size, "%" PRIu64 "G", value >> 30);
	else if (value && value % (UINT64_C(1) << 20) == 0)
		snprintf(out, size, "%" PRIu64 "M", value >> 20);
	else if (value && value % (UINT64_C(1) << 10) == 0)
		snprintf(out, size, "%" PRIu64 "K", value >> 10);
	else
		snprintf(out, size, "%" PRIu64, value);
	return out;
}

static int check_range(const char *name, uint64_t *value, uint64_t fallback, uint64_t least,
		       uint64_t most, struct avd__error *error)
{
	if (*value == 0)
		*value = fallback;
	if (*value < least || *value > most) {
		char is[32], from[32], to[32];
		if (most == UINT64_MAX)
			return avd__fail(error, EINVAL, "%s=%s is out of range: at least %s", name,
					 readable(is, sizeof(is), name, *value),
					 readable(from, sizeof(from), name, least));
		return avd__fail(error, EINVAL, "%s=%s is out of range: %s to %s", name,
				 readable(is, sizeof(is), name, *value),
				 readable(from, sizeof(from), name, least),
				 readable(to, sizeof(to), name, most));
	}
	return 0;
}

static int check_memory(const struct avd__cell_config *config, struct avd__error *error)
{
	const uint64_t have = config->options.memory_bytes;
	const uint64_t need =
		avd__cell_for_cpus(AVD__CELL_MEMORY_MIN, AVD__CELL_MEMORY_MIN_CPU, config->cpus);
	if (have % AVD__MIB)
		return avd__fail(error, EINVAL,
				 "memory_bytes=%" PRIu64 " is not a whole number of MiB", have);
	if (have < need)
		return avd__fail(error, EINVAL,
				 "memory_bytes=%" PRIu64 "M is too little for %" PRIu32
				 " CPUs: a kernel needs %" PRIu64
				 "M to start them; raise it, or take fewer CPUs",
				 have / AVD__MIB, config->cpus, need / AVD__MIB);
	return 0;
}

static int check_numbers(struct avd__cell_config *config, struct avd__error *error)
{
	struct avd_cell_options *o = &config->options;
	const uint32_t cpus = config->cpus;
	const struct {
		const char *name;
		uint64_t *value, fallback, least, most;
	} rules[] = {
		{"memory_bytes", &o->memory_bytes,
		 avd__cell_for_cpus(AVD__CELL_MEMORY, AVD__CELL_MEMORY_CPU, cpus),
		 AVD__CELL_MEMORY_MIN, AVD__CELL_MEMORY_MAX},
		{"timeout_ms", &o->timeout_ms,
		 avd__cell_for_cpus(AVD__CELL_TIMEOUT_MS, AVD__CELL_TIMEOUT_CPU_MS, cpus), 1,
		 AVD__CELL_TIME_MAX_MS},
		{"boot_timeout_ms", &o->boot_timeout_ms,
		 avd__cell_for_cpus(AVD__CELL_BOOT_TIMEOUT_MS, AVD__CELL_BOOT_TIMEOUT_CPU_MS, cpus),
		 1, AVD__CELL_TIME_MAX_MS},
		{"silence_timeout_ms", &o->silence_timeout_ms,
		 avd__cell_for_cpus(AVD__CELL_SILENCE_TIMEOUT_MS, AVD__CELL_SILENCE_TIMEOUT_CPU_MS,
				    cpus),
		 1, AVD__CELL_TIME_MAX_MS},
		{"idle_timeout_ms", &o->idle_timeout_ms, AVD__CELL_IDLE_TIMEOUT_MS, 1,
		 AVD__CELL_TIME_MAX_MS},
		{"settle_ms", &o->settle_ms, AVD__CELL_SETTLE_MS, 1, AVD__CELL_SETTLE_MAX_MS},
		{"budget_cpu_ms", &o->budget_cpu_ms, AVD__CELL_BUDGET_CPU_MS, 1,
		 AVD__CELL_TIME_MAX_MS},
		{"budget_wall_ms", &o->budget_wall_ms, AVD__CELL_BUDGET_WALL_MS, 1,
		 AVD__CELL_TIME_MAX_MS},
		{"payload_timeout_ms", &o->payload_timeout_ms, 0, 0, AVD__CELL_TIME_MAX_MS},
		{"dispatch_timeout_ms", &o->dispatch_timeout_ms, 0, 0, AVD__CELL_TIME_MAX_MS},
		{"channel_limit", &o->channel_limit, AVD__CELL_CHANNEL_LIMIT,
		 AVD__CELL_CHANNEL_LIMIT_MIN, UINT64_MAX},
		{"log_limit", &o->log_limit, AVD__CELL_LOG_LIMIT, 1, UINT64_MAX},
	};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(rules); i++) {
		const int r = check_range(rules[i].name, rules[i].value, rules[i].fallback,
					  rules[i].least, rules[i].most, error);
		if (r < 0)
			return r;
	}
	return check_memory(config, error);
}

static int check_kinds(const struct avd_cell_options *o, struct avd__error *error)
{
	if (o->sandbox > AVD_SANDBOX_OFF)
		return avd__fail(error, EINVAL, "sandbox=%u is no enum avd_sandbox_mode",
				 o->sandbox);
	if (o->carrier > AVD_CARRIER_WINDOW)
		return avd__fail(error, EINVAL, "carrier=%u is no enum avd_carrier", o->carrier);
	if (o->machine > AVD_MACHINE_KVM)
		return avd__fail(error, EINVAL, "machine=%u is no enum avd_machine_kind",
				 o->machine);
	if (o->no_verifier_stats > 1)
		return avd__fail(error, EINVAL, "no_verifier_stats=%u is neither 0 nor 1",
				 o->no_verifier_stats);
	/* The kernel knows level 3, the same as 2, and more with the sums besides. */
	if (o->verifier_log > AVD_VERIFIER_LOG_STATS || o->verifier_log == 3)
		return avd__fail(error, EINVAL, "verifier_log=%u is no enum avd_verifier_log",
				 o->verifier_log);
	if (o->dispatch > AVD_DISPATCH_FULL)
		return avd__fail(error, EINVAL, "dispatch=%u is no enum avd_dispatch_mode",
				 o->dispatch);
	return 0;
}

static int check_lists(const struct avd_cell_options *o, struct avd__error *error)
{
	if (o->scheduler_count == 0 || o->scheduler[0][0] == '\0')
		return avd__fail(error, EINVAL,
				 "no scheduler: name a program or a .bpf.o object to attach");
	if (o->payload_count && o->payload[0][0] == '\0')
		return avd__fail(error, EINVAL, "the payload's program is an empty name");
	if (o->include_count > AVD__CELL_INCLUDES_MAX)
		return avd__fail(error, E2BIG,
				 "%zu includes, at most %u are allowed; include a directory",
				 o->include_count, AVD__CELL_INCLUDES_MAX);
	for (size_t i = 0; i < o->include_count; i++) {
		char *host;
		const char *guest;
		const int r = avd__cell_split_include(o->includes[i], &host, &guest, error);
		if (r < 0)
			return r;
		free(host);
	}
	return check_args(o, error);
}

int avd__cell_config_init(struct avd__cell_config *config, const struct avd_cell_options *given,
			  struct avd__error *error)
{
	struct avd_cell_options *o = &config->options;
	*config = (struct avd__cell_config){0};
	/* The first release had everything up to the scheduler's arguments at least. */
	int r = avd__options_take(o, sizeof(*o), given, offsetof(struct avd_cell_options, payload),
				  error);
	if (r < 0)
		return r;
	r = copy_strings(config, error);
	if (r == 0)
		r = check_lists(o, error);
	if (r == 0 && !o->topology)
		o->topology = AVD__CELL_TOPOLOGY;
	if (r == 0)
		r = check_topology(config, error);
	if (r == 0)
		r = check_numbers(config, error);
	if (r == 0)
		r = avd__run_check_kernel_args(o->kernel_args, AVD__CELL_KERNEL_ARGS_MAX, error);
	if (r == 0)
		r = check_kinds(o, error);
	if (r < 0)
		avd__cell_config_free(config);
	return r;
}

void avd__cell_config_free(struct avd__cell_config *config)
{
	avd__keep_free(&config->keep);
	*config = (struct avd__cell_config){0};
}
