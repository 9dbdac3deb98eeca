/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What `doctor` found, as lines or as JSON (lib/report/doctor.schema.json), check by check. */
#ifndef ATTACHVERDICT_TOOLS_DOCTOR_H
#define ATTACHVERDICT_TOOLS_DOCTOR_H

#include "cli.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_MISSING };

#define DOCTOR_FACTS_MAX 8

struct doctor {
	uint32_t format; /* enum cli_format */
	unsigned told; /* checks */
	unsigned count;
	struct {
		const char *name;
		const char *text; /* NULL: it is `number` */
		uint64_t number;
	} facts[DOCTOR_FACTS_MAX]; /* of the next check */
};

/* What a program may want of the next check without reading its text: for JSON only. `text` is
 * borrowed until that is told; what is unknown is left out. */
void doctor_fact(struct doctor *doctor, const char *name, const char *text);
void doctor_number(struct doctor *doctor, const char *name, uint64_t number);

/* Tells a check with its facts. `remedy` may be NULL. */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *name,
		const char *remedy, const char *fmt, ...) AVD_PRINTF(5, 6);

/* After the last one. `machine` is what a cell runs in by default; NULL: none can. */
void doctor_end(struct doctor *doctor, const char *machine);

#endif
