// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * replay_files FILE...: a fuzz target over files as they are, and over mutations of them that are
 * the same in each run: a unit test where there is no libFuzzer.
 * replay_files --unpack DIRECTORY FILE...: the files as seeds.
 */
#include <string.h>

#include "fuzz.h"

#define MUTATIONS 300

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Bytes changed, a piece copied over another one, the end cut off. */
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state)
{
	for (uint64_t n = next(state) % 8; n; n--)
		bytes[next(state) % size] = (uint8_t)next(state);
	const size_t len = 1 + next(state) % (size < 400 ? size : 400);
	memmove(bytes + next(state) % (size - len + 1), bytes + next(state) % (size - len + 1),
		len);
	return next(state) % 2 ? size : 1 + next(state) % size;
}

static void replay(const char *path, const char *folder)
{
	static uint8_t bytes[65536], work[65536];
	char target[4096];
	uint64_t state = 1;
	FILE *file = fopen(path, "re");
	FUZZ_CHECK(file);
	const size_t size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	FUZZ_CHECK(size);
	if (folder) {
		const char *name = strrchr(path, '/');
		snprintf(target, sizeof(target), "%s/%s", folder, name ? name + 1 : path);
		file = fopen(target, "we");
		FUZZ_CHECK(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
		return;
	}
	LLVMFuzzerTestOneInput(bytes, size);
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(work, bytes, size);
		LLVMFuzzerTestOneInput(work, mutate(work, size, &state));
	}
}

int main(int argc, char **argv)
{
	const int unpack = argc > 2 && strcmp(argv[1], "--unpack") == 0;
	for (int i = unpack ? 3 : 1; i < argc; i++)
		replay(argv[i], unpack ? argv[2] : NULL);
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
