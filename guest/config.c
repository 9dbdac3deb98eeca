// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/frame.h"
#include "codec/message.h"

/* execve() takes at most 128 KiB an argument; a frame bounds their number anyway. */
#define ARGS_MAX 65536u

static uint8_t *read_file(const char *path, size_t *ret_size, struct avd__text *why)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		avd__text_add(why, "%s: %s: the initramfs was not made by attachverdict", path,
			      strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	uint8_t *bytes = NULL;
	size_t size = 0;
	if (st.st_size > 0 && (uint64_t)st.st_size <= AVD__FRAME_MAX)
		bytes = malloc((size_t)st.st_size);
	while (bytes && size < (size_t)st.st_size) {
		const ssize_t n = read(fd, bytes + size, (size_t)st.st_size - size);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	close(fd);
	if (!bytes || size != (size_t)st.st_size) {
		avd__text_add(why, "%s: can't be read (%lld bytes)", path, (long long)st.st_size);
		free(bytes);
		return NULL;
	}
	*ret_size = size;
	return bytes;
}

/* Copies the strings out and ends them with NUL: one block, the pointers first. */
static char **argv_of(struct avd_strv strv)
{
	const uint32_t count = strv.count;

	if (!count || count > ARGS_MAX)
		return NULL;
	/* Each item's head is at least the byte that its NUL needs. */
	const size_t pointers = (count + 1) * sizeof(char *);
	char **argv = calloc(1, pointers + strv.cbor.len);
	char *text = (char *)argv + pointers;
	struct avd_str item;

	for (uint32_t i = 0; argv && i < count; i++) {
		if (avd_strv_next(&strv, &item) != 1 || memchr(item.data, '\0', item.len)) {
			free(argv);
			return NULL;
		}
		argv[i] = text;
		memcpy(text, item.data, item.len);
		text += item.len + 1;
	}
	return argv;
}

void avd__config_clear(struct avd__config *config)
{
	free(config->bytes);
	free(config->scheduler);
	free(config->payload);
	memset(config, 0, sizeof(*config));
}

int avd__config_read(struct avd__config *config, const char *path, struct avd__text *why)
{
	static const char fallback[] = "serial";
	config->cell.carrier = (struct avd_str){.data = fallback, .len = strlen(fallback)};

	size_t size;
	const uint8_t *bytes = config->bytes = read_file(path, &size, why);
	if (!bytes)
		return -1;
	unlink(path);

	struct avd__frame frame;
	struct avd_message message;
	if (avd__frame_decode(bytes, size, &frame) != AVD__FRAME_OK || frame.size != size ||
	    avd__message_decode(frame.payload, size - AVD__FRAME_HEAD_SIZE, &message) !=
		    AVD__MESSAGE_OK ||
	    message.kind != AVD_MSG_CELL) {
		avd__text_add(why, "%s: damaged: not a cell frame", path);
		return -1;
	}
	if (message.u.cell.protocol != AVD_PROTOCOL_VERSION) {
		avd__text_add(why, "%s: the host speaks protocol %u, this init %u", path,
			      message.u.cell.protocol, AVD_PROTOCOL_VERSION);
		return -1;
	}
	config->cell = message.u.cell;
	config->scheduler = argv_of(config->cell.scheduler);
	config->payload = argv_of(config->cell.payload);
	if (!config->scheduler || (config->cell.payload.count && !config->payload)) {
		avd__text_add(why, "%s: damaged: no usable argument list", path);
		return -1;
	}
	config->known = true;
	return 0;
}
