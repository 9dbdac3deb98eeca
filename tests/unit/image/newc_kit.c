// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "newc_kit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_kit.h"

static uint32_t field(const char *header, unsigned int index)
{
	char text[9] = {0};
	char *end;
	memcpy(text, header + 6 + 8 * (size_t)index, 8);
	const unsigned long value = strtoul(text, &end, 16);
	KIT_CHECK(*end == '\0', "field %u is \"%s\"", index, text);
	return (uint32_t)value;
}

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* What the format demands of each entry, and what makes two archives alike. */
static void check_file(const struct newc_kit *archive, const struct newc_file *file,
		       const char *header)
{
	for (size_t i = 0; i < archive->count; i++) {
		KIT_CHECK(archive->files[i].inode != file->inode, "inode of %s", file->name);
		KIT_CHECK(strcmp(archive->files[i].name, file->name) != 0, "%s twice", file->name);
	}
	KIT_CHECK(file->name[0] && file->name[0] != '/', "name %s", file->name);
	KIT_CHECK(field(header, 2) == 0 && field(header, 3) == 0, "owner of %s", file->name);
	KIT_CHECK(file->mtime == 0, "time of %s", file->name);
	KIT_CHECK(!S_ISDIR(file->mode) || !file->size, "content of directory %s", file->name);
	KIT_CHECK(S_ISDIR(file->mode) || file->links == 1, "links of %s", file->name);
	/* Each parent has come before, as a directory. */
	for (const char *slash = strchr(file->name, '/'); slash; slash = strchr(slash + 1, '/')) {
		char parent[4096] = {0};
		memcpy(parent, file->name, (size_t)(slash - file->name));
		const struct newc_file *dir = newc_find(archive, parent);
		KIT_CHECK(dir && S_ISDIR(dir->mode), "parent %s of %s", parent, file->name);
	}
}

struct newc_kit newc_open(int fd)
{
	struct newc_kit archive = {.bytes = kit_read_fd(fd)};
	const size_t len = archive.bytes.len;
	close(fd);
	for (size_t at = 0;;) {
		KIT_CHECK(at % 4 == 0 && len - at >= 110, "no header at %zu", at);
		const char *header = archive.bytes.data + at;
		KIT_CHECK(!memcmp(header, "070701", 6), "no magic at %zu", at);
		const size_t name_size = field(header, 11);
		struct newc_file file = {.name = header + 110,
					 .inode = field(header, 0),
					 .mode = field(header, 1),
					 .links = field(header, 4),
					 .mtime = field(header, 5),
					 .size = field(header, 6)};
		const size_t data = at + align4(110 + name_size);
		KIT_CHECK(name_size && data <= len && file.size <= len - data, "sizes at %zu", at);
		KIT_CHECK(strlen(file.name) + 1 == name_size, "name at %zu", at);
		for (size_t i = at + 110 + name_size; i < data; i++)
			KIT_CHECK(!archive.bytes.data[i], "padding at %zu", i);
		file.data = archive.bytes.data + data;
		at = data + align4(file.size);
		for (size_t i = data + file.size; i < at && i < len; i++)
			KIT_CHECK(!archive.bytes.data[i], "padding at %zu", i);
		if (!strcmp(file.name, "TRAILER!!!")) {
			for (size_t i = at; i < len; i++)
				KIT_CHECK(!archive.bytes.data[i], "behind the end at %zu", i);
			KIT_CHECK(len % 512 == 0, "length %zu", len);
			return archive;
		}
		check_file(&archive, &file, header);
		archive.files =
			realloc(archive.files, (archive.count + 1) * sizeof(*archive.files));
		KIT_CHECK(archive.files, "out of memory");
		archive.files[archive.count++] = file;
	}
}

void newc_close(struct newc_kit *archive)
{
	free(archive->files);
	avd__buf_free(&archive->bytes);
	*archive = (struct newc_kit){0};
}

const struct newc_file *newc_find(const struct newc_kit *archive, const char *name)
{
	for (size_t i = 0; i < archive->count; i++) {
		if (!strcmp(archive->files[i].name, name))
			return &archive->files[i];
	}
	return NULL;
}
