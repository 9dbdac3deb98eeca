// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Which kernels there are and which one is taken, in a root of our own where that is possible. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../run_suite.h"
#include "base/util.h"
#include "image_kit.h"

#define LISTED_MAX 32

static char *dir;
static char cache[4096];
static struct avd__buf good, old;
static char *listed[LISTED_MAX]; /* "ORIGIN PATH" */
static size_t count;
static char message[1024];

static struct avd__buf make_image(const char *release, bool sched_ext)
{
	const struct kit_vmlinux what = {
		.release = release, .pvh = true, .btf = true, .btf_sched_ext = sched_ext};
	struct avd__buf vmlinux = kit_make_vmlinux(&what);
	struct avd__buf image = kit_make_bzimage(release, AVD__COMPRESSION_ZSTD, &vmlinux);
	avd__buf_free(&vmlinux);
	return image;
}

static void set_up(void)
{
	dir = kit_make_dir();
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	good = make_image("7.2.12-kit", true);
	old = make_image("6.12.1-kit", false);
}

static void tear_down(void)
{
	for (size_t i = 0; i < count; i++)
		free(listed[i]);
	avd__buf_free(&good);
	avd__buf_free(&old);
	kit_remove_dir(dir);
}

static void put(const char *base, const char *name, const struct avd__buf *image)
{
	char path[8192];
	snprintf(path, sizeof(path), "%s/%s", base, name);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	ck_assert_int_eq(avd__mkdirs(path, NULL), 0);
	*slash = '/';
	kit_write(path, image->data, image->len);
}

static int note(void *userdata, const char *path, const char *origin)
{
	ck_assert_ptr_eq(userdata, &count);
	ck_assert_uint_lt(count, LISTED_MAX);
	ck_assert_int_ge(asprintf(&listed[count++], "%s %s", origin, path), 0);
	return 0;
}

static int stop_at_third(void *userdata, const char *path, const char *origin)
{
	unsigned int *calls = userdata;
	(void)path;
	(void)origin;
	return ++*calls == 3 ? -ECANCELED : 0;
}

/* Those under our cache; the machine may have kernels of its own. */
static size_t list_fetched(void)
{
	size_t fetched = 0;
	count = 0;
	ck_assert_int_eq(avd_kernel_list(cache, note, &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (strstr(listed[i], cache)) {
			ck_assert_int_eq(strncmp(listed[i], "fetched ", 8), 0);
			listed[fetched++] = listed[i];
		} else {
			free(listed[i]);
		}
	}
	count = fetched;
	return fetched;
}

START_TEST(fetched_newest_first)
{
	static const char *const releases[] = {"6.9.1",	 "6.16.12+deb13-cloud-amd64",
					       "7.2.9",	 "7.2.12+deb13-cloud-amd64",
					       "6.16.3", "7.10.0-rc1"};
	static const char *const want[] = {"7.10.0-rc1", "7.2.12+deb13-cloud-amd64",
					   "7.2.9",	 "6.16.12+deb13-cloud-amd64",
					   "6.16.3",	 "6.9.1"};
	ck_assert_uint_eq(list_fetched(), 0);
	for (size_t i = 0; i < 6; i++) {
		char name[200];
		snprintf(name, sizeof(name), "kernels/%s/vmlinuz", releases[i]);
		put(cache, name, &good);
	}
	/* What is being fetched, and a directory without an image. */
	put(cache, "kernels/.work.x/vmlinuz", &good);
	put(cache, "kernels/8.0/config-8.0", &good);
	ck_assert_uint_eq(list_fetched(), 6);
	for (size_t i = 0; i < 6; i++) {
		char line[8192];
		snprintf(line, sizeof(line), "fetched %s/kernels/%s/vmlinuz", cache, want[i]);
		ck_assert_str_eq(listed[i], line);
	}
	unsigned int calls = 0;
	ck_assert_int_eq(avd_kernel_list(cache, stop_at_third, &calls), -ECANCELED);
	ck_assert_uint_eq(calls, 3);
	ck_assert_int_eq(avd_kernel_list(cache, NULL, NULL), -EINVAL);
}
END_TEST

static void check_default(const char *want)
{
	char *path = NULL;
	memset(message, 0, sizeof(message));
	const int r = avd_kernel_default(cache, &path, message, sizeof(message));
	ck_assert_msg(r == 0, "%s", message);
	ck_assert_str_eq(path, want);
	avd_free(path);
}

static void check_no_default(const char *why)
{
	char *path = (char *)message;
	ck_assert_int_eq(avd_kernel_default(cache, &path, message, sizeof(message)), -ENOENT);
	kit_check_message(message, "attachverdict-fetch-kernel");
	ck_assert_msg(strstr(message, why), "\"%s\" in \"%s\"", why, message);
	ck_assert_msg(strstr(message, cache), "\"%s\" in \"%s\"", cache, message);
	ck_assert_ptr_eq(path, message);
}

static int with_own_root(void)
{
	struct utsname uts;
	char running[256], name[512];
	static const char no[] = "# CONFIG_SCHED_CLASS_EXT is not set\n";
	static const char yes[] = "CONFIG_SCHED_CLASS_EXT=y\n";
	ck_assert_int_eq(uname(&uts), 0);
	snprintf(running, sizeof(running), "/boot/vmlinuz-%s", uts.release);
	check_no_default("not installed");

	put("/boot", "vmlinuz-6.12.1-kit", &old);
	put("/boot", "vmlinuz-7.2.12-kit", &good);
	put("/boot", "vmlinuz.old", &good);
	put("/usr/lib/modules", "7.3.1-kit/vmlinuz", &good);
	kit_write(running, old.data, old.len);
	ck_assert_int_eq(avd_kernel_list(cache, note, &count), 0);
	ck_assert_uint_eq(count, 4);
	snprintf(name, sizeof(name), "running %s", running);
	ck_assert_str_eq(listed[0], name);
	ck_assert_str_eq(listed[1], "installed /boot/vmlinuz-7.2.12-kit");
	ck_assert_str_eq(listed[2], "installed /boot/vmlinuz-6.12.1-kit");
	ck_assert_str_eq(listed[3], "installed /usr/lib/modules/7.3.1-kit/vmlinuz");
	check_no_default("no sched_ext");

	kit_write(running, "text", 4);
	check_no_default("can't be used");

	/* Fetched ones: the newest that has sched_ext, by its configuration or by itself. */
	put(cache, "kernels/6.12.1-kit/vmlinuz", &old);
	put(cache, "kernels/7.2.12-kit/vmlinuz", &good);
	put(cache, "kernels/9.9/vmlinuz", &old);
	check_default(kit_path(cache, "kernels/7.2.12-kit/vmlinuz"));
	kit_write(kit_path(cache, "kernels/9.9/config-6.12.1-kit"), yes, strlen(yes));
	check_default(kit_path(cache, "kernels/9.9/vmlinuz"));
	kit_write(kit_path(cache, "kernels/7.2.12-kit/config-7.2.12-kit"), no, strlen(no));
	kit_write(kit_path(cache, "kernels/9.9/config-6.12.1-kit"), no, strlen(no));
	check_no_default("can't be used");

	kit_write(running, good.data, good.len);
	check_default(running);
	return 0;
}

START_TEST(running_and_installed)
{
	static const char *const covered[] = {"/boot", "/usr/lib", NULL};
	const int status = kit_in_namespace(covered, with_own_root);
	if (status == KIT_SKIP)
		printf("running_and_installed: not run, a mount namespace is not permitted here\n");
	else
		ck_assert_int_eq(status, 0);
}
END_TEST

/* Neither HOME nor XDG_CACHE_HOME: nothing can have been fetched, which is no error. */
START_TEST(no_home)
{
	ck_assert_int_eq(unsetenv("HOME"), 0);
	ck_assert_int_eq(unsetenv("XDG_CACHE_HOME"), 0);
	ck_assert_int_eq(avd_kernel_list(NULL, note, &count), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image-list");
	TCase *tests = tcase_create("list");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, fetched_newest_first);
	tcase_add_test(tests, running_and_installed);
	tcase_add_test(tests, no_home);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
