// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Paths in the archive and on the host: component by component, symlinks included. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/archive.h"
#include "image/file.h"

/* As many symlinks as the kernel follows (include/linux/namei.h: MAXSYMLINKS). */
#define SYMLINKS_MAX 40u

/* A path that is walked: what lies behind (`done`, no leading slash), what is still to come. */
struct walk {
	char done[PATH_MAX];
	char rest[2 * PATH_MAX];
	char name[NAME_MAX + 1];
	unsigned int symlinks;
};

/* 1: walk->name is the next component, 0: at the end, -ENAMETOOLONG. */
static int next_name(struct walk *walk)
{
	char *start = walk->rest + strspn(walk->rest, "/");
	const size_t len = strcspn(start, "/");
	if (!len)
		return 0;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->name, start, len);
	walk->name[len] = '\0';
	memmove(walk->rest, start + len, strlen(start + len) + 1);
	return 1;
}

static void go_up(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');
	*(slash ? slash : walk->done) = '\0';
}

static int go_down(struct walk *walk)
{
	const size_t have = strlen(walk->done);
	const size_t len = strlen(walk->name);
	if (have + len + 2 > sizeof(walk->done))
		return -ENAMETOOLONG;
	if (have)
		walk->done[have] = '/';
	memcpy(walk->done + have + (have ? 1 : 0), walk->name, len + 1);
	return 0;
}

/* `done` is a symlink: go on at its target. */
static int follow(struct walk *walk, const char *target)
{
	const size_t len = strlen(target);
	const size_t have = strlen(walk->rest);
	if (++walk->symlinks > SYMLINKS_MAX)
		return -ELOOP;
	if (len + have + 2 > sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + len + 1, walk->rest, have + 1);
	memcpy(walk->rest, target, len);
	walk->rest[len] = '/';
	if (target[0] == '/')
		walk->done[0] = '\0';
	else
		go_up(walk);
	return 0;
}

static bool is_last(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static int start_walk(struct walk *walk, const char *path)
{
	walk->done[0] = '\0';
	walk->symlinks = 0;
	const size_t len = strlen(path);
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->rest, path, len + 1);
	return 0;
}

static int fail_walk(const char *what, const char *path, int r, struct avd__error *error)
{
	switch (-r) {
	case ENAMETOOLONG:
		return avd__fail(error, ENAMETOOLONG, "%s %.200s...: is too long", what, path);
	case ELOOP:
		return avd__fail(error, ELOOP, "%s %s: too many symbolic links on the way", what,
				 path);
	case ENOMEM:
		return avd__fail(error, ENOMEM, "out of memory");
	default:
		return avd__fail(error, -r, "%s %s: %s", what, path, strerror(-r));
	}
}

static bool has_dot_dot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2) {
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

static int step(const struct avd__initramfs *archive, struct walk *walk, enum avd__follow how)
{
	if (strcmp(walk->name, ".") == 0)
		return 0;
	if (strcmp(walk->name, "..") == 0) {
		go_up(walk);
		return 0;
	}
	int r = go_down(walk);
	if (r < 0)
		return r;
	const struct avd__path_entry *entry = avd__archive_find(archive, walk->done);
	if (!entry || !S_ISLNK(entry->mode) || (how == AVD__FOLLOW_PARENTS && is_last(walk)))
		return 0;
	char target[PATH_MAX];
	r = avd__archive_read_link(archive, entry, target);
	return r < 0 ? r : follow(walk, target);
}

int avd__archive_resolve(const struct avd__initramfs *archive, const char *guest_path,
			 enum avd__follow how, char ret_path[PATH_MAX], struct avd__error *error)
{
	if (guest_path[0] != '/' || has_dot_dot(guest_path))
		return avd__fail(error, EINVAL,
				 "guest path %s: is not an absolute path without \"..\"; begin it "
				 "with a slash",
				 guest_path);
	struct walk *walk = malloc(sizeof(*walk));
	int r = walk ? start_walk(walk, guest_path) : -ENOMEM;
	while (r == 0 && (r = next_name(walk)) > 0)
		r = step(archive, walk, how);
	if (r == 0)
		memcpy(ret_path, walk->done, strlen(walk->done) + 1);
	else
		fail_walk("guest path", guest_path, r, error);
	free(walk);
	return r;
}

/* One component of a host path, mirrored in the archive. */
static int mirror(struct avd__initramfs *archive, struct walk *walk, struct avd__error *error)
{
	char here[PATH_MAX + 1];
	char target[PATH_MAX];
	struct stat st;
	if (strcmp(walk->name, ".") == 0)
		return 0;
	if (strcmp(walk->name, "..") == 0) {
		go_up(walk);
		return 0;
	}
	int r = go_down(walk);
	if (r < 0)
		return r;
	snprintf(here, sizeof(here), "/%s", walk->done);
	if (lstat(here, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode)) /* also when nothing will lie in it: "x/../y" needs x */
		return avd__archive_find(archive, walk->done)
			       ? 0
			       : avd__initramfs_add_dir(archive, here, st.st_mode & 07777, error);
	if (!S_ISLNK(st.st_mode))
		return is_last(walk) ? 0 : -ENOTDIR;
	const ssize_t n = readlink(here, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (!avd__archive_find(archive, walk->done)) {
		r = avd__initramfs_add_symlink(archive, here, target, error);
		if (r < 0)
			return r;
	}
	return follow(walk, target);
}

static int mirror_path(struct avd__initramfs *archive, const char *path, const char *what,
		       char **ret_physical, struct avd__error *error)
{
	struct avd__error detail = {0};
	struct walk *walk = malloc(sizeof(*walk));
	int r = walk ? start_walk(walk, path) : -ENOMEM;
	while (r == 0 && (r = next_name(walk)) > 0)
		r = mirror(archive, walk, &detail);
	if (r == 0 && asprintf(ret_physical, "/%s", walk->done) < 0)
		r = -ENOMEM;
	free(walk);
	if (r == 0)
		return 0;
	return detail.text[0] ? avd__fail(error, -r, "%s", detail.text)
			      : fail_walk(what, path, r, error);
}

int avd__archive_add_host_file(struct avd__initramfs *archive, const char *path, const char *what,
			       int *ret_fd, struct avd__error *error)
{
	struct stat st;
	int fd = -1;
	char *physical = NULL;
	int r = avd__file_open(path, what, &fd, &st, error);
	if (r < 0)
		return r;
	r = mirror_path(archive, path, what, &physical, error);
	if (r == 0)
		r = avd__archive_add_fd(archive, physical, st.st_mode, fd, (uint64_t)st.st_size,
					path, error);
	/* Where the archive has a directory of its own in place of a symlink, the path as it is
	 * spelt leads elsewhere: then the file goes there, too. */
	if (r == 0 && !has_dot_dot(path))
		r = avd__archive_add_fd(archive, path, st.st_mode, fd, (uint64_t)st.st_size, path,
					error);
	free(physical);
	if (r < 0 || !ret_fd)
		avd__close(&fd);
	if (r == 0 && ret_fd)
		*ret_fd = fd;
	return r;
}
