/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What the tests of verifier logs share. */
#ifndef AVD_TESTS_VERIFIER_KIT_H
#define AVD_TESTS_VERIFIER_KIT_H

#include <attachverdict/verifier.h>

/* A text that grows; freed by the caller. */
struct kit_text {
	char *data; /* ended by NUL, NULL while empty */
	size_t size;
};

/* An avd_verifier_text_fn; userdata is a struct kit_text. */
int kit_put(void *userdata, const char *text, size_t size);
void kit_printf(struct kit_text *out, const char *fmt, ...) AVD_PRINTF(2, 3);

/* A file of tests/unit/verifier_logs, read whole. Frees with free(). */
char *kit_log(const char *name, size_t *ret_size);

/* A verifier that was fed in slices (0: at once) and is finished. */
avd_verifier *kit_feed(const struct avd_verifier_options *options, const char *text, size_t size,
		       size_t slice);
struct avd_program kit_program(const avd_verifier *verifier, uint32_t index);
char *kit_collapsed(const avd_verifier *verifier, uint32_t index);
/* All that a verifier tells, as text. */
char *kit_all(const avd_verifier *verifier);

#endif
