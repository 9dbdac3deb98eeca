// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/bzimage.h"
#include "image/cache.h"
#include "image/config.h"
#include "image/foreign.h"
#include "image/vmlinux.h"

struct avd__kernel {
	char *path;
	int fd;
	struct avd_kernel_info info;
	struct avd__bzimage bzimage;
	bool inspected;
};

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
}

/* Looks at the first bytes: which format, and is all of it there. */
static int read_format(struct avd__kernel *kernel, struct avd__error *error)
{
	const struct avd__source source = {.fd = kernel->fd, .size = kernel->info.image_bytes};
	uint8_t head[AVD__FOREIGN_HEAD] = {0};
	const int64_t n = avd__pread_all(kernel->fd, head, sizeof(head), 0);
	if (n < 0)
		return avd__fail(error, (int)-n, "kernel %s: cannot be read: %s", kernel->path,
				 strerror((int)-n));
	if (avd__compression_detect(head, (size_t)n) == AVD__COMPRESSION_NONE) {
		if (source.size > AVD__KERNEL_VMLINUX_MAX)
			return avd__fail(error, EFBIG,
					 "kernel %s: has %llu bytes, more than the %llu accepted; "
					 "strip its debug information",
					 kernel->path, (unsigned long long)source.size,
					 (unsigned long long)AVD__KERNEL_VMLINUX_MAX);
		kernel->info.format = AVD_KERNEL_VMLINUX;
		kernel->info.vmlinux_bytes = source.size;
		copy_text(kernel->info.compression, sizeof(kernel->info.compression), "none");
		return 0;
	}
	if (!avd__bzimage_is(head, (size_t)n))
		return avd__foreign_fail(kernel->path, head, (size_t)n, error);
	if (source.size > AVD__KERNEL_IMAGE_MAX)
		return avd__fail(error, EFBIG,
				 "kernel %s: has %llu bytes, more than the %llu accepted; is it a "
				 "kernel image?",
				 kernel->path, (unsigned long long)source.size,
				 (unsigned long long)AVD__KERNEL_IMAGE_MAX);
	const int r = avd__bzimage_parse(&source, kernel->path, &kernel->bzimage, error);
	if (r < 0)
		return r;
	kernel->info.format = AVD_KERNEL_BZIMAGE;
	kernel->info.vmlinux_bytes = kernel->bzimage.unpacked_size;
	memcpy(kernel->info.release, kernel->bzimage.release, sizeof(kernel->info.release));
	copy_text(kernel->info.compression, sizeof(kernel->info.compression),
		  avd__compression_name(kernel->bzimage.compression));
	return 0;
}

int avd__kernel_open(const char *path, struct avd__kernel **ret_kernel, struct avd__error *error)
{
	struct stat st;
	struct avd__kernel *kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return avd__fail(error, ENOMEM, "out of memory");
	kernel->fd = -1;
	kernel->path = strdup(path);
	int r = kernel->path ? avd__file_open(path, "kernel", &kernel->fd, &st, error)
			     : avd__fail(error, ENOMEM, "out of memory");
	if (r == 0) {
		kernel->info.image_bytes = (uint64_t)st.st_size;
		r = read_format(kernel, error);
	}
	if (r == 0 && kernel->info.format == AVD_KERNEL_VMLINUX)
		r = avd__kernel_inspect(kernel, error); /* nothing to unpack: cheap */
	if (r < 0) {
		avd__kernel_free(kernel);
		return r;
	}
	*ret_kernel = kernel;
	return 0;
}

void avd__kernel_free(struct avd__kernel *kernel)
{
	if (!kernel)
		return;
	avd__close(&kernel->fd);
	free(kernel->path);
	free(kernel);
}

const struct avd_kernel_info *avd__kernel_info(const struct avd__kernel *kernel)
{
	return &kernel->info;
}

/* Whether the kernel has sched_ext, from the best source there is. */
static int judge_sched_ext(struct avd__kernel *kernel, const struct avd__vmlinux *facts,
			   struct avd__error *error)
{
	struct avd_kernel_info *info = &kernel->info;
	char *beside = NULL;
	const char *source = "";
	if (facts->config) {
		info->sched_ext = avd__config_has(facts->config, AVD__CONFIG_SCHED_EXT);
		source = "ikconfig";
	} else {
		const int r = avd__config_beside(kernel->path, info->release, &beside);
		if (r < 0)
			return avd__fail(error, -r, "out of memory");
		if (beside) {
			info->sched_ext = avd__config_has(beside, AVD__CONFIG_SCHED_EXT);
			source = "config";
		} else if (facts->btf == AVD_YES) {
			info->sched_ext = facts->btf_sched_ext ? AVD_YES : AVD_NO;
			source = "btf";
		}
	}
	free(beside);
	copy_text(info->config_source, sizeof(info->config_source), source);
	return 0;
}

static int inspect(struct avd__kernel *kernel, const struct avd__source *vmlinux,
		   struct avd__error *error)
{
	struct avd__vmlinux facts = {0};
	struct avd_kernel_info *info = &kernel->info;
	int r = avd__vmlinux_inspect(vmlinux, kernel->path, &facts, error);
	if (r < 0)
		return r;
	if (!info->release[0])
		memcpy(info->release, facts.release, sizeof(info->release));
	info->btf = facts.btf;
	info->pvh = facts.pvh ? AVD_YES : AVD_NO;
	r = judge_sched_ext(kernel, &facts, error);
	free(facts.config);
	kernel->inspected = r == 0;
	return r;
}

/* Unpacks the payload of an image that lies in memory. *ret_vmlinux: free(). */
static int unpack(const struct avd__kernel *kernel, const struct avd__view *image,
		  uint8_t **ret_vmlinux, size_t *ret_size, struct avd__error *error)
{
	const struct avd__bzimage *bz = &kernel->bzimage;
	const size_t want = (size_t)bz->unpacked_size;
	size_t size = 0;
	if (!want)
		return avd__fail(
			error, ENOTSUP,
			"kernel %s: is packed with %s, which is not supported here; name "
			"its vmlinux instead (the kernel's scripts/extract-vmlinux makes it)",
			kernel->path,
			bz->compression ? avd__compression_name(bz->compression)
					: "something unknown");
	uint8_t *vmlinux = malloc(want);
	if (!vmlinux)
		return avd__fail(error, ENOMEM, "kernel %s: no memory to unpack %zu bytes",
				 kernel->path, want);
	const int r = avd__unpack(bz->compression, image->data + bz->payload_offset,
				  (size_t)bz->payload_size, vmlinux, want, &size);
	if (r == 0 && size == want) {
		*ret_vmlinux = vmlinux;
		*ret_size = size;
		return 0;
	}
	free(vmlinux);
	if (r == -ENOMEM)
		return avd__fail(error, ENOMEM, "kernel %s: no memory to unpack its %s payload",
				 kernel->path, avd__compression_name(bz->compression));
	return avd__fail(error, EBADMSG,
			 "kernel %s: its %s payload at offset %llu is damaged; copy it again",
			 kernel->path, avd__compression_name(bz->compression),
			 (unsigned long long)bz->payload_offset);
}

/* The image as a whole in memory: a mapping would fault if the file were cut meanwhile. */
static int load_image(const struct avd__kernel *kernel, struct avd__view *ret_image,
		      struct avd__error *error)
{
	const struct avd__source file = {.fd = kernel->fd, .size = kernel->info.image_bytes};
	const int r = avd__view_get(&file, 0, file.size, (size_t)AVD__KERNEL_IMAGE_MAX, ret_image);
	if (r == -EBADMSG)
		return avd__fail(error, EBADMSG,
				 "kernel %s: became shorter while it was read; wait for the copy "
				 "to end, then try again",
				 kernel->path);
	if (r < 0)
		return avd__fail(error, -r, "kernel %s: cannot be read: %s", kernel->path,
				 strerror(-r));
	return 0;
}

int avd__kernel_inspect(struct avd__kernel *kernel, struct avd__error *error)
{
	if (kernel->inspected)
		return 0;
	if (kernel->info.format == AVD_KERNEL_VMLINUX) {
		const struct avd__source file = {.fd = kernel->fd,
						 .size = kernel->info.image_bytes};
		return inspect(kernel, &file, error);
	}
	struct avd__view image;
	uint8_t *vmlinux = NULL;
	size_t size = 0;
	int r = load_image(kernel, &image, error);
	if (r < 0)
		return r;
	r = unpack(kernel, &image, &vmlinux, &size, error);
	avd__view_free(&image);
	if (r < 0)
		return r;
	const struct avd__source memory = {.mem = vmlinux, .size = size};
	r = inspect(kernel, &memory, error);
	free(vmlinux);
	return r;
}

/* Not in the cache: unpack, look whether it is a kernel, then store. */
static int fill_cache(struct avd__kernel *kernel, const char *cache_dir, const uint8_t *key,
		      const struct avd__view *image, int *ret_fd, struct avd__error *error)
{
	uint8_t *vmlinux = NULL;
	size_t size = 0;
	int r = unpack(kernel, image, &vmlinux, &size, error);
	if (r < 0)
		return r;
	const struct avd__source memory = {.mem = vmlinux, .size = size};
	r = kernel->inspected ? 0 : inspect(kernel, &memory, error);
	if (r == 0)
		r = avd__cache_store(cache_dir, key, vmlinux, size, ret_fd, error);
	free(vmlinux);
	return r;
}

static int cached_vmlinux(struct avd__kernel *kernel, const char *cache_dir, int *ret_fd,
			  struct avd__error *error)
{
	struct avd__view image;
	uint8_t key[AVD__BLAKE2B_SIZE];
	uint64_t size = 0;
	int fd = -1;
	int r = load_image(kernel, &image, error);
	if (r < 0)
		return r;
	avd__blake2b(image.data, image.size, key);
	r = avd__cache_find(cache_dir, key, &fd, &size, error);
	if (r == 0 && !kernel->inspected) {
		const struct avd__source file = {.fd = fd, .size = size};
		r = inspect(kernel, &file, error);
	} else if (r == -ENOENT) {
		r = fill_cache(kernel, cache_dir, key, &image, &fd, error);
	}
	avd__view_free(&image);
	if (r < 0) {
		avd__close(&fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int avd__kernel_vmlinux(struct avd__kernel *kernel, const char *cache_dir, int *ret_fd,
			struct avd__error *error)
{
	if (kernel->info.format == AVD_KERNEL_VMLINUX) {
		const int r = avd__kernel_inspect(kernel, error);
		if (r < 0)
			return r;
		const int fd = fcntl(kernel->fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return avd__fail(error, errno, "kernel %s: no file descriptor left",
					 kernel->path);
		*ret_fd = fd;
		return 0;
	}
	char *dir = NULL;
	int r = avd__cache_dir(cache_dir, &dir, error);
	if (r < 0)
		return r;
	r = cached_vmlinux(kernel, dir, ret_fd, error);
	free(dir);
	return r;
}

int avd_kernel_describe(const char *path, struct avd_kernel_info *ret_info, char *error,
			size_t error_size)
{
	struct avd__error detail = {0};
	struct avd__kernel *kernel = NULL;
	int r = path && ret_info ? avd__kernel_open(path, &kernel, &detail)
				 : avd__fail(&detail, EINVAL, "no path was given");
	if (r == 0) {
		r = avd__kernel_inspect(kernel, &detail);
		if (r == -ENOTSUP) /* nothing is wrong with it, only more is unknown */
			r = 0;
	}
	if (r == 0)
		*ret_info = kernel->info;
	else
		avd__error_copy(&detail, error, error_size);
	avd__kernel_free(kernel);
	return r;
}
