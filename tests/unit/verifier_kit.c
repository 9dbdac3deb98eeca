// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verifier_kit.h"

#include <check.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kit_put(void *userdata, const char *text, size_t size)
{
	struct kit_text *out = userdata;
	char *grown = realloc(out->data, out->size + size + 1);
	if (!grown)
		return -1;
	out->data = grown;
	memcpy(out->data + out->size, text, size);
	out->size += size;
	out->data[out->size] = '\0';
	return 0;
}

void kit_printf(struct kit_text *out, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	va_start(args, fmt);
	const int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ck_assert_int_ge(len, 0);
	ck_assert_int_lt(len, (int)sizeof(text));
	ck_assert_int_eq(kit_put(out, text, (size_t)len), 0);
}

char *kit_log(const char *name, size_t *ret_size)
{
	const char *folder = getenv("AVD_VERIFIER_LOGS");
	char path[4096];
	ck_assert_ptr_nonnull(folder);
	snprintf(path, sizeof(path), "%s/%s.log", folder, name);
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	struct kit_text text = {0};
	char piece[4096];
	size_t n;
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		ck_assert_int_eq(kit_put(&text, piece, n), 0);
	fclose(file);
	ck_assert_ptr_nonnull(text.data);
	*ret_size = text.size;
	return text.data;
}

avd_verifier *kit_feed(const struct avd_verifier_options *options, const char *text, size_t size,
		       size_t slice)
{
	avd_verifier *verifier;
	ck_assert_int_eq(avd_verifier_new(options, &verifier), 0);
	for (size_t at = 0; at < size;) {
		const size_t n = slice && size - at > slice ? slice : size - at;
		char *exact = malloc(n); /* what was fed may be gone afterwards */
		ck_assert_ptr_nonnull(exact);
		memcpy(exact, text + at, n);
		ck_assert_int_eq(avd_verifier_feed(verifier, exact, n), 0);
		free(exact);
		at += n;
	}
	ck_assert_int_eq(avd_verifier_finish(verifier), 0);
	return verifier;
}

struct avd_program kit_program(const avd_verifier *verifier, uint32_t index)
{
	struct avd_program program;
	ck_assert_int_eq(avd_verifier_program(verifier, index, sizeof(program), &program), 0);
	return program;
}

char *kit_collapsed(const avd_verifier *verifier, uint32_t index)
{
	struct kit_text out = {0};
	ck_assert_int_eq(avd_verifier_collapsed(verifier, index, kit_put, &out), 0);
	return out.data ? out.data : calloc(1, 1);
}

char *kit_all(const avd_verifier *verifier)
{
	struct kit_text out = {0};
	for (uint32_t i = 0; i < avd_verifier_program_count(verifier); i++) {
		const struct avd_program p = kit_program(verifier, i);
		kit_printf(&out, "[%s] %s %" PRId32 " insn %" PRId64 " flags %" PRIx32 "\n",
			   p.name.data, avd_program_verdict_name(p.verdict), p.error,
			   p.failing_insn, p.flags);
		kit_put(&out, p.message.data, p.message.len);
		kit_printf(&out, "|");
		kit_put(&out, p.failing_code.data, p.failing_code.len);
		kit_printf(&out, "|");
		kit_put(&out, p.failing_source.data, p.failing_source.len);
		kit_printf(&out, "|%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			   p.log_bytes, p.log_lines, p.log_insns, p.log_branches,
			   p.collapsed_lines);
		for (uint32_t k = 0; k < AVD_FIGURE_COUNT; k++)
			kit_printf(&out, " %" PRIu64 "/%s", p.figures[k],
				   avd_figure_source_name(p.sources[k]));
		kit_printf(&out, "\n");
		ck_assert_int_eq(avd_verifier_collapsed(verifier, i, kit_put, &out), 0);
	}
	kit_printf(&out, "lost %" PRIu64 "\n", avd_verifier_programs_lost(verifier));
	return out.data;
}
