/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What was asked: the host's cell frame, brought along as a file of the initramfs. */
#ifndef AVD_GUEST_CONFIG_H
#define AVD_GUEST_CONFIG_H

#include <attachverdict/message.h>

#include "text.h"

#define AVD__CONFIG_PATH "/.attachverdict/cell"

struct avd__config {
	struct avd_msg_cell cell; /* views live as long as the process */
	char **scheduler; /* argv, ends with NULL */
	char **payload; /* argv, NULL: none */
	bool known; /* false: use nothing but cell.carrier, which names the fallback */
};

/* Reads the file and removes it, so that nobody else learns the nonce. 0, or -1 with the
 * reason in `why`. */
int avd__config_read(struct avd__config *config, struct avd__text *why);

#endif
