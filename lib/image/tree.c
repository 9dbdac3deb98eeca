// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* --include: a file, or a directory with all in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/archive.h"
#include "image/file.h"

/* Deeper than any tree that is meant to go along; each level holds a descriptor. */
#define DEPTH_MAX 64u

struct tree {
	struct avd__initramfs *archive;
	struct avd__error *error;
};

static int add_tree(const struct tree *tree, int fd, const char *host, const char *guest,
		    unsigned int depth);

static int fail_host(const struct tree *tree, const char *host, int err)
{
	return avd__fail(tree->error, err, "include %s: cannot be read: %s", host, strerror(err));
}

static int add_link(const struct tree *tree, int dir, const char *name, const char *host,
		    const char *guest)
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return fail_host(tree, host, errno);
	target[n] = '\0';
	return avd__initramfs_add_symlink(tree->archive, guest, target, tree->error);
}

static int add_child(const struct tree *tree, int dir, const char *name, const char *host,
		     const char *guest, unsigned int depth)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_host(tree, host, errno);
	if (S_ISLNK(st.st_mode))
		return add_link(tree, dir, name, host, guest);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0; /* sockets, FIFOs, devices: nothing in them could be carried along */
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		const int err = errno;
		avd__close(&fd);
		return fail_host(tree, host, err);
	}
	if (S_ISDIR(st.st_mode))
		return add_tree(tree, fd, host, guest, depth + 1);
	const int r = avd__archive_add_fd(tree->archive, guest, st.st_mode, fd,
					  (uint64_t)st.st_size, host, tree->error);
	avd__close(&fd);
	return r;
}

static int add_named(const struct tree *tree, int dir, const char *name, const char *host,
		     const char *guest, unsigned int depth)
{
	char *host_path = NULL;
	char *guest_path = NULL;
	int r;
	if (asprintf(&host_path, "%s/%s", host, name) < 0) {
		host_path = NULL;
		r = avd__fail(tree->error, ENOMEM, "out of memory");
	} else if (asprintf(&guest_path, "%s/%s", guest, name) < 0) {
		guest_path = NULL;
		r = avd__fail(tree->error, ENOMEM, "out of memory");
	} else {
		r = add_child(tree, dir, name, host_path, guest_path, depth);
	}
	free(host_path);
	free(guest_path);
	return r;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not by locale: the same everywhere */
}

static int keep_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Takes fd over. */
static int add_tree(const struct tree *tree, int fd, const char *host, const char *guest,
		    unsigned int depth)
{
	struct dirent **names = NULL;
	struct stat st;
	int count = 0;
	int r = 0;
	if (depth > DEPTH_MAX)
		r = avd__fail(tree->error, ELOOP,
			      "include %s: more than %u directories deep; include less", host,
			      DEPTH_MAX);
	else if (fstat(fd, &st) < 0)
		r = fail_host(tree, host, errno);
	else
		r = avd__initramfs_add_dir(tree->archive, guest, st.st_mode, tree->error);
	if (r == 0) {
		count = scandirat(fd, ".", &names, keep_name, compare_names);
		if (count < 0)
			r = fail_host(tree, host, errno);
	}
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = add_named(tree, fd, names[i]->d_name, host, guest, depth);
		free(names[i]);
	}
	free(names);
	avd__close(&fd);
	return r;
}

int avd__initramfs_add_path(struct avd__initramfs *archive, const char *host_path,
			    const char *guest_path, struct avd__error *error)
{
	const struct tree tree = {.archive = archive, .error = error};
	struct stat st;
	int fd = open(host_path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK);
	if (fd >= 0)
		return add_tree(&tree, fd, host_path, guest_path, 0);
	int r = avd__file_open(host_path, "include", &fd, &st, error);
	if (r < 0)
		return r;
	r = avd__archive_add_fd(archive, guest_path, st.st_mode, fd, (uint64_t)st.st_size,
				host_path, error);
	avd__close(&fd);
	return r;
}
