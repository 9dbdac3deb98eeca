// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#undef avd__fail
int avd__fail(struct avd__error *error, int err, const char *fmt, ...)
{
	if (error) {
		const int saved = errno;
		char raw[AVD__ERROR_MAX];
		va_list args;
		va_start(args, fmt);
		int len = vsnprintf(raw, sizeof(raw), fmt, args);
		va_end(args);
		if (len < 0)
			len = 0;
		if ((size_t)len >= sizeof(raw))
			len = (int)sizeof(raw) - 1;
		/* Paths and guest text may stand in the message; it is printed as it is. */
		avd__escape(error->text, sizeof(error->text), raw, (size_t)len);
		errno = saved;
	}
	return -err;
}

void avd__error_copy(const struct avd__error *error, char *buffer, size_t size)
{
	if (size == 0)
		return;
	size_t len = strnlen(error->text, sizeof(error->text) - 1);
	if (len > size - 1)
		len = size - 1;
	memcpy(buffer, error->text, len);
	buffer[len] = '\0';
}
