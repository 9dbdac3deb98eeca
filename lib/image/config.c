// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/file.h"
#include "image/unpack.h"

static int unpack_config(const uint8_t *data, size_t size, char **ret_config)
{
	uint32_t claim;
	size_t n = 0;
	if (size < sizeof(claim))
		return -EBADMSG;
	memcpy(&claim, data + size - sizeof(claim), sizeof(claim)); /* gzip's last word */
	if (claim > AVD__CONFIG_MAX)
		return -EBADMSG;
	char *config = malloc((size_t)claim + 1);
	if (!config)
		return -ENOMEM;
	const int r = avd__unpack(AVD__COMPRESSION_GZIP, data, size, (uint8_t *)config, claim, &n);
	if (r < 0) {
		free(config);
		return r == -ENOMEM ? r : -EBADMSG;
	}
	config[n] = '\0';
	*ret_config = config;
	return 0;
}

int avd__config_find(const uint8_t *data, size_t size, char **ret_config)
{
	/* The gzip magic is part of the mark: the words alone stand in scripts, too. */
	static const char start[] = "IKCFG_ST\x1f\x8b";
	const size_t mark = 8;
	const uint8_t *at = memmem(data, size, start, sizeof(start) - 1);
	*ret_config = NULL;
	if (!at)
		return 0;
	const uint8_t *begin = at + mark;
	const size_t left = size - (size_t)(begin - data);
	const uint8_t *end = memmem(begin, left, "IKCFG_ED", mark);
	if (!end)
		return -EBADMSG;
	return unpack_config(begin, (size_t)(end - begin), ret_config);
}

static int read_config(const char *path, char **ret_config)
{
	struct stat st;
	int fd = -1;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int r = avd__file_open(path, "config", &fd, &st, NULL);
	if (r == 0)
		r = avd__file_read(fd, AVD__CONFIG_MAX, &bytes, &size);
	avd__close(&fd);
	if (r == -ENOMEM)
		return r;
	*ret_config = r == 0 ? (char *)bytes : NULL;
	return 0;
}

int avd__config_beside(const char *image_path, const char *release, char **ret_config)
{
	const char *slash = strrchr(image_path, '/');
	const int dir = slash ? (int)(slash - image_path) + 1 : 0;
	*ret_config = NULL;
	if (!*release || strchr(release, '/'))
		return 0;
	for (int i = 0; i < 4 && !*ret_config; i++) {
		char *path = NULL;
		int r = -1;
		if (i == 0)
			r = asprintf(&path, "%.*sconfig-%s", dir, image_path, release);
		else if (i == 1) /* /usr/lib/modules/V/vmlinuz has its config there */
			r = strstr(image_path, release)
				    ? asprintf(&path, "%.*sconfig", dir, image_path)
				    : 0;
		else if (i == 2)
			r = asprintf(&path, "/boot/config-%s", release);
		else
			r = asprintf(&path, "/usr/lib/modules/%s/config", release);
		if (r < 0)
			return -ENOMEM;
		r = path ? read_config(path, ret_config) : 0;
		free(path);
		if (r < 0)
			return r;
	}
	return 0;
}

enum avd_tristate avd__config_has(const char *config, const char *option)
{
	const size_t len = strlen(option);
	for (const char *p = config; (p = strstr(p, option)); p += len) {
		if ((p == config || p[-1] == '\n') && p[len] == '=' &&
		    (p[len + 1] == 'y' || p[len + 1] == 'm'))
			return AVD_YES;
	}
	return AVD_NO;
}
