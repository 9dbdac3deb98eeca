/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_LIB_REPORT_RECORDING_H
#define AVD_LIB_REPORT_RECORDING_H

#include <attachverdict/report.h>

#include "base/error.h"

/* The bytes that were read. */
struct avd__recording_sum {
	uint64_t bytes;
	uint32_t crc; /* CRC-32C */
};

/* avd_results_recording(), with the sum of the file. */
int avd__recording_of(const avd_results *results, size_t index, avd_stream **ret_stream,
		      struct avd__recording_sum *ret_sum, struct avd__error *error);

#endif
