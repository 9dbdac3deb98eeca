/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A cell's options by name and as text, as files and command lines have them. */
#ifndef AVD_LIB_CELL_SETTINGS_H
#define AVD_LIB_CELL_SETTINGS_H

#include <attachverdict/cell.h>

#include "base/error.h"

/*
 * Sets the option that `attachverdict run` calls --NAME. Texts are borrowed: `value` must live as
 * long as `options`. Durations have a unit (ms, s, m, min, h), sizes too (K, M, G). Lists of
 * arguments and the names of files that a cell writes can't be set so. -EINVAL with a message
 * that says what would be right.
 */
int avd__cell_setting(struct avd_cell_options *options, const char *name, const char *value,
		      struct avd__error *error);

#endif
