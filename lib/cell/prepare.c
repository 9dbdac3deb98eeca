// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* From options to what a machine boots: kernel, initramfs, cell frame. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/init_image.h"
#include "cell/internal.h"
#include "cell/limits.h"
#include "image/initramfs.h"
#include "image/kernel.h"

/* Where the guest's init finds what was asked; it reads the file and removes it. */
#define GUEST_DIR "/.attachverdict"
#define GUEST_CELL GUEST_DIR "/cell"

/* A scheduler or payload that is in the guest already, through an include or the kernel's own
 * files: nothing is looked for on the host. */
#define GUEST_PREFIX "guest:"

void avd__cell_boot_init(struct avd__cell_boot *boot)
{
	*boot = (struct avd__cell_boot){.kernel_fd = -1, .initramfs_fd = -1};
}

void avd__cell_boot_free(struct avd__cell_boot *boot)
{
	avd__close(&boot->kernel_fd);
	avd__close(&boot->initramfs_fd);
	free(boot->kernel_path);
	free(boot->kernel_release);
	free(boot->frame);
	avd__cell_boot_init(boot);
}

static int out_of_memory(struct avd__error *error)
{
	return avd__fail(error, ENOMEM, "out of memory");
}

static int find_kernel(struct avd_cell *cell, struct avd__cell_boot *boot, struct avd__error *error)
{
	const struct avd_cell_options *o = &cell->config.options;
	if (!o->kernel)
		return avd_kernel_default(o->cache_dir, &boot->kernel_path, error->text,
					  sizeof(error->text));
	boot->kernel_path = strdup(o->kernel);
	return boot->kernel_path ? 0 : out_of_memory(error);
}

static char *absolute(const struct avd__cell_config *config, const char *name)
{
	char *path = NULL;
	if (name[0] == '/' || !config->keep.cwd)
		return strdup(name);
	if (asprintf(&path, "%s/%s", strcmp(config->keep.cwd, "/") == 0 ? "" : config->keep.cwd,
		     name) < 0)
		return NULL;
	return path;
}

/* A name without a slash is a file here, or else a program in $PATH. */
static char *find_program(const struct avd__cell_config *config, const char *name)
{
	struct stat st;
	char *path = absolute(config, name);
	if (!path)
		return NULL;
	if (strchr(name, '/') || stat(path, &st) == 0)
		return path;
	const char *dirs = getenv("PATH");
	while (dirs && *dirs) {
		const size_t len = strcspn(dirs, ":");
		char *candidate = NULL;
		if (dirs[0] == '/') { /* a relative one is the caller's business */
			if (asprintf(&candidate, "%.*s/%s", (int)len, dirs, name) < 0) {
				free(path);
				return NULL;
			}
			if (stat(candidate, &st) == 0 && S_ISREG(st.st_mode) &&
			    access(candidate, X_OK) == 0) {
				free(path);
				return candidate;
			}
			free(candidate);
		}
		dirs += len + (dirs[len] == ':');
	}
	return path; /* for the message */
}

static int add_program(struct avd_cell *cell, struct avd__initramfs *archive, const char *what,
		       const char *name, char **ret_guest_path, struct avd__error *error)
{
	enum avd__program_kind kind;
	if (strncmp(name, GUEST_PREFIX "/", sizeof(GUEST_PREFIX)) == 0) {
		*ret_guest_path = strdup(name + sizeof(GUEST_PREFIX) - 1);
		return *ret_guest_path ? 0 : out_of_memory(error);
	}
	char *path = find_program(&cell->config, name);
	if (!path)
		return out_of_memory(error);
	int r = avd__initramfs_add_program(archive, path, &kind, ret_guest_path, error);
	if (r == 0 && kind == AVD__PROGRAM_BPF && strcmp(what, "payload") == 0) {
		free(*ret_guest_path);
		*ret_guest_path = NULL;
		r = avd__fail(error, ENOEXEC,
			      "payload %s: a BPF object can't be run; only a scheduler may be one",
			      path);
	}
	free(path);
	return r;
}

/* The place in the guest of an include without a GUEST part: where it is on the host, by the
 * name it was given; a relative name is resolved but for its last part, which may be a link. */
static char *same_place(const char *host, const char *path)
{
	if (host[0] == '/')
		return strdup(path);
	const char *slash = strrchr(path, '/');
	const char *name = slash + 1;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return realpath(path, NULL);
	char *parent = strndup(path, (size_t)(name - path));
	char *real = parent ? realpath(parent, NULL) : NULL;
	char *place = NULL;
	if (real && asprintf(&place, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) < 0)
		place = NULL;
	free(parent);
	free(real);
	return place;
}

/* A program that keeps its place brings along what it needs to start, as the scheduler does. */
static int add_in_place(struct avd__initramfs *archive, const char *path, const char *place,
			struct avd__error *error)
{
	struct stat st;
	enum avd__program_kind kind;
	char *guest_path = NULL;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR)) {
		const int r = avd__initramfs_add_program(archive, place, &kind, &guest_path, error);
		free(guest_path);
		if (r != -ENOEXEC) /* executable, but no program: data, a shared library */
			return r;
	}
	return avd__initramfs_add_path(archive, path, place, error);
}

/* What init alone may read must not be put there by, or mixed with, anybody else's files. */
static int check_place(const char *guest, const char *include, struct avd__error *error)
{
	const size_t len = sizeof(GUEST_DIR) - 1;
	if (strncmp(guest, GUEST_DIR, len) != 0 || (guest[len] && guest[len] != '/'))
		return 0;
	return avd__fail(error, EINVAL,
			 "include %s: %s belongs to the guest's init; give another guest path",
			 include, GUEST_DIR);
}

static int add_include(struct avd_cell *cell, struct avd__initramfs *archive, const char *include,
		       struct avd__error *error)
{
	char *host = NULL, *place = NULL;
	const char *guest = NULL;
	int r = avd__cell_split_include(include, &host, &guest, error);
	if (r < 0)
		return r;
	if (host[0] != '/' && !cell->config.keep.cwd) {
		r = avd__fail(error, EINVAL,
			      "include %s: the current directory is gone; give an absolute path",
			      host);
		free(host);
		return r;
	}
	char *path = absolute(&cell->config, host);
	if (!path)
		r = out_of_memory(error);
	if (r == 0 && !guest) {
		place = same_place(host, path);
		if (!place) {
			const int err = errno;
			r = avd__fail(error, err, "include %s: %s", path, strerror(err));
		}
	}
	if (r == 0)
		r = check_place(guest ? guest : place, include, error);
	if (r == 0)
		r = guest ? avd__initramfs_add_path(archive, path, guest, error)
			  : add_in_place(archive, path, place, error);
	free(place);
	free(path);
	free(host);
	return r;
}

static int check_memory(const struct avd_cell *cell, const struct avd__cell_boot *boot,
			struct avd__error *error)
{
	const uint64_t have = cell->config.options.memory_bytes;
	const uint64_t need =
		AVD__CELL_MEMORY_KERNEL + AVD__CELL_MEMORY_ARCHIVES * boot->initramfs_bytes;
	if (have >= need)
		return 0;
	return avd__fail(error, EINVAL,
			 "the guest's files take %" PRIu64 " MiB, which needs %" PRIu64
			 " MiB of memory to start, and the cell has %" PRIu64
			 " MiB; raise memory_bytes or include less",
			 boot->initramfs_bytes / AVD__MIB, need / AVD__MIB + 1, have / AVD__MIB);
}

static int fill_archive(struct avd_cell *cell, struct avd__initramfs *archive,
			struct avd__cell_boot *boot, struct avd__error *error)
{
	const struct avd_cell_options *o = &cell->config.options;
	char *scheduler = NULL, *payload = NULL;
	int r = avd__initramfs_add_bytes(archive, "/init", 0755, avd__init_image,
					 (size_t)(avd__init_image_end - avd__init_image), error);
	if (r == 0)
		r = avd__initramfs_add_dir(archive, GUEST_DIR, 0700, error);
	if (r == 0)
		r = add_program(cell, archive, "scheduler", o->scheduler[0], &scheduler, error);
	if (r == 0 && o->payload_count)
		r = add_program(cell, archive, "payload", o->payload[0], &payload, error);
	for (size_t i = 0; r == 0 && i < o->include_count; i++)
		r = add_include(cell, archive, o->includes[i], error);
	if (r == 0)
		r = avd__cell_frame(cell, boot, scheduler, payload, &boot->frame, &boot->frame_size,
				    error);
	/* Secret until init has read it: what the nonce ties must not be forged in the guest. */
	if (r == 0)
		r = avd__initramfs_add_bytes(archive, GUEST_CELL, 0600, boot->frame,
					     boot->frame_size, error);
	free(scheduler);
	free(payload);
	return r;
}

int avd__cell_prepare(struct avd_cell *cell, struct avd__cell_boot *boot, struct avd__error *error)
{
	struct avd__kernel *kernel = NULL;
	struct avd__initramfs *archive = NULL;
	int r = find_kernel(cell, boot, error);
	if (r == 0)
		r = avd__kernel_open(boot->kernel_path, &kernel, error);
	if (r == 0) {
		boot->kernel_release = strdup(avd__kernel_info(kernel)->release);
		if (!boot->kernel_release)
			r = out_of_memory(error);
	}
	if (r == 0)
		r = avd__initramfs_new(&archive, error);
	if (r == 0)
		r = avd__cell_check_cancel(cell, error);
	if (r == 0)
		r = fill_archive(cell, archive, boot, error);
	if (r == 0)
		r = avd__initramfs_finish(archive, &boot->initramfs_fd, &boot->initramfs_bytes,
					  error);
	if (r == 0)
		r = check_memory(cell, boot, error);
	if (r == 0)
		r = avd__cell_check_cancel(cell, error);
	/* Last: on a cold cache it takes the longest. */
	if (r == 0)
		r = avd__run_open_kernel(&cell->run, kernel, boot->kernel_path,
					 cell->config.options.cache_dir, &cell->log,
					 &boot->kernel_fd, &boot->kernel_format, &boot->kernel_pvh,
					 error);
	avd__initramfs_free(archive);
	avd__kernel_free(kernel);
	return r;
}
