/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The guest's init as bytes, put into the library by lib/library. */
#ifndef AVD_LIB_CELL_INIT_IMAGE_H
#define AVD_LIB_CELL_INIT_IMAGE_H

#include <stdint.h>

extern const uint8_t avd__init_image[];
extern const uint8_t avd__init_image_end[];

#endif
