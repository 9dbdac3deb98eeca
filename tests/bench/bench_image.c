// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * How long a guest's files and its kernel take to get ready. Each round measures every way
 * once, one after the other; the table has the medians, and ratios to the named peer.
 *
 *   initramfs: an init of 1.3 MB, a shell with its libraries and 10 MB of files, against write()
 *	of the archive's bytes into a memory file, and against cpio(1) -o -H newc of the same files.
 *   vmlinux: the newest kernel in AVD_TEST_KERNELS, on a cold and on a warm cache, against its
 *	decompression alone by the library (into memory that has not been touched).
 *
 *   AVD_BENCH_ROUNDS (9): the rounds.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/bzimage.h"
#include "image/initramfs.h"
#include "image/kernel.h"

#define ROUNDS_MAX 101u
#define INIT_SIZE ((size_t)1300000)
#define FILE_SIZE ((size_t)1 << 20)
#define FILES 10

static unsigned int rounds = 9;
static char dir[4096];
static struct avd__error error;

static void die(const char *what)
{
	fprintf(stderr, "bench-image: %s%s%s\n", what, error.text[0] ? ": " : "", error.text);
	exit(EXIT_FAILURE);
}

static const char *path_of(const char *name)
{
	static char path[8192];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static double median_ms(uint64_t *times)
{
	qsort(times, rounds, sizeof(*times), compare_times);
	return (double)times[rounds / 2] / 1e6;
}

static void report(const char *what, double ms, double megabytes, const char *peer, double peer_ms)
{
	printf("%-34s %8.2f ms %8.0f MB/s", what, ms, megabytes / ms * 1e3);
	if (peer)
		printf("   %.2f x %s", ms / peer_ms, peer);
	printf("\n");
}

static void make_file(const char *path, size_t size, unsigned int seed)
{
	uint8_t *bytes = malloc(size);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (!bytes || fd < 0)
		die("cannot write");
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)((i ^ i >> 9) * seed >> 3);
	if (avd__write_all(fd, bytes, size) < 0)
		die("cannot write");
	avd__close(&fd);
	free(bytes);
}

static int build(const uint8_t *init, uint64_t *ret_size)
{
	struct avd__initramfs *archive = NULL;
	enum avd__program_kind kind;
	char *guest = NULL;
	int fd = -1;
	if (avd__initramfs_new(&archive, &error) < 0 ||
	    avd__initramfs_add_bytes(archive, "/init", 0755, init, INIT_SIZE, &error) < 0 ||
	    avd__initramfs_add_program(archive, "/bin/sh", &kind, &guest, &error) < 0 ||
	    avd__initramfs_add_path(archive, path_of("files"), "/opt/files", &error) < 0 ||
	    avd__initramfs_finish(archive, &fd, ret_size, &error) < 0)
		die("initramfs");
	free(guest);
	avd__initramfs_free(archive);
	return fd;
}

static uint64_t time_write(const uint8_t *bytes, size_t size)
{
	const uint64_t start = avd__now_ns();
	int fd = memfd_create("bench", MFD_CLOEXEC);
	if (fd < 0 || avd__write_all(fd, bytes, size) < 0)
		die("write");
	const uint64_t end = avd__now_ns();
	avd__close(&fd);
	return end - start;
}

/* The archive's files as a tree, for cpio. 0 if there is no cpio. */
static int unpack_tree(const uint8_t *bytes, size_t size)
{
	char command[9000];
	if (system("command -v cpio >/dev/null") != 0)
		return 0;
	int fd = open(path_of("archive"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || avd__write_all(fd, bytes, size) < 0)
		die("archive");
	avd__close(&fd);
	snprintf(command, sizeof(command),
		 "mkdir '%s/tree' && cd '%s/tree' && cpio -idm --quiet <../archive", dir, dir);
	return system(command) == 0;
}

static uint64_t time_cpio(void)
{
	char command[9000];
	snprintf(command, sizeof(command),
		 "cd '%s/tree' && find . | cpio -o -H newc --quiet >/dev/null", dir);
	const uint64_t start = avd__now_ns();
	if (system(command) != 0)
		die("cpio");
	return avd__now_ns() - start;
}

static void bench_initramfs(void)
{
	uint64_t ours[ROUNDS_MAX], plain[ROUNDS_MAX], theirs[ROUNDS_MAX];
	uint8_t *init = malloc(INIT_SIZE);
	uint64_t size = 0;
	char name[32];
	if (!init || mkdir(path_of("files"), 0755) < 0)
		die("setup");
	memset(init, 0x5a, INIT_SIZE);
	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "files/%u", i);
		make_file(path_of(name), FILE_SIZE, 2 * i + 1);
	}
	int fd = build(init, &size);
	uint8_t *bytes = malloc(size);
	if (!bytes || avd__pread_all(fd, bytes, size, 0) != (int64_t)size)
		die("read back");
	avd__close(&fd);
	const int cpio = unpack_tree(bytes, size);
	for (unsigned int i = 0; i < rounds; i++) {
		const uint64_t start = avd__now_ns();
		fd = build(init, &size);
		ours[i] = avd__now_ns() - start;
		avd__close(&fd);
		plain[i] = time_write(bytes, size);
		theirs[i] = cpio ? time_cpio() : 0;
	}
	const double mb = (double)size / 1e6, write_ms = median_ms(plain);
	printf("initramfs of %.1f MB, %u rounds\n", mb, rounds);
	report("  write() of the same bytes", write_ms, mb, NULL, 0);
	report("  built from files", median_ms(ours), mb, "write()", write_ms);
	if (cpio)
		report("  cpio -o -H newc, with its start", median_ms(theirs), mb, "write()",
		       write_ms);
	free(bytes);
	free(init);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The newest one, or NULL. */
static char *find_kernel(void)
{
	const char *kernels = getenv("AVD_TEST_KERNELS");
	struct dirent **names = NULL;
	char *path = NULL;
	const int count = kernels ? scandir(kernels, &names, is_visible, versionsort) : 0;
	for (int i = count - 1; i >= 0; i--) {
		if (!path && asprintf(&path, "%s/%s/vmlinuz", kernels, names[i]->d_name) < 0)
			die("no memory");
		if (path && access(path, R_OK) < 0) {
			free(path);
			path = NULL;
		}
		free(names[i]);
	}
	free(names);
	return path;
}

static uint64_t time_vmlinux(const char *path)
{
	struct avd__kernel *kernel = NULL;
	int fd = -1;
	const uint64_t start = avd__now_ns();
	if (avd__kernel_open(path, &kernel, &error) < 0 ||
	    avd__kernel_vmlinux(kernel, path_of("cache"), &fd, &error) < 0)
		die("vmlinux");
	const uint64_t end = avd__now_ns();
	avd__kernel_free(kernel);
	avd__close(&fd);
	return end - start;
}

static uint64_t time_unpack(const uint8_t *payload, const struct avd__bzimage *bz)
{
	size_t size = 0;
	const uint64_t start = avd__now_ns();
	uint8_t *out = malloc(bz->unpacked_size);
	if (!out || avd__unpack(bz->compression, payload, bz->payload_size, out, bz->unpacked_size,
				&size) < 0)
		die("unpack");
	const uint64_t end = avd__now_ns();
	free(out);
	return end - start;
}

static void bench_vmlinux(const char *path)
{
	uint64_t cold[ROUNDS_MAX], warm[ROUNDS_MAX], library[ROUNDS_MAX];
	struct avd__bzimage bz;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die("kernel");
	const struct avd__source source = {.fd = fd, .size = (uint64_t)st.st_size};
	if (avd__bzimage_parse(&source, path, &bz, &error) < 0)
		die("kernel");
	uint8_t *payload = malloc(bz.payload_size);
	if (!payload || avd__source_read(&source, bz.payload_offset, payload, bz.payload_size) < 0)
		die("payload");
	avd__close(&fd);
	for (unsigned int i = 0; i < rounds; i++) {
		library[i] = time_unpack(payload, &bz);
		cold[i] = time_vmlinux(path);
		warm[i] = time_vmlinux(path);
		remove_all(path_of("cache"));
	}
	free(payload);
	const double mb = (double)bz.unpacked_size / 1e6, library_ms = median_ms(library);
	const char *name = avd__compression_name(bz.compression);
	printf("vmlinux of %.1f MB, from %.1f MB of %s, %u rounds\n", mb,
	       (double)bz.payload_size / 1e6, name, rounds);
	report("  decompression alone", library_ms, mb, NULL, 0);
	report("  cold cache", median_ms(cold), mb, "decompression", library_ms);
	report("  warm cache", median_ms(warm), mb, "decompression", library_ms);
}

int main(void)
{
	const char *text = getenv("AVD_BENCH_ROUNDS");
	const char *base = getenv("TMPDIR");
	if (text)
		rounds = (unsigned int)strtoul(text, NULL, 10);
	if (!rounds || rounds > ROUNDS_MAX)
		die("AVD_BENCH_ROUNDS makes no sense");
	snprintf(dir, sizeof(dir), "%s/avd-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(dir))
		die("no temporary directory");
	bench_initramfs();
	char *kernel = find_kernel();
	if (kernel)
		bench_vmlinux(kernel);
	else
		printf("vmlinux: not measured, no kernel in AVD_TEST_KERNELS; run "
		       "tools/fetch-kernel\n");
	free(kernel);
	remove_all(dir);
	return EXIT_SUCCESS;
}
