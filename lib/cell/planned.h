/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_CELL_PLANNED_H
#define AVD_LIB_CELL_PLANNED_H

#include <attachverdict/cell.h>

/* Before avd_cell_start(): its recording says that it is of this cell of a plan, so that it can't
 * be taken for another's. The id is copied. -ENOMEM. */
int avd__cell_set_planned(struct avd_cell *cell, const char *id, uint64_t digest);

#endif
