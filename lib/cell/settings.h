/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A cell's options by name and as text, as files and command lines have them. */
#ifndef AVD_LIB_CELL_SETTINGS_H
#define AVD_LIB_CELL_SETTINGS_H

#include <attachverdict/cell.h>

#include "base/error.h"

/* avd_cell_options_set() for the rooms of this library. */
int avd__cell_setting(struct avd_cell_options *options, const char *name, const char *value,
		      struct avd__error *error);

#endif
