// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verdict/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

void avd__add(struct avd__words *text, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const int n = vsnprintf(text->out + text->len, text->size - text->len, fmt, args);
	va_end(args);
	if (n > 0)
		text->len =
			(size_t)n < text->size - text->len ? text->len + (size_t)n : text->size - 1;
}

void avd__add_words(struct avd__words *text, const char *before, const char *words)
{
	if (!words[0])
		return;
	avd__add(text, "%s", before);
	text->len +=
		avd__escape(text->out + text->len, text->size - text->len, words, strlen(words));
}

void avd__add_seconds(struct avd__words *text, uint64_t ns)
{
	avd__add(text, "%" PRIu64 ".%03" PRIu64 " s", ns / UINT64_C(1000000000),
		 ns / UINT64_C(1000000) % 1000);
}
