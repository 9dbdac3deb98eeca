// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The window, if the kernel knows of it: as the region of a PCI device, found again by a rescan.
 * What stands where in it is in lib/codec/window.h; made without it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forge.h"

#define DEVICES "/sys/bus/pci/devices"
#define MAGIC UINT64_C(0x31646e6977445641)
#define PUT_AT 64
#define DATA_AT 4096
#define DATA_SIZE (UINT64_C(4) << 20)

static void write_one(const char *path)
{
	const int fd = open(path, O_WRONLY);
	if (fd >= 0 && write(fd, "1", 1) == 1)
		printf("%s takes my word\n", path);
	if (fd >= 0)
		close(fd);
}

static void put(uint8_t *window, const uint8_t *bytes, size_t size)
{
	uint64_t at;
	memcpy(&at, window + PUT_AT, sizeof(at));
	for (size_t i = 0; i < size; i++)
		window[DATA_AT + (at + i) % DATA_SIZE] = bytes[i];
	at += size;
	memcpy(window + PUT_AT, &at, sizeof(at));
}

static void try_region(const char *path, const uint8_t *bytes, size_t size)
{
	const int fd = open(path, O_RDWR);
	struct stat st;
	uint64_t magic;
	if (fd < 0)
		return;
	void *region =
		fstat(fd, &st) == 0 && st.st_size > (off_t)(DATA_AT + DATA_SIZE)
			? mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
			: MAP_FAILED;
	close(fd);
	if (region == MAP_FAILED)
		return;
	memcpy(&magic, region, sizeof(magic));
	if (magic != MAGIC)
		return;
	printf("%s is the window\n", path);
	put(region, bytes, size);
}

void forge_into_window(const uint8_t *bytes, size_t size)
{
	struct dirent *entry;
	write_one("/sys/bus/pci/rescan");
	DIR *devices = opendir(DEVICES);
	while (devices && (entry = readdir(devices))) {
		char path[512];
		snprintf(path, sizeof(path), DEVICES "/%s/enable", entry->d_name);
		write_one(path);
		for (int region = 0; region < 6; region++) {
			snprintf(path, sizeof(path), DEVICES "/%s/resource%d", entry->d_name,
				 region);
			try_region(path, bytes, size);
		}
	}
	if (devices)
		closedir(devices);
}
