/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Frames as a hostile scheduler would forge them, made without the project's codec. */
#ifndef TESTS_E2E_FORGE_H
#define TESTS_E2E_FORGE_H

#include <stddef.h>
#include <stdint.h>

/* Writes scheduler-started, -attached, payload-starting, scheduler-died and done frames from
 * sequence number `seq` on; as many as fit. Returns the bytes written. */
size_t forge_frames(uint8_t *out, size_t size, uint32_t seq);

/* Puts them into the channel's window, where a program of the guest can reach it. */
void forge_into_window(const uint8_t *bytes, size_t size);

#endif
