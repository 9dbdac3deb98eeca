/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * BLAKE2b-256 (RFC 7693), unkeyed: the cache's key. A key decides which kernel is booted,
 * so it must resist collisions made on purpose; none of the libraries linked here exports
 * such a hash, and this one is short, five times as fast as SHA-256 without CPU support, and can
 * be checked by hand (b2sum -l 256).
 */
#ifndef AVD_LIB_IMAGE_BLAKE2B_H
#define AVD_LIB_IMAGE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define AVD__BLAKE2B_SIZE 32u

void avd__blake2b(const void *bytes, size_t size, uint8_t ret_digest[AVD__BLAKE2B_SIZE]);

#endif
