// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

enum form { DURATION, SIZE, TEXT, WORD };

struct setting {
	const char *name;
	size_t offset; /* in avd_cell_options */
	enum form form;
	const char *const *words; /* of a WORD, by value; NULL ends */
};

static const char *const machines[] = {"auto", "qemu", "kvm", NULL};
static const char *const dispatches[] = {"quick", "off", "full", NULL};
static const char *const sandboxes[] = {"auto", "off", NULL};
static const char *const carriers[] = {"auto", "serial", "window", NULL};

static const char *const switches[] = {"on", "off", NULL}; /* of a member no_... */
static const char *const verifier_logs[] = {"0", "1", "2", " ", "4", NULL};

#define AT(member) offsetof(struct avd_cell_options, member)
static const struct setting settings[] = {
	{"memory", AT(memory_bytes), SIZE, NULL},
	{"timeout", AT(timeout_ms), DURATION, NULL},
	{"boot-timeout", AT(boot_timeout_ms), DURATION, NULL},
	{"silence-timeout", AT(silence_timeout_ms), DURATION, NULL},
	{"idle-timeout", AT(idle_timeout_ms), DURATION, NULL},
	{"settle", AT(settle_ms), DURATION, NULL},
	{"budget-cpu", AT(budget_cpu_ms), DURATION, NULL},
	{"budget-wall", AT(budget_wall_ms), DURATION, NULL},
	{"payload-timeout", AT(payload_timeout_ms), DURATION, NULL},
	{"dispatch-timeout", AT(dispatch_timeout_ms), DURATION, NULL},
	{"log-limit", AT(log_limit), SIZE, NULL},
	{"channel-limit", AT(channel_limit), SIZE, NULL},
	{"kernel-args", AT(kernel_args), TEXT, NULL},
	{"cache-dir", AT(cache_dir), TEXT, NULL},
	{"qemu", AT(qemu), TEXT, NULL},
	{"machine", AT(machine), WORD, machines},
	{"dispatch", AT(dispatch), WORD, dispatches},
	{"carrier", AT(carrier), WORD, carriers},
	{"verifier-stats", AT(no_verifier_stats), WORD, switches},
	{"verifier-log", AT(verifier_log), WORD, verifier_logs},
	{"sandbox", AT(sandbox), WORD, sandboxes},
};

/* A whole number above 0 and one of the units; 0: it is none, or too large. */
static uint64_t scaled(const char *text, const char *const *units, const uint64_t *scales,
		       size_t count)
{
	uint64_t number = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (number > UINT64_MAX / 10 - 1)
			return 0;
		number = number * 10 + (uint64_t)(*at - '0');
	}
	for (size_t i = 0; at != text && i < count; i++) {
		if (strcmp(at, units[i]) == 0)
			return number > UINT64_MAX / scales[i] ? 0 : number * scales[i];
	}
	return 0;
}

static uint64_t duration(const char *text)
{
	static const char *const units[] = {"ms", "s", "m", "min", "h"};
	static const uint64_t scales[] = {1, 1000, 60000, 60000, 3600000};
	return scaled(text, units, scales, AVD__ARRAY_SIZE(units));
}

static uint64_t size_of(const char *text)
{
	static const char *const units[] = {"K", "KiB", "M", "MiB", "G", "GiB"};
	static const uint64_t scales[] = {1 << 10, 1 << 10, 1 << 20, 1 << 20, 1 << 30, 1 << 30};
	return scaled(text, units, scales, AVD__ARRAY_SIZE(units));
}

static int set_word(const struct setting *setting, void *member, const char *value,
		    struct avd__error *error)
{
	char list[128] = "";
	for (uint32_t i = 0; setting->words[i]; i++) {
		if (strcmp(value, setting->words[i]) == 0) {
			*(uint32_t *)member = i;
			return 0;
		}
		const size_t at = strlen(list);
		snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", setting->words[i]);
	}
	return avd__fail(error, EINVAL, "%s \"%s\" is none of: %s", setting->name, value, list);
}

static int set_number(const struct setting *setting, uint64_t *member, const char *value,
		      struct avd__error *error)
{
	const uint64_t number = setting->form == SIZE ? size_of(value) : duration(value);
	if (!number)
		return avd__fail(error, EINVAL,
				 "%s \"%s\" is no %s: a whole number above 0 with its unit, such "
				 "as %s",
				 setting->name, value, setting->form == SIZE ? "size" : "duration",
				 setting->form == SIZE ? "512M or 2G" : "500ms, 60s or 2m");
	*member = number;
	return 0;
}

int avd__cell_setting(struct avd_cell_options *options, const char *name, const char *value,
		      struct avd__error *error)
{
	for (size_t i = 0; i < AVD__ARRAY_SIZE(settings); i++) {
		if (strcmp(name, settings[i].name) != 0)
			continue;
		void *member = (char *)options + settings[i].offset;
		if (settings[i].form == WORD)
			return set_word(&settings[i], member, value, error);
		if (settings[i].form != TEXT)
			return set_number(&settings[i], member, value, error);
		*(const char **)member = value;
		return 0;
	}
	return avd__fail(error, EINVAL,
			 "there is no setting \"%s\"; 'attachverdict run --help' lists them", name);
}
