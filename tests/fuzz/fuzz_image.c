// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Files that lib/image parses, by their first byte: a bzImage's header, an unpacked kernel, an
 * ld.so.cache, a program's dynamic section, a payload of each compression.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "image/bzimage.h"
#include "image/elfdyn.h"
#include "image/ldcache.h"
#include "image/vmlinux.h"

#define UNPACKED_MAX 65536u

static void try_bzimage(const struct avd__source *source)
{
	struct avd__error error = {{0}};
	struct avd__bzimage bz;
	const int r = avd__bzimage_parse(source, "fuzzed", &bz, &error);
	FUZZ_CHECK(r == 0 || error.text[0]);
	if (r == 0) {
		FUZZ_CHECK(bz.payload_offset <= source->size);
		FUZZ_CHECK(bz.payload_size <= source->size - bz.payload_offset);
		FUZZ_CHECK(memchr(bz.release, 0, sizeof(bz.release)));
	}
}

static void try_vmlinux(const struct avd__source *source)
{
	struct avd__error error = {{0}};
	struct avd__vmlinux facts;
	const int r = avd__vmlinux_inspect(source, "fuzzed", &facts, &error);
	FUZZ_CHECK(r == 0 || error.text[0]);
	if (r == 0) {
		FUZZ_CHECK(memchr(facts.release, 0, sizeof(facts.release)));
		free(facts.config);
	}
}

static void try_ldcache(const uint8_t *bytes, size_t size)
{
	struct avd__ldcache cache;
	uint32_t position = 0;
	bool common;
	const char *path;
	if (avd__ldcache_parse(bytes, size, &cache) < 0)
		return;
	while ((path = avd__ldcache_next(&cache, "libz.so.1", &position, &common)))
		FUZZ_CHECK(path[0] == '/');
	FUZZ_CHECK(position == cache.count);
}

static void try_program(const uint8_t *bytes, size_t size)
{
	struct avd__error error = {{0}};
	struct avd__elf_dyn dyn;
	const int fd = memfd_create("fuzzed", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && avd__write_all(fd, bytes, size) == 0);
	const int r = avd__elf_dyn_read(fd, "fuzzed", &dyn, &error);
	FUZZ_CHECK(r == 0 || error.text[0]);
	if (r == 0)
		avd__elf_dyn_free(&dyn);
	close(fd);
}

static void try_payload(const uint8_t *bytes, size_t size)
{
	uint8_t *out = malloc(UNPACKED_MAX);
	size_t unpacked = 0;
	FUZZ_CHECK(out);
	if (avd__unpack(avd__compression_detect(bytes, size), bytes, size, out, UNPACKED_MAX,
			&unpacked) == 0)
		FUZZ_CHECK(unpacked <= UNPACKED_MAX);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t *file = malloc(size); /* exact: reading beyond shows */
	FUZZ_CHECK(file);
	memcpy(file, bytes + 1, size - 1);
	const struct avd__source source = {.mem = file, .fd = -1, .size = size - 1};
	switch (bytes[0]) {
	case 'b':
		try_bzimage(&source);
		break;
	case 'v':
		try_vmlinux(&source);
		break;
	case 'l':
		try_ldcache(file, size - 1);
		break;
	case 'p':
		try_program(file, size - 1);
		break;
	case 'z':
		try_payload(file, size - 1);
		break;
	default:
		break;
	}
	free(file);
	return 0;
}
