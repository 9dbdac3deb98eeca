/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What was asked: the host's cell frame, brought along as a file of the initramfs. */
#ifndef AVD_GUEST_CONFIG_H
#define AVD_GUEST_CONFIG_H

#include <attachverdict/message.h>

#include "text.h"

#define AVD__CONFIG_PATH "/.attachverdict/cell"

struct avd__config {
	struct avd_msg_cell cell; /* views into bytes */
	uint8_t *bytes;
	char **scheduler; /* argv, ends with NULL */
	char **payload; /* argv, NULL: none */
	bool known; /* false: use nothing but cell.carrier, which names the fallback */
};

/* Reads the file (AVD__CONFIG_PATH) and removes it, so that nobody else learns the nonce.
 * 0, or -1 with the reason in `why`. */
int avd__config_read(struct avd__config *config, const char *path, struct avd__text *why);
/* Releases what it holds, also after a failure. */
void avd__config_clear(struct avd__config *config);

#endif
