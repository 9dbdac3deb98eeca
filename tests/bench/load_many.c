// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Runs in a guest as the scheduler of a cell: loads BPF again and again and says how long it
 * took, in guest time.
 *   load_many OBJECT
 * "object NS": a whole object, as a scheduler's start does it. "small NS" and "large NS": a
 * program of 2 and one of 1000 instructions by the bare system call. Each is the least of
 * many: whatever else happens only adds to it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OBJECTS 8
#define SMALL 1000
#define LARGE 50
#define INSNS 1000

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t load_object(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	const uint64_t start = now();
	const int error = object ? bpf_object__load(object) : -errno;
	const uint64_t took = now() - start;

	bpf_object__close(object);
	if (error) {
		fprintf(stderr, "%s: %s\n", path, strerror(-error));
		exit(1);
	}
	return took;
}

/* `count` instructions, all but two of which do nothing that could be left out. */
static uint64_t load_program(uint32_t count)
{
	static struct bpf_insn insns[INSNS];

	for (uint32_t i = 0; i < count; i++)
		insns[i] =
			(struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (int32_t)i};
	insns[count - 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	const uint64_t start = now();
	const int fd =
		bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "bench", "GPL", insns, count, NULL);
	const uint64_t took = now() - start;
	if (fd < 0) {
		fprintf(stderr, "a program: %s\n", strerror(errno));
		exit(1);
	}
	close(fd);
	return took;
}

static uint64_t least_of(int times, uint32_t count)
{
	uint64_t least = UINT64_MAX;

	while (times--) {
		const uint64_t took = load_program(count);
		least = took < least ? took : least;
	}
	return least;
}

int main(int argc, char **argv)
{
	uint64_t object = UINT64_MAX;

	if (argc != 2)
		return 2;
	for (int i = 0; i < OBJECTS; i++) {
		const uint64_t took = load_object(argv[1]);
		object = took < object ? took : object;
	}
	printf("object %llu\n", (unsigned long long)object);
	printf("small %llu\n", (unsigned long long)least_of(SMALL, 2));
	printf("large %llu\n", (unsigned long long)least_of(LARGE, INSNS));
	return 0;
}
