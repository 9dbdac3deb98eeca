// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The "new ASCII" cpio format (Documentation/driver-api/early-userspace/buffer-format.rst). Each
 * entry is a header of 110 hexadecimal characters, the name, the content, each padded to 4 bytes;
 * the padding is a hole. All that could differ from run to run (times, owners, inode numbers) is
 * fixed, so the same additions give the same bytes.
 */
#include "image/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/archive.h"

#define HEADER_SIZE 110u
#define HEADER_MODE 14u /* behind the magic and the inode number */
#define TRAILER "TRAILER!!!"
#define COPY_CHUNK ((size_t)256 << 10)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~UINT64_C(3);
}

static int fail_memory(struct avd__error *error)
{
	return avd__fail(error, ENOMEM, "out of memory");
}

int avd__initramfs_new(struct avd__initramfs **ret_archive, struct avd__error *error)
{
	struct avd__initramfs *archive = calloc(1, sizeof(*archive));
	if (!archive)
		return fail_memory(error);
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	archive->fd = memfd_create("attachverdict-initramfs", flags | MFD_NOEXEC_SEAL);
	if (archive->fd < 0 && errno == EINVAL)
		archive->fd = memfd_create("attachverdict-initramfs", flags);
	if (archive->fd < 0) {
		const int err = errno;
		free(archive);
		return avd__fail(error, err, "cannot make a memory file for the initramfs: %s",
				 strerror(err));
	}
	*ret_archive = archive;
	return 0;
}

void avd__initramfs_free(struct avd__initramfs *archive)
{
	if (!archive)
		return;
	avd__close(&archive->fd);
	avd__pathset_free(&archive->paths);
	free(archive);
}

static uint64_t content_offset(const struct avd__path_entry *entry)
{
	return entry->header + align4(HEADER_SIZE + strlen(entry->path) + 1);
}

const struct avd__path_entry *avd__archive_find(const struct avd__initramfs *archive,
						const char *path)
{
	return avd__pathset_find(&archive->paths, path);
}

int avd__archive_read_link(const struct avd__initramfs *archive,
			   const struct avd__path_entry *entry, char ret_target[PATH_MAX])
{
	if (entry->size >= PATH_MAX)
		return -ENAMETOOLONG;
	const int64_t n =
		avd__pread_all(archive->fd, ret_target, (size_t)entry->size, content_offset(entry));
	if (n < 0)
		return (int)n;
	ret_target[n] = '\0';
	return 0;
}

static int pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const uint8_t *p = bytes;
	while (size) {
		const ssize_t n = pwrite(fd, p, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int write_header(const struct avd__initramfs *archive, const char *name, uint32_t inode,
			uint32_t mode, uint64_t size)
{
	char head[HEADER_SIZE + PATH_MAX];
	const size_t name_size = strlen(name) + 1;
	const unsigned int links = S_ISDIR(mode) ? 2 : 1;
	snprintf(head, sizeof(head), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 inode, mode, 0u, 0u, links, 0u, (unsigned int)size, 0u, 0u, 0u, 0u,
		 (unsigned int)name_size, 0u);
	memcpy(head + HEADER_SIZE, name, name_size);
	return pwrite_all(archive->fd, head, HEADER_SIZE + name_size, archive->size);
}

/* A directory or file that comes again with other permissions: the header is put right. */
static int set_mode(struct avd__initramfs *archive, const struct avd__path_entry *entry,
		    uint32_t mode)
{
	char text[9];
	if (mode == entry->mode)
		return 0;
	snprintf(text, sizeof(text), "%08X", mode);
	const int r = pwrite_all(archive->fd, text, 8, entry->header + HEADER_MODE);
	if (r == 0)
		archive->paths.entries[entry - archive->paths.entries].mode = mode;
	return r;
}

/* The content of a new entry: bytes, or a file. */
struct content {
	const void *bytes;
	int fd;
	uint64_t size;
	const char *host_path; /* for messages; NULL for bytes */
};

static int copy_by_buffer(int out, uint64_t out_offset, int in, uint64_t in_offset, uint64_t size)
{
	uint8_t *buffer = malloc(COPY_CHUNK);
	int r = buffer ? 0 : -ENOMEM;
	while (r == 0 && size) {
		const size_t want = size < COPY_CHUNK ? (size_t)size : COPY_CHUNK;
		const int64_t n = avd__pread_all(in, buffer, want, in_offset);
		if (n < 0)
			r = (int)n;
		else if (n == 0)
			r = -ENODATA;
		else
			r = pwrite_all(out, buffer, (size_t)n, out_offset);
		in_offset += (uint64_t)n;
		out_offset += (uint64_t)n;
		size -= r == 0 ? (uint64_t)n : 0;
	}
	free(buffer);
	return r;
}

static int copy_file(int out, uint64_t out_offset, int in, uint64_t size)
{
	off_t at = 0;
	if (lseek(out, (off_t)out_offset, SEEK_SET) < 0)
		return -errno;
	while ((uint64_t)at < size) {
		const ssize_t n = sendfile(out, in, &at, (size_t)(size - (uint64_t)at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* a file system without splice */
			return copy_by_buffer(out, out_offset + (uint64_t)at, in, (uint64_t)at,
					      size - (uint64_t)at);
		if (n == 0)
			return -ENODATA;
	}
	return 0;
}

static int write_content(const struct avd__initramfs *archive, uint64_t offset,
			 const struct content *content)
{
	if (!content->size)
		return 0;
	return content->host_path
		       ? copy_file(archive->fd, offset, content->fd, content->size)
		       : pwrite_all(archive->fd, content->bytes, (size_t)content->size, offset);
}

static int fail_write(const char *path, const struct content *content, int r,
		      struct avd__error *error)
{
	if (r == -ENODATA)
		return avd__fail(error, EAGAIN,
				 "file %s: became shorter while it was read; try again",
				 content->host_path);
	return avd__fail(error, -r, "cannot add %s to the initramfs: %s",
			 content->host_path ? content->host_path : path, strerror(-r));
}

/* The path is resolved and new, its parents exist. A failure leaves the archive as it was. */
static int append(struct avd__initramfs *archive, const char *path, uint32_t mode,
		  const struct content *content, struct avd__error *error)
{
	const uint64_t start = archive->size + align4(HEADER_SIZE + strlen(path) + 1);
	if (start + content->size > AVD__INITRAMFS_MAX)
		return avd__fail(error, EFBIG,
				 "the guest's files are more than %llu MiB with %s; include less",
				 (unsigned long long)(AVD__INITRAMFS_MAX >> 20), path);
	int r = write_header(archive, path, (uint32_t)archive->paths.count + 1, mode,
			     content->size);
	if (r == 0)
		r = write_content(archive, start, content);
	if (r == 0)
		r = avd__pathset_add(&archive->paths, path, mode, archive->size, content->size);
	if (r < 0) {
		/* What was written stands behind the end; nothing may shine through the holes. */
		if (ftruncate(archive->fd, (off_t)archive->size) < 0)
			r = -errno;
		return fail_write(path, content, r, error);
	}
	archive->size = align4(start + content->size);
	return 0;
}

static int add_parents(struct avd__initramfs *archive, const char *path, struct avd__error *error)
{
	static const struct content nothing = {.fd = -1};
	char prefix[PATH_MAX];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const size_t len = (size_t)(slash - path);
		memcpy(prefix, path, len);
		prefix[len] = '\0';
		const struct avd__path_entry *entry = avd__pathset_find(&archive->paths, prefix);
		if (entry && !S_ISDIR(entry->mode))
			return avd__fail(error, ENOTDIR,
					 "cannot put /%s in the guest: /%s is a file there", path,
					 prefix);
		const int r = entry ? 0 : append(archive, prefix, S_IFDIR | 0755, &nothing, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: the same bytes, 0: others. */
static int same_content(const struct avd__initramfs *archive, const struct avd__path_entry *entry,
			const struct content *content)
{
	if (entry->size != content->size)
		return 0;
	uint8_t *ours = malloc(2 * COPY_CHUNK);
	if (!ours)
		return -ENOMEM;
	uint8_t *theirs = ours + COPY_CHUNK;
	const uint64_t start = content_offset(entry);
	int r = 1;
	for (uint64_t at = 0; at < content->size && r == 1; at += COPY_CHUNK) {
		const uint64_t left = content->size - at;
		const size_t want = left < COPY_CHUNK ? (size_t)left : COPY_CHUNK;
		int64_t n = avd__pread_all(archive->fd, ours, want, start + at);
		if (n >= 0 && content->host_path)
			n = avd__pread_all(content->fd, theirs, want, at);
		const uint8_t *other =
			content->host_path ? theirs : (const uint8_t *)content->bytes + at;
		if (n < 0)
			r = (int)n;
		else /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): one or the other */
			r = (size_t)n == want && memcmp(ours, other, want) == 0;
	}
	free(ours);
	return r;
}

/* Where the guest's init mounts file systems of its own, which hide what the archive has
 * there. */
static const char *hidden_by(const char *path)
{
	static const char *const mounts[] = {"dev", "proc", "sys"};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(mounts); i++) {
		const size_t len = strlen(mounts[i]);
		if (!strncmp(path, mounts[i], len) && path[len] == '/')
			return mounts[i];
	}
	return NULL;
}

static int add_entry(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
		     const struct content *content, struct avd__error *error)
{
	char path[PATH_MAX];
	int r = avd__archive_resolve(archive, guest_path,
				     S_ISLNK(mode) ? AVD__FOLLOW_PARENTS : AVD__FOLLOW_ALL, path,
				     error);
	if (r < 0)
		return r;
	if (!*path) {
		if (S_ISDIR(mode))
			return 0;
		return avd__fail(error, EINVAL, "guest path %s: is the root directory; name a file",
				 guest_path);
	}
	const char *mount = hidden_by(path);
	if (mount)
		return avd__fail(error, EINVAL,
				 "guest path %s: lies under /%s, where the guest mounts a file "
				 "system of its own; take it from another directory",
				 guest_path, mount);
	const struct avd__path_entry *entry = avd__pathset_find(&archive->paths, path);
	if (!entry) {
		r = add_parents(archive, path, error);
		return r < 0 ? r : append(archive, path, mode, content, error);
	}
	r = (entry->mode & S_IFMT) == (mode & S_IFMT) ? 1 : 0;
	if (r == 1 && !S_ISDIR(mode))
		r = same_content(archive, entry, content);
	if (r == 0)
		return avd__fail(error, EEXIST,
				 "guest path %s: is there already with another content; give %s "
				 "another guest path",
				 guest_path, content->host_path ? content->host_path : "it");
	if (r > 0)
		r = set_mode(archive, entry, S_ISDIR(mode) ? mode : entry->mode | mode);
	return r < 0 ? fail_write(path, content, r, error) : 0;
}

int avd__initramfs_add_bytes(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
			     const void *bytes, size_t size, struct avd__error *error)
{
	const struct content content = {.bytes = bytes, .fd = -1, .size = size};
	return add_entry(archive, guest_path, S_IFREG | (mode & 07777), &content, error);
}

int avd__initramfs_add_dir(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
			   struct avd__error *error)
{
	const struct content content = {.fd = -1};
	return add_entry(archive, guest_path, S_IFDIR | (mode & 07777), &content, error);
}

int avd__initramfs_add_symlink(struct avd__initramfs *archive, const char *guest_path,
			       const char *target, struct avd__error *error)
{
	const struct content content = {.bytes = target, .fd = -1, .size = strlen(target)};
	if (!content.size || content.size >= PATH_MAX)
		return avd__fail(error, EINVAL, "guest path %s: its symlink target is %s",
				 guest_path, content.size ? "too long" : "empty");
	return add_entry(archive, guest_path, S_IFLNK | 0777, &content, error);
}

int avd__archive_add_fd(struct avd__initramfs *archive, const char *guest_path, uint32_t mode,
			int fd, uint64_t size, const char *host_path, struct avd__error *error)
{
	const struct content content = {.fd = fd, .size = size, .host_path = host_path};
	return add_entry(archive, guest_path, S_IFREG | (mode & 07777), &content, error);
}

/* Against all later writes. F_SEAL_WRITE would ask for more, that nobody holds a page of the file
 * at this moment, and fail if the host's own memory management does: one that pages out ahead of
 * need takes pages off their list for longer than that seal waits (mm/memfd.c:
 * memfd_wait_for_pins()). A mapping that could still write is what it looks for; there is none. */
static int seal(int fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	if (fcntl(fd, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE) == 0)
		return 0;
	/* Before Linux 5.1. */
	return errno == EINVAL && fcntl(fd, F_ADD_SEALS, seals | F_SEAL_WRITE) == 0 ? 0 : -errno;
}

int avd__initramfs_finish(struct avd__initramfs *archive, int *ret_fd, uint64_t *ret_size,
			  struct avd__error *error)
{
	int r = write_header(archive, TRAILER, 0, 0, 0);
	const uint64_t end = archive->size + align4(HEADER_SIZE + sizeof(TRAILER));
	const uint64_t size =
		(end + 511) & ~UINT64_C(511); /* cpio's block: other readers want it */
	if (r == 0 && ftruncate(archive->fd, (off_t)size) < 0)
		r = -errno;
	if (r == 0)
		r = seal(archive->fd);
	if (r == 0 && lseek(archive->fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return avd__fail(error, -r, "cannot complete the initramfs: %s", strerror(-r));
	*ret_fd = archive->fd;
	*ret_size = size;
	archive->fd = -1;
	return 0;
}
