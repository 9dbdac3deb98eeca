// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/bzimage.h"

#include <errno.h>
#include <string.h>

#include "image/kernel.h"

/* Offsets of the fields, from the start of the file. */
enum {
	HDR_SETUP_SECTS = 0x1f1,
	HDR_SYSSIZE = 0x1f4,
	HDR_BOOT_FLAG = 0x1fe,
	HDR_MAGIC = 0x202,
	HDR_VERSION = 0x206,
	HDR_KERNEL_VERSION = 0x20e,
	HDR_LOADFLAGS = 0x211,
	HDR_XLOADFLAGS = 0x236,
	HDR_PAYLOAD_OFFSET = 0x248,
	HDR_PAYLOAD_LENGTH = 0x24c,
	HDR_SIZE = 0x250,
};

#define PROTOCOL_PAYLOAD 0x0208 /* payload_offset came with 2.08 (Linux 2.6.26) */
#define PROTOCOL_XLOADFLAGS 0x020c
#define XLF_KERNEL_64 1

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

bool avd__bzimage_is(const uint8_t *head, size_t size)
{
	return size >= HDR_MAGIC + 4 && !memcmp(head + HDR_MAGIC, "HdrS", 4);
}

/* "6.16.12+deb13-cloud-amd64 (builder) #1 SMP ...": the first word. */
static int read_release(const struct avd__source *image, uint64_t offset, char *release,
			size_t size)
{
	const uint64_t left = offset < image->size ? image->size - offset : 0;
	const size_t n = left < size - 1 ? (size_t)left : size - 1;
	const int r = avd__source_read(image, offset, release, n);
	if (r < 0)
		return r;
	release[n] = '\0';
	release[strcspn(release, " ")] = '\0';
	for (const char *p = release; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return -EBADMSG;
	}
	memset(release + strlen(release), 0, size - strlen(release));
	return 0;
}

static int fail_truncated(const char *path, uint64_t size, uint64_t want, struct avd__error *error)
{
	return avd__fail(error, EBADMSG,
			 "kernel %s: is truncated (%llu bytes of at least %llu); copy it again",
			 path, (unsigned long long)size, (unsigned long long)want);
}

/* Whether this library can unpack it. */
static bool can_unpack(enum avd__compression compression)
{
	return compression != AVD__COMPRESSION_UNKNOWN && compression != AVD__COMPRESSION_LZO &&
	       compression != AVD__COMPRESSION_BZIP2;
}

/* The payload: where, how it is packed, and what it unpacks to. */
static int read_payload(const struct avd__source *image, const char *path, uint64_t base,
			const uint8_t *head, struct avd__bzimage *bz, struct avd__error *error)
{
	const uint64_t length = le32(head + HDR_PAYLOAD_LENGTH);
	const uint64_t start = base + le32(head + HDR_PAYLOAD_OFFSET);
	if (length <= 8 || start <= base)
		return avd__fail(error, EBADMSG,
				 "kernel %s: its header names no payload, the image is damaged; "
				 "copy it again",
				 path);
	if (start + length > image->size)
		return fail_truncated(path, image->size, start + length, error);
	uint8_t magic[16] = {0};
	uint8_t tail[4] = {0};
	int r = avd__source_read(image, start, magic, length < 16 ? (size_t)length : 16);
	if (r == 0)
		r = avd__source_read(image, start + length - 4, tail, sizeof(tail));
	if (r < 0)
		return avd__fail(error, -r, "kernel %s: cannot be read: %s", path, strerror(-r));
	bz->compression = avd__compression_detect(magic, sizeof(magic));
	bz->payload_offset = start;
	if (!can_unpack(bz->compression))
		return 0; /* what the rest means is not known either */
	bz->unpacked_size = le32(tail);
	/* gzip ends with the size anyway; behind the others the build appends it (size_append in
	 * scripts/Makefile.lib). */
	const bool own = bz->compression == AVD__COMPRESSION_GZIP;
	bz->payload_size = own ? length : length - 4;
	if (bz->unpacked_size == 0 || bz->unpacked_size > AVD__KERNEL_VMLINUX_MAX)
		return avd__fail(
			error, EBADMSG,
			"kernel %s: claims to unpack to %llu bytes (more than 0 and at most "
			"%llu are accepted), the image is damaged; copy it again",
			path, (unsigned long long)bz->unpacked_size,
			(unsigned long long)AVD__KERNEL_VMLINUX_MAX);
	return 0;
}

int avd__bzimage_parse(const struct avd__source *image, const char *path,
		       struct avd__bzimage *ret_bzimage, struct avd__error *error)
{
	uint8_t head[HDR_SIZE] = {0};
	struct avd__bzimage bz = {0};
	if (image->size < sizeof(head))
		return fail_truncated(path, image->size, sizeof(head), error);
	int r = avd__source_read(image, 0, head, sizeof(head));
	if (r < 0)
		return avd__fail(error, -r, "kernel %s: cannot be read: %s", path, strerror(-r));
	bz.protocol = le16(head + HDR_VERSION);
	if (le16(head + HDR_BOOT_FLAG) != 0xaa55)
		return avd__fail(error, EBADMSG,
				 "kernel %s: has no boot signature (0xaa55) at offset 0x1fe, the "
				 "image is damaged; copy it again",
				 path);
	if (bz.protocol < PROTOCOL_PAYLOAD || !(head[HDR_LOADFLAGS] & 1))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: speaks boot protocol %d.%02d, older than 2.08; take a "
				 "kernel of 2.6.26 or later",
				 path, bz.protocol >> 8, bz.protocol & 0xff);
	if (bz.protocol >= PROTOCOL_XLOADFLAGS && !(le16(head + HDR_XLOADFLAGS) & XLF_KERNEL_64))
		return avd__fail(error, ENOEXEC,
				 "kernel %s: is for 32-bit x86; take an x86_64 kernel", path);
	const uint64_t setup = head[HDR_SETUP_SECTS] ? head[HDR_SETUP_SECTS] : 4;
	const uint64_t base = (setup + 1) * 512;
	const uint64_t end = base + (uint64_t)le32(head + HDR_SYSSIZE) * 16;
	if (end > image->size)
		return fail_truncated(path, image->size, end, error);
	const uint16_t version = le16(head + HDR_KERNEL_VERSION);
	if (version) {
		r = (uint64_t)version + 512 < base ? read_release(image, (uint64_t)version + 512,
								  bz.release, sizeof(bz.release))
						   : -EBADMSG;
		if (r < 0)
			return avd__fail(error, EBADMSG,
					 "kernel %s: its release string is out of place, the image "
					 "is damaged; copy it again",
					 path);
	}
	r = read_payload(image, path, base, head, &bz, error);
	if (r < 0)
		return r;
	*ret_bzimage = bz;
	return 0;
}
