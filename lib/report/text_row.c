// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What all parts of a text report are written with. */
#include <string.h>

#include "report/text.h"

#define DIM "\033[2m"
#define PLAIN "\033[0m"

void avd__text_colored(struct avd__text *text, const char *color, const char *word)
{
	if (text->color)
		avd__buf_printf(&text->out, "%s%s%s", color, word, PLAIN);
	else
		avd__buf_puts(&text->out, word);
}

void avd__text_row(struct avd__text *text, const char *label)
{
	avd__buf_puts(&text->out, "  ");
	avd__text_colored(text, *label ? DIM : "", label);
	for (size_t i = strlen(label); i < AVD__TEXT_LABEL_WIDTH; i++)
		avd__buf_puts(&text->out, " ");
}
