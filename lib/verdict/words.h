/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The text of a verdict: bounded, always ended by NUL. */
#ifndef AVD_LIB_VERDICT_WORDS_H
#define AVD_LIB_VERDICT_WORDS_H

#include <attachverdict/base.h>
#include <stdint.h>

#include "verdict/evidence.h"

struct avd__words {
	char *out;
	size_t size;
	size_t len;
};

void avd__add(struct avd__words *text, const char *fmt, ...) AVD_PRINTF(2, 3);
/* `before`, then the guest's words, unless there are none. Escaped already as evidence, but cut
 * here at a whole character. */
void avd__add_words(struct avd__words *text, const char *before, const char *words);
void avd__add_seconds(struct avd__words *text, uint64_t ns);

/* after.c: what the guest said went wrong after the attach. Each returns its reason code. */
uint32_t avd__tell_exit(const struct avd__evidence *ev, struct avd__words *text);
uint32_t avd__tell_payload(const struct avd__evidence *ev, struct avd__words *text);
uint32_t avd__tell_dispatch(const struct avd__evidence *ev, struct avd__words *text);
int avd__payload_is_bad(const struct avd__evidence *ev);

#endif
