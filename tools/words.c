// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Copies one word from *text to out. Returns its length, or -1 if a quote stays open. Inside
 * "..." a backslash keeps only what a shell lets it keep there. */
static ptrdiff_t take_word(const char **text, char *out)
{
	const char *p = *text;
	char *at = out;
	int quote = 0;
	for (; *p && (quote || !is_blank(*p)); p++) {
		if (quote ? *p == quote : (*p == '\'' || *p == '"')) {
			quote = quote ? 0 : *p;
		} else if (*p == '\\' && quote != '\'' &&
			   (!quote || (p[1] && strchr("\"\\$`", p[1])))) {
			if (!*++p)
				return -1;
			*at++ = *p;
		} else {
			*at++ = *p;
		}
	}
	if (quote)
		return -1;
	*at = '\0';
	*text = p;
	return at - out;
}

int cli_split_words(const char *text, char ***ret_words, size_t *ret_count)
{
	/* At most one word for two characters; the text itself is never longer than its words. */
	const size_t most = strlen(text) / 2 + 2;
	char **words = malloc(most * sizeof(*words) + strlen(text) + 1);
	if (!words)
		return -ENOMEM;
	char *out = (char *)(words + most);
	size_t count = 0;
	for (;;) {
		while (is_blank(*text))
			text++;
		if (!*text)
			break;
		words[count] = out;
		const ptrdiff_t len = take_word(&text, out);
		if (len < 0) {
			free(words);
			return -EINVAL;
		}
		out += len + 1;
		count++;
	}
	words[count] = NULL;
	*ret_words = words;
	*ret_count = count;
	return 0;
}
