// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vectors.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int broken(const struct vector_file *vectors, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", vectors->path, vectors->line, what);
	return -1;
}

int vectors_open(struct vector_file *vectors, const char *path)
{
	*vectors = (struct vector_file){.file = fopen(path, "re"), .path = path};
	return vectors->file ? 0 : broken(vectors, strerror(errno));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes' number, or -1 if `hex` is not hex. */
static ssize_t parse_hex(const char *hex, uint8_t *bytes)
{
	ssize_t size = 0;
	if (strspn(hex, "- \n") == strlen(hex) && strchr(hex, '-'))
		return 0;
	for (; *hex; hex++) {
		if (isspace((unsigned char)*hex))
			continue;
		const int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);
		if (low < 0)
			return -1;
		bytes[size++] = (uint8_t)(high << 4 | low);
		hex++;
	}
	return size ? size : -1;
}

int vectors_next(struct vector_file *vectors, struct vector *ret_vector)
{
	struct vector vector = {0};
	char *line = NULL;
	size_t capacity = 0;
	ssize_t len;
	int hex_at, status = 0;
	while (!status && (len = getline(&line, &capacity, vectors->file)) > 0) {
		vectors->line++;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%63s %63s %n", vector.name, vector.expectation, &hex_at) != 2) {
			status = broken(vectors, "expected NAME EXPECTATION HEX");
			break;
		}
		uint8_t *bytes = malloc((size_t)len);
		const ssize_t size = bytes ? parse_hex(line + hex_at, bytes) : -1;
		/* Not one byte to spare: sanitizers and valgrind then see each one too far. */
		vector.bytes = size < 0 ? NULL : malloc(size ? (size_t)size : 1);
		if (vector.bytes) {
			memcpy(vector.bytes, bytes, (size_t)size);
			vector.size = (size_t)size;
			*ret_vector = vector;
			status = 1;
		} else {
			status = broken(vectors, "not hex");
		}
		free(bytes);
	}
	free(line);
	return status;
}

void vector_free(struct vector *vector)
{
	free(vector->bytes);
	vector->bytes = NULL;
}

void vectors_close(struct vector_file *vectors)
{
	fclose(vectors->file);
}
