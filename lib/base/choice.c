// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/base.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int has_meaning(const char *word)
{
	return word && *word;
}

/* "A, B or C" */
static void put_list(char *list, size_t size, const char *const *words, size_t count)
{
	size_t last = count, at = 0;
	while (last > 0 && !has_meaning(words[last - 1]))
		last--;
	*list = '\0';
	for (size_t i = 0; i < last; i++) {
		if (!has_meaning(words[i]))
			continue;
		snprintf(list + at, size - at, "%s%s",
			 at == 0	 ? ""
			 : i + 1 == last ? " or "
					 : ", ",
			 words[i]);
		at = strlen(list);
	}
}

int avd_parse_word(const char *text, const char *const *words, size_t count, uint32_t *ret_index,
		   char *list, size_t list_size)
{
	for (size_t i = 0; text && i < count; i++) {
		if (has_meaning(words[i]) && strcmp(text, words[i]) == 0) {
			*ret_index = (uint32_t)i;
			return 0;
		}
	}
	if (list && list_size)
		put_list(list, list_size, words, count);
	return -EINVAL;
}
