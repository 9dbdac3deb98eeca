/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Recordings as cells leave them, made by hand: what the tests of lib/report and of the CLI read.
 */
#ifndef AVD_TESTS_UNIT_REPORT_SAMPLES_H
#define AVD_TESTS_UNIT_REPORT_SAMPLES_H

#include "verdict_kit.h"

struct report_sample {
	const char *name;
	void (*build)(struct kit *kit);
};

#define REPORT_SAMPLE_COUNT 12u
extern const struct report_sample report_samples[REPORT_SAMPLE_COUNT];

#endif
