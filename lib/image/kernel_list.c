// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The kernels that this user has, and which of them to take. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "image/config.h"
#include "image/kernel.h"

#define BOOT_DIR "/boot"
#define MODULES_DIR "/usr/lib/modules"
#define IMAGE_PREFIX "vmlinuz-"

struct list {
	avd_kernel_fn fn;
	void *userdata;
	struct utsname uts;
	char *running[2]; /* where the running kernel's image may be */
};

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* 0 if there is no such file, else what the caller's function returns. */
static int offer(const struct list *list, const char *path, const char *origin)
{
	return is_file(path) ? list->fn(list->userdata, path, origin) : 0;
}

static bool is_running(const struct list *list, const char *path)
{
	return !strcmp(path, list->running[0]) || !strcmp(path, list->running[1]);
}

/* Newest first: 7.2.12 before 7.2.9 before 6.16.12. */
static int compare_versions(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*b)->d_name, (*a)->d_name);
}

static int is_image(const struct dirent *entry)
{
	return !strncmp(entry->d_name, IMAGE_PREFIX, sizeof(IMAGE_PREFIX) - 1);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Offers dir/NAME<suffix> for each name; a directory that is not there has none. */
static int walk(const struct list *list, const char *dir, int (*filter)(const struct dirent *),
		const char *suffix, const char *origin)
{
	struct dirent **names = NULL;
	int r = 0;
	const int count = scandir(dir, &names, filter, compare_versions);
	if (count < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < count; i++) {
		char *path = NULL;
		if (r == 0 && asprintf(&path, "%s/%s%s", dir, names[i]->d_name, suffix) < 0) {
			path = NULL;
			r = -ENOMEM;
		}
		if (r == 0 && !is_running(list, path))
			r = offer(list, path, origin);
		free(path);
		free(names[i]);
	}
	free(names);
	return r;
}

static int walk_running(const struct list *list)
{
	for (size_t i = 0; i < AVD__ARRAY_SIZE(list->running); i++) {
		const int r = offer(list, list->running[i], "running");
		if (r != 0)
			return r;
	}
	return 0;
}

static int walk_fetched(const struct list *list, const char *cache_dir)
{
	char *cache = NULL;
	char *dir = NULL;
	if (avd__cache_dir(cache_dir, &cache, NULL) < 0)
		return 0; /* no home: nothing can have been fetched */
	int r = asprintf(&dir, "%s/kernels", cache) < 0 ? -ENOMEM : 0;
	free(cache);
	if (r < 0)
		return r;
	r = walk(list, dir, is_visible, "/vmlinuz", "fetched");
	free(dir);
	return r;
}

int avd_kernel_list(const char *cache_dir, avd_kernel_fn fn, void *userdata)
{
	struct list list = {.fn = fn, .userdata = userdata};
	if (!fn)
		return -EINVAL;
	if (uname(&list.uts) < 0)
		return -errno;
	if (asprintf(&list.running[0], BOOT_DIR "/" IMAGE_PREFIX "%s", list.uts.release) < 0)
		return -ENOMEM;
	if (asprintf(&list.running[1], MODULES_DIR "/%s/vmlinuz", list.uts.release) < 0) {
		free(list.running[0]);
		return -ENOMEM;
	}
	int r = walk_running(&list);
	if (r == 0)
		r = walk(&list, BOOT_DIR, is_image, "", "installed");
	if (r == 0)
		r = walk(&list, MODULES_DIR, is_visible, "/vmlinuz", "installed");
	if (r == 0)
		r = walk_fetched(&list, cache_dir);
	free(list.running[0]);
	free(list.running[1]);
	return r;
}

struct choice {
	char *path;
	char running[256]; /* why the running kernel was not taken */
	bool failed;
};

#define FOUND 1

/* Quickly, where a configuration lies beside the image: then nothing is unpacked. */
static int find_sched_ext(const char *path, uint32_t *ret_sched_ext)
{
	struct avd__kernel *kernel = NULL;
	char *config = NULL;
	int r = avd__kernel_open(path, &kernel, NULL);
	if (r == 0)
		r = avd__config_beside(path, avd__kernel_info(kernel)->release, &config);
	if (r == 0 && config)
		*ret_sched_ext = avd__config_has(config, AVD__CONFIG_SCHED_EXT);
	else if (r == 0)
		r = avd__kernel_inspect(kernel, NULL);
	if (r == 0 && !config)
		*ret_sched_ext = avd__kernel_info(kernel)->sched_ext;
	free(config);
	avd__kernel_free(kernel);
	return r;
}

static int choose(void *userdata, const char *path, const char *origin)
{
	struct choice *choice = userdata;
	uint32_t sched_ext = AVD_UNKNOWN;
	const bool running = !strcmp(origin, "running");
	if (!running && strcmp(origin, "fetched") != 0)
		return 0;
	const int r = find_sched_ext(path, &sched_ext);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || sched_ext != AVD_YES) {
		if (running)
			snprintf(choice->running, sizeof(choice->running), "%s",
				 r == -EACCES ? "its image may not be read by this user"
				 : r < 0      ? "its image can't be used"
					      : "it has no sched_ext");
		return 0;
	}
	choice->path = strdup(path);
	choice->failed = !choice->path;
	return FOUND;
}

/* A cache that this user can't read may well hold kernels. */
static int say_where(const char *cache_dir, char **ret_text)
{
	char *cache = NULL;
	char *text = NULL;
	int r = avd__cache_dir(cache_dir, &cache, NULL);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = asprintf(&text, "no cache is known (set HOME or XDG_CACHE_HOME)");
	} else {
		r = asprintf(&text, "%s/kernels", cache);
		free(cache);
		if (r < 0)
			return -ENOMEM;
		char *dir = text;
		DIR *opened = opendir(dir);
		if (opened || errno == ENOENT)
			r = asprintf(&text, "none was fetched into %s", dir);
		else
			r = asprintf(&text, "%s can't be read (%s)", dir, strerror(errno));
		if (opened)
			closedir(opened);
		free(dir);
	}
	if (r < 0)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

int avd_kernel_default(const char *cache_dir, char **ret_path, char *error, size_t error_size)
{
	struct choice choice = {.running = "its image is not installed"};
	struct avd__error detail = {0};
	char *where = NULL;
	int r = avd_kernel_list(cache_dir, choose, &choice);
	if (r == FOUND && !choice.failed) {
		*ret_path = choice.path;
		return 0;
	}
	if (r == 0)
		r = say_where(cache_dir, &where);
	if (r == FOUND)
		r = avd__fail(&detail, ENOMEM, "out of memory");
	else if (r < 0)
		avd__fail(&detail, -r, "cannot list the kernels: %s", strerror(-r));
	else
		r = avd__fail(&detail, ENOENT,
			      "no kernel with sched_ext: %s, and the running one can't be taken "
			      "(%s); run attachverdict-fetch-kernel (tools/fetch-kernel in the "
			      "source tree), or name one with --kernel",
			      where, choice.running);
	free(where);
	avd__error_copy(&detail, error, error_size);
	return r;
}
