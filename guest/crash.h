/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A crash of init itself is told on the channel, then the machine ends. */
#ifndef AVD_GUEST_CRASH_H
#define AVD_GUEST_CRASH_H

#include "channel.h"

/* Handlers for what the CPU raises and for abort(), on a stack of their own. `channel` must
 * live on. */
void avd__crash_handlers(struct avd__channel *channel);

#endif
