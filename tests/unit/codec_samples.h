/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Messages of every kind, shared by the tests of the codec and the vectors. */
#ifndef AVD_TESTS_CODEC_SAMPLES_H
#define AVD_TESTS_CODEC_SAMPLES_H

#include <stdbool.h>

#include "codec/fields.h"
#include "codec/message.h"

enum sample {
	SAMPLE_TYPICAL, /* set member by member; tests/python/codec_peer.py knows the values */
	SAMPLE_LOWEST, /* numbers at their minimum, texts empty */
	SAMPLE_HIGHEST, /* numbers at their maximum, texts long */
	SAMPLE_FOREIGN, /* texts that are not UTF-8, bytes that look like frames */
	SAMPLE_COUNT,
};

/* "typical", ... */
const char *sample_name(enum sample sample);

/* One message; what it points to is static. `kind` must be known to avd__kind_find(). */
struct avd_message sample_message(uint32_t kind, enum sample sample);

/* Whether all fields of both are the same, by the table. */
bool sample_equal(const struct avd_message *a, const struct avd_message *b);

/* The next known kind after `kind`, 0 after the last. Start with 0. */
uint32_t sample_next_kind(uint32_t kind);

#endif
