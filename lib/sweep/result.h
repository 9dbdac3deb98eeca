/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_SWEEP_RESULT_H
#define AVD_LIB_SWEEP_RESULT_H

#include "sweep/table.h"

/* A row as callers see it. */
struct avd_cell_result avd__result_of(const struct avd__row *row);

#endif
