/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_REPORT_JSON_EVIDENCE_H
#define AVD_LIB_REPORT_JSON_EVIDENCE_H

#include "report/json_writer.h"
#include "verdict/evidence.h"

/* The member "evidence". -ENOMEM. */
int avd__json_evidence(struct avd__json *json, const struct avd__evidence *ev);

/* programs.c: the member "programs". */
void avd__json_programs(struct avd__json *json, const struct avd__evidence *ev);

#endif
