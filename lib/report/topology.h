/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The shape of the CPUs in a report: what was asked, what the guest's kernel shows. */
#ifndef AVD_LIB_REPORT_TOPOLOGY_H
#define AVD_LIB_REPORT_TOPOLOGY_H

#include "report/json_writer.h"
#include "report/text.h"

/* A row, if anything is known. */
void avd__text_topology(struct avd__text *text);
/* The member "topology". */
void avd__json_topology(struct avd__json *json, const struct avd__evidence *ev);

#endif
