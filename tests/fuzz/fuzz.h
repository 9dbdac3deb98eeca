/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_TESTS_FUZZ_H
#define AVD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry point, called by replay.c as well. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* assert() goes away with NDEBUG. */
#define FUZZ_CHECK(condition)                                                           \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

#endif
