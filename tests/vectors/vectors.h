/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Reads the vectors: lines of NAME EXPECTATION HEX; # starts a comment. */
#ifndef AVD_TESTS_VECTORS_H
#define AVD_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vector {
	char name[64];
	char expectation[64];
	uint8_t *bytes; /* exactly `size` allocated, so that reading beyond shows */
	size_t size;
};

struct vector_file {
	FILE *file;
	const char *path;
	unsigned int line;
};

/* 0, or -1 with a line on standard error. */
int vectors_open(struct vector_file *vectors, const char *path);
/* 1: *ret_vector is the next one, to be freed with vector_free(). 0: end. -1: broken,
 * with a line on standard error. */
int vectors_next(struct vector_file *vectors, struct vector *ret_vector);
void vector_free(struct vector *vector);
void vectors_close(struct vector_file *vectors);

#endif
