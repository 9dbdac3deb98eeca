// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Runs a fuzz target over vectors without libFuzzer: each vector, each start of it,
 * and each with one bit flipped (of large ones one bit in each byte). Also turns vectors into files
 * for libFuzzer: replay VECTORS... replay --unpack DIRECTORY VECTORS...
 */
#include <string.h>

#include "fuzz.h"
#include "vectors.h"

/* Flipping every bit of what is larger takes too long under sanitizers. */
#define ALL_BITS_MAX 256u

static void run_cut(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1); /* reading beyond shows */
	FUZZ_CHECK(exact);
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static int replay(const struct vector *vector)
{
	const size_t step = vector->size > ALL_BITS_MAX ? 9 : 1; /* 9: each time another bit */
	for (size_t size = 0; size <= vector->size; size++)
		run_cut(vector->bytes, size);
	for (size_t bit = 0; bit < 8 * vector->size; bit += step) {
		vector->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		LLVMFuzzerTestOneInput(vector->bytes, vector->size);
		vector->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return 0;
}

static int unpack(const struct vector *vector, const char *directory)
{
	char path[4096];
	if (snprintf(path, sizeof(path), "%s/%s", directory, vector->name) >= (int)sizeof(path))
		return -1;
	FILE *file = fopen(path, "we");
	if (!file) {
		perror(path);
		return -1;
	}
	const size_t written = fwrite(vector->bytes, 1, vector->size, file);
	return fclose(file) || written != vector->size ? -1 : 0;
}

int main(int argc, char **argv)
{
	const char *directory = argc > 2 && strcmp(argv[1], "--unpack") == 0 ? argv[2] : NULL;
	unsigned int count = 0;
	for (int i = directory ? 3 : 1; i < argc; i++) {
		struct vector_file file;
		struct vector vector;
		int status = vectors_open(&file, argv[i]);
		if (status)
			return EXIT_FAILURE;
		while ((status = vectors_next(&file, &vector)) > 0) {
			const int failed = directory ? unpack(&vector, directory) : replay(&vector);
			vector_free(&vector);
			if (failed) {
				vectors_close(&file);
				return EXIT_FAILURE;
			}
			count++;
		}
		vectors_close(&file);
		if (status)
			return EXIT_FAILURE;
	}
	printf("%u vectors\n", count);
	return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
