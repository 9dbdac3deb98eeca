// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/settings.h"

#include <errno.h>
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
static const char *const verifier_logs[] = {"0", "1", "2", "", "4", NULL};

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

static int set_word(const struct setting *setting, uint32_t *member, const char *value,
		    struct avd__error *error)
{
	char list[128];
	size_t count = 0;
	while (setting->words[count])
		count++;
	if (avd_parse_word(value, setting->words, count, member, list, sizeof(list)) == 0)
		return 0;
	return avd__fail(error, EINVAL, "%s '%s' is not %s", setting->name, value, list);
}

static int set_number(const struct setting *setting, uint64_t *member, const char *value,
		      struct avd__error *error)
{
	const int is_size = setting->form == SIZE;
	if ((is_size ? avd_parse_size(value, member) : avd_parse_duration(value, member)) == 0)
		return 0;
	return avd__fail(error, EINVAL,
			 "%s '%s' is no %s: a whole number above 0 with its unit, such as %s",
			 setting->name, value, is_size ? "size" : "duration",
			 is_size ? "512M or 2G" : "500ms, 60s, 2m or 1h");
}

static size_t size_of(const struct setting *setting)
{
	return setting->form == WORD   ? sizeof(uint32_t)
	       : setting->form == TEXT ? sizeof(const char *)
				       : sizeof(uint64_t);
}

static int no_setting(const char *name, struct avd__error *error)
{
	const char *names[AVD__ARRAY_SIZE(settings)];
	char list[512];
	uint32_t none;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(settings); i++)
		names[i] = settings[i].name;
	avd_parse_word(NULL, names, AVD__ARRAY_SIZE(names), &none, list, sizeof(list));
	return avd__fail(error, EINVAL, "there is no setting \"%s\"; name one of %s", name, list);
}

int avd__cell_setting(struct avd_cell_options *options, const char *name, const char *value,
		      struct avd__error *error)
{
	for (size_t i = 0; i < AVD__ARRAY_SIZE(settings); i++) {
		const struct setting *setting = &settings[i];
		if (strcmp(name, setting->name) != 0)
			continue;
		/* A caller that was built with an older release has a shorter struct. */
		if (setting->offset + size_of(setting) > options->size)
			return avd__fail(error, E2BIG,
					 "%s came after the release that this program was built "
					 "with",
					 name);
		void *member = (char *)options + setting->offset;
		if (setting->form == WORD)
			return set_word(setting, member, value, error);
		if (setting->form != TEXT)
			return set_number(setting, member, value, error);
		*(const char **)member = value;
		return 0;
	}
	return no_setting(name, error);
}

int avd_cell_options_set(struct avd_cell_options *options, const char *name, const char *value,
			 char *error, size_t error_size)
{
	struct avd__error message = {0};
	int r;
	if (!options || !name || !value)
		r = avd__fail(&message, EINVAL, "no options, no name or no value");
	else
		r = avd__cell_setting(options, name, value, &message);
	if (r < 0)
		avd__error_copy(&message, error, error_size);
	return r;
}
