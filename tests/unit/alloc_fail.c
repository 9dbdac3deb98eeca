// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "alloc_fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static unsigned int fail_at, count;

void alloc_fail_at(unsigned int n)
{
	fail_at = n;
	count = 0;
}

unsigned int alloc_count(void)
{
	return count;
}

static int fails(void)
{
	if (++count != fail_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t items, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
char *__real_realpath(const char *path, char *resolved);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t items, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
char *__wrap_realpath(const char *path, char *resolved);
int __wrap_asprintf(char **ret_text, const char *fmt, ...);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t items, size_t size)
{
	return fails() ? NULL : __real_calloc(items, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
	return fails() ? NULL : __real_strndup(text, size);
}

char *__wrap_realpath(const char *path, char *resolved)
{
	return fails() ? NULL : __real_realpath(path, resolved);
}

__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **ret_text, const char *fmt, ...)
{
	if (fails()) {
		*ret_text = NULL;
		return -1;
	}
	va_list args;
	va_start(args, fmt);
	const int r = vasprintf(ret_text, fmt, args);
	va_end(args);
	return r;
}
