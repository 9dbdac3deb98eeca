// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 0))) static int print(enum libbpf_print_level level,
						       const char *fmt, va_list args)
{
	return level <= LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

/* Returns the number of schedulers attached, or -1. Their links live until the process ends. */
static int attach_all(struct bpf_object *object)
{
	struct bpf_map *map;
	int count = 0;

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (!bpf_map__attach_struct_ops(map)) {
			fprintf(stderr, "cannot attach struct_ops %s: %s\n", bpf_map__name(map),
				strerror(errno));
			return -1;
		}
		printf("attached struct_ops %s\n", bpf_map__name(map));
		count++;
	}
	if (!count)
		fprintf(stderr, "the object has no struct_ops map: not a scheduler\n");
	return count;
}

int avd__load(const char *path)
{
	sigset_t ending;
	int number;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);

	libbpf_set_print(print);
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	if (!object) {
		fprintf(stderr, "cannot open the BPF object %s: %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	const int error = bpf_object__load(object);
	if (error) {
		fprintf(stderr, "cannot load the BPF object %s: %s\n", path, strerror(-error));
		return EXIT_FAILURE;
	}
	if (attach_all(object) <= 0)
		return EXIT_FAILURE;
	sigwait(&ending, &number);
	/* The kernel closes the links at the exit, and that detaches. */
	return EXIT_SUCCESS;
}
