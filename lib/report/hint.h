/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What a reader is told to do. */
#ifndef AVD_LIB_REPORT_HINT_H
#define AVD_LIB_REPORT_HINT_H

#include <attachverdict/verdict.h>

#include "verdict/evidence.h"

/* One line; empty if there is nothing to do. Static storage. */
const char *avd__hint(const struct avd__evidence *ev, const struct avd_verdict *verdict);

#endif
