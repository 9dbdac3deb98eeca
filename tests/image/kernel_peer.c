// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Shows a test in another language what lib/image says of a kernel:
 *	kernel-peer describe IMAGE		KEY=VALUE lines
 *	kernel-peer vmlinux IMAGE CACHE OUT	copies the unpacked kernel to OUT
 * On a failure prints "error ERRNO MESSAGE" and ends with status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/kernel.h"

static int describe(const char *path, struct avd__error *error)
{
	static const char *const answers[] = {"unknown", "no", "yes"};
	struct avd_kernel_info info;
	const int r = avd_kernel_describe(path, &info, error->text, sizeof(error->text));
	if (r < 0)
		return r;
	printf("format=%s\nrelease=%s\ncompression=%s\nsched_ext=%s\nbtf=%s\npvh=%s\n",
	       info.format == AVD_KERNEL_BZIMAGE ? "bzimage" : "vmlinux", info.release,
	       info.compression, answers[info.sched_ext], answers[info.btf], answers[info.pvh]);
	printf("config_source=%s\nimage_bytes=%" PRIu64 "\nvmlinux_bytes=%" PRIu64 "\n",
	       info.config_source, info.image_bytes, info.vmlinux_bytes);
	return 0;
}

static int copy(int in, const char *path, struct avd__error *error)
{
	struct stat st;
	off_t at = 0;
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0 || fstat(in, &st) < 0)
		return avd__fail(error, EIO, "%s: cannot be written", path);
	while (at < st.st_size) {
		if (sendfile(out, in, &at, (size_t)(st.st_size - at)) <= 0)
			return avd__fail(error, EIO, "%s: cannot be written", path);
	}
	avd__close(&out);
	return 0;
}

static int unpack(const char *path, const char *cache, const char *out, struct avd__error *error)
{
	struct avd__kernel *kernel = NULL;
	int fd = -1;
	int r = avd__kernel_open(path, &kernel, error);
	if (r == 0)
		r = avd__kernel_vmlinux(kernel, cache, &fd, error);
	if (r == 0)
		r = copy(fd, out, error);
	avd__close(&fd);
	avd__kernel_free(kernel);
	return r;
}

int main(int argc, char **argv)
{
	struct avd__error error = {0};
	int r;
	if (argc == 3 && !strcmp(argv[1], "describe")) {
		r = describe(argv[2], &error);
	} else if (argc == 5 && !strcmp(argv[1], "vmlinux")) {
		r = unpack(argv[2], argv[3], argv[4], &error);
	} else {
		fprintf(stderr, "usage: kernel-peer describe IMAGE | vmlinux IMAGE CACHE OUT\n");
		return 2;
	}
	if (r < 0)
		printf("error %d %s\n", -r, error.text);
	return r < 0 ? 1 : 0;
}
