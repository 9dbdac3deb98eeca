// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The plan's file, in libconfig's format: attachverdict-sweep(5) describes what may stand in it. */
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "sweep/plan.h"

struct reader {
	struct avd_plan *plan;
	const char *path;
	char *dir; /* of the file, with its slash; "" for the current one */
};

/* Adds file and line in front of a message; it may be the plan's own last one. */
static int fail_at(const struct reader *reader, const config_setting_t *at, int code,
		   const char *message)
{
	char text[sizeof(reader->plan->error.text)];
	const char *file = config_setting_source_file(at);
	snprintf(text, sizeof(text), "%s", message);
	return avd__fail(&reader->plan->error, code, "%s:%u: %s", file ? file : reader->path,
			 config_setting_source_line(at), text);
}

static int plan_failed(const struct reader *reader, const config_setting_t *at, int r)
{
	return fail_at(reader, at, -r, reader->plan->error.text);
}

static int wrong(const struct reader *reader, const config_setting_t *at, const char *needed)
{
	char text[256];
	const char *name = config_setting_name(at);
	snprintf(text, sizeof(text), "%s%s%s", name ? name : "", name ? ": " : "", needed);
	return fail_at(reader, at, EINVAL, text);
}

/* A path of the file, made relative to the file's directory. free() it. */
static char *place(const struct reader *reader, const char *path)
{
	char *placed = NULL;
	const char *dir = strchr(path, '/') && *path != '/' && strncmp(path, "guest:", 6) != 0
				  ? reader->dir
				  : "";
	return asprintf(&placed, "%s%s", dir, path) < 0 ? NULL : placed;
}

static int no_memory(const struct reader *reader)
{
	return avd__fail(&reader->plan->error, ENOMEM, "out of memory");
}

static int is_array(const config_setting_t *setting)
{
	return config_setting_is_array(setting) || config_setting_is_list(setting);
}

/* Refuses members that nobody reads: a slip of the pen would else go unseen. */
static int check_members(const struct reader *reader, const config_setting_t *group,
			 const char *const *known)
{
	if (!config_setting_is_group(group))
		return wrong(reader, group, "a group { ... } or a string is needed");
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned int)i);
		const char *const *name = known;
		while (*name && strcmp(*name, config_setting_name(member)) != 0)
			name++;
		if (!*name)
			return wrong(reader, member, "unknown here");
	}
	return 0;
}

static int add_kernel(const struct reader *reader, const config_setting_t *setting)
{
	static const char *const known[] = {"name", "kernel", NULL};
	const char *name = NULL, *kernel = config_setting_get_string(setting);
	if (!kernel) {
		const int r = check_members(reader, setting, known);
		if (r < 0)
			return r;
		config_setting_lookup_string(setting, "name", &name);
		if (!config_setting_lookup_string(setting, "kernel", &kernel))
			return wrong(reader, setting, "kernel = \"...\" is missing");
	}
	char *placed = place(reader, kernel);
	const int r = placed ? avd_plan_add_kernel(reader->plan, name, placed) : -ENOMEM;
	free(placed);
	return placed ? r : no_memory(reader);
}

/* The words of `run`: a string is a program without arguments. Then those of `more`, if any.
 * Fills argv (freed by the caller up to *count). */
static int read_words(const struct reader *reader, const config_setting_t *run, char **argv,
		      size_t *count)
{
	const int length = is_array(run) ? config_setting_length(run) : 1;
	for (int i = 0; i < length; i++) {
		const char *word = is_array(run) ? config_setting_get_string_elem(run, i)
						 : config_setting_get_string(run);
		if (!word)
			return wrong(reader, run, "a string, or an array of strings, is needed");
		argv[*count] = *count ? strdup(word) : place(reader, word);
		if (!argv[*count])
			return no_memory(reader);
		(*count)++;
	}
	return 0;
}

static int words_of(const config_setting_t *setting)
{
	return !setting ? 0 : is_array(setting) ? config_setting_length(setting) : 1;
}

/* One program with one set of arguments, and what to expect of it. */
static int add_variant(const struct reader *reader, const config_setting_t *group,
		       const config_setting_t *run, const config_setting_t *arguments,
		       const char *name, int is_payload)
{
	size_t count = 0;
	char **argv = calloc((size_t)(words_of(run) + words_of(arguments)) + 1, sizeof(*argv));
	if (!argv)
		return no_memory(reader);
	int r = read_words(reader, run, argv, &count);
	if (r == 0 && arguments)
		r = read_words(reader, arguments, argv, &count);
	if (r == 0) {
		const char *const *words = (const char *const *)argv;
		r = is_payload ? avd_plan_add_payload(reader->plan, name, words, count)
			       : avd_plan_add_scheduler(reader->plan, name, words, count);
		if (r < 0)
			r = plan_failed(reader, group, r);
	}
	while (count > 0)
		free(argv[--count]);
	free(argv);
	return r;
}

static int expect_of_scheduler(const struct reader *reader, const config_setting_t *group,
			       const char *expect)
{
	const struct avd__axis *axis = &reader->plan->axes[AVD__AXIS_SCHEDULER];
	char match[AVD__AXIS_NAME_MAX + 16];
	snprintf(match, sizeof(match), "scheduler=%s", axis->values[axis->count - 1].name);
	const int r = avd_plan_add_rule(reader->plan, AVD_RULE_EXPECT, match, expect);
	return r < 0 ? plan_failed(reader, group, r) : 0;
}

static int add_program(const struct reader *reader, const config_setting_t *group, int is_payload)
{
	static const char *const of_scheduler[] = {"name", "run", "arguments", "expect", NULL};
	static const char *const of_payload[] = {"name", "run", NULL};
	const char *name = NULL, *expect = NULL;
	const config_setting_t *run = group, *arguments = NULL;
	int r = 0;
	if (config_setting_is_group(group)) {
		r = check_members(reader, group, is_payload ? of_payload : of_scheduler);
		if (r < 0)
			return r;
		config_setting_lookup_string(group, "name", &name);
		config_setting_lookup_string(group, "expect", &expect);
		run = config_setting_get_member(group, "run");
		arguments = config_setting_get_member(group, "arguments");
		if (!run)
			return wrong(reader, group, "run = [\"PROGRAM\", ...] is missing");
	}
	if (arguments && (!config_setting_is_list(arguments) || !config_setting_length(arguments)))
		return wrong(reader, arguments, "a list of arrays is needed: ([], [\"-v\"])");
	if (arguments && name)
		return wrong(reader, group, "with arguments the names are made of them; drop name");
	const int variants = arguments ? config_setting_length(arguments) : 1;
	for (int i = 0; r == 0 && i < variants; i++) {
		const config_setting_t *more =
			arguments ? config_setting_get_elem(arguments, (unsigned int)i) : NULL;
		r = add_variant(reader, group, run, more, name, is_payload);
		if (r == 0 && expect)
			r = expect_of_scheduler(reader, group, expect);
	}
	return r;
}

static int add_scheduler(const struct reader *reader, const config_setting_t *setting)
{
	return add_program(reader, setting, 0);
}

static int add_payload(const struct reader *reader, const config_setting_t *setting)
{
	return add_program(reader, setting, 1);
}

static int add_topology(const struct reader *reader, const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);
	if (!text)
		return wrong(reader, setting, "topologies are strings, numbers of CPUs too");
	return avd_plan_add_topology(reader->plan, text);
}

static int add_filter(const struct reader *reader, const config_setting_t *setting, uint32_t kind)
{
	const char *text = config_setting_get_string(setting);
	if (!text)
		return wrong(reader, setting, "a rule is a string, such as \"kernel=6.*\"");
	return avd_plan_add_rule(reader->plan, kind, text, NULL);
}

static int add_include(const struct reader *reader, const config_setting_t *setting)
{
	return add_filter(reader, setting, AVD_RULE_INCLUDE);
}

static int add_exclude(const struct reader *reader, const config_setting_t *setting)
{
	return add_filter(reader, setting, AVD_RULE_EXCLUDE);
}

static int add_expect(const struct reader *reader, const config_setting_t *setting)
{
	static const char *const known[] = {"match", "outcome", NULL};
	const char *match = NULL, *outcome = NULL;
	const int r = check_members(reader, setting, known);
	if (r < 0)
		return r;
	config_setting_lookup_string(setting, "match", &match);
	config_setting_lookup_string(setting, "outcome", &outcome);
	if (!match || !outcome)
		return wrong(reader, setting, "match = \"...\" and outcome = \"...\" are needed");
	return avd_plan_add_rule(reader->plan, AVD_RULE_EXPECT, match, outcome);
}

static int is_path(const char *name)
{
	return strcmp(name, "include") == 0 || strcmp(name, "qemu") == 0 ||
	       strcmp(name, "cache-dir") == 0;
}

static int add_setting(const struct reader *reader, const config_setting_t *setting)
{
	char *name = strdup(config_setting_name(setting));
	int r = name ? 0 : no_memory(reader);
	/* The format's names may hold either; the options have '-'. */
	for (char *at = name ? strchr(name, '_') : NULL; at; at = strchr(at, '_'))
		*at = '-';
	for (int i = 0; r == 0 && i < words_of(setting); i++) {
		const char *text = is_array(setting) ? config_setting_get_string_elem(setting, i)
						     : config_setting_get_string(setting);
		char *placed = text && name && is_path(name) ? place(reader, text)
			       : text			     ? strdup(text)
							     : NULL;
		if (!text)
			r = wrong(reader, setting, "settings are strings, numbers with their unit");
		else
			r = placed ? avd_plan_set(reader->plan, name, placed) : no_memory(reader);
		free(placed);
	}
	free(name);
	return r;
}

/* Calls `add` for each element; errors that have no line yet get theirs. */
static int each(const struct reader *reader, const config_setting_t *list,
		int (*add)(const struct reader *reader, const config_setting_t *setting))
{
	if (!is_array(list) && !config_setting_is_group(list))
		return wrong(reader, list, "a list ( ... ) or an array [ ... ] is needed");
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *setting = config_setting_get_elem(list, (unsigned int)i);
		const int r = add(reader, setting);
		const size_t len = strlen(reader->path);
		if (r < 0)
			return strncmp(reader->plan->error.text, reader->path, len) == 0 &&
					       reader->plan->error.text[len] == ':'
				       ? r
				       : plan_failed(reader, setting, r);
	}
	return 0;
}

static int read_settings(const struct reader *reader, const config_t *config)
{
	static const struct {
		const char *name;
		int (*add)(const struct reader *reader, const config_setting_t *setting);
	} sections[] = {
		{"kernels", add_kernel},      {"schedulers", add_scheduler},
		{"topologies", add_topology}, {"payloads", add_payload},
		{"include", add_include},     {"exclude", add_exclude},
		{"expect", add_expect},	      {"settings", add_setting},
	};
	const config_setting_t *root = config_root_setting(config);
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *section = config_setting_get_elem(root, (unsigned int)i);
		const char *name = config_setting_name(section);
		size_t at = 0;
		while (at < AVD__ARRAY_SIZE(sections) && strcmp(sections[at].name, name) != 0)
			at++;
		if (at == AVD__ARRAY_SIZE(sections))
			return wrong(reader, section,
				     "unknown; there are kernels, schedulers, topologies, "
				     "payloads, include, exclude, expect and settings");
		if (config_setting_is_group(section) != (sections[at].add == add_setting))
			return wrong(reader, section,
				     sections[at].add == add_setting
					     ? "a group { ... } is needed"
					     : "a list ( ... ) or an array [ ... ] is needed");
		const int r = each(reader, section, sections[at].add);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Some editors put a byte order mark before UTF-8; libconfig knows none. The file may be a pipe, so
 * it is not read twice. 0 if what it begins with is neither a mark nor text. */
static int skip_mark(FILE *file)
{
	const int first = getc(file);
	if (first == 0xef) {
		const int second = getc(file), third = getc(file);
		return second == 0xbb && third == 0xbf;
	}
	if (first != EOF)
		ungetc(first, file);
	return 1;
}

int avd_plan_load(avd_plan *plan, const char *path)
{
	struct reader reader = {.plan = plan, .path = path};
	struct stat st;
	config_t config;
	int r = avd__plan_open(plan);
	if (r < 0)
		return r;
	FILE *file = fopen(path, "re");
	if (!file || fstat(fileno(file), &st) < 0 || S_ISDIR(st.st_mode)) {
		const int code = !file ? errno : EISDIR;
		if (file)
			fclose(file);
		return avd__fail(&plan->error, code, "the plan's file %s can't be read: %s", path,
				 strerror(code));
	}
	const char *slash = strrchr(path, '/');
	reader.dir = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	config_init(&config);
	if (!reader.dir) {
		r = no_memory(&reader);
	} else if (!skip_mark(file)) {
		r = avd__fail(&plan->error, EINVAL, "%s:1: no text", path);
	} else {
		config_set_include_dir(&config, *reader.dir ? reader.dir : ".");
		if (config_read(&config, file) == CONFIG_TRUE)
			r = read_settings(&reader, &config);
		else
			r = avd__fail(&plan->error, EINVAL, "%s:%d: %s",
				      config_error_file(&config) ? config_error_file(&config)
								 : path,
				      config_error_line(&config), config_error_text(&config));
	}
	config_destroy(&config);
	free(reader.dir);
	fclose(file);
	return r;
}
