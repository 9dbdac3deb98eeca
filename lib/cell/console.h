/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What the console said: its last bytes, and the first line that tells a panic or an
 * oops. Hostile text: a guest can print whatever it likes, so this only ever refines
 * why a verdict is UNCONFIRMED. No allocation, no I/O.
 */
#ifndef AVD_LIB_CELL_CONSOLE_H
#define AVD_LIB_CELL_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "cell/limits.h"

struct avd__console {
	uint64_t total; /* bytes that came */
	uint32_t line_len; /* of the line that is being read, at most what fits */
	char line[AVD__CELL_CONSOLE_LINE];
	char panic[AVD__CELL_CONSOLE_LINE]; /* escaped, "" if none */
	char oops[AVD__CELL_CONSOLE_LINE];
	uint8_t tail[AVD__CELL_CONSOLE_TAIL]; /* ring: byte n of the console at n % size */
};

void avd__console_feed(struct avd__console *console, const void *bytes, size_t size);
/* Looks at a last line that no line end follows. */
void avd__console_end(struct avd__console *console);
/* Copies the last bytes, oldest first; `out` holds AVD__CELL_CONSOLE_TAIL. Returns the count. */
size_t avd__console_tail(const struct avd__console *console, uint8_t *out);

#endif
