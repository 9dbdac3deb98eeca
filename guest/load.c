// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* For libbpf's buffer of the verifier's log, which starts at 16 MiB and is doubled for as long
 * as a log does not fit: 256 MiB, what it takes to make it larger, and the scheduler's own needs.
 * Without a limit the log of a large program could take all memory of the guest. */
#define DATA_MAX (UINT64_C(512) << 20)

/* One line of libbpf's words. */
#define WORDS_MAX 512

/* The first that libbpf warned of: an errno alone, such as ENOENT for an object that has no BTF,
 * would mislead. */
static char first_words[WORDS_MAX];

__attribute__((format(printf, 1, 0))) static void keep_words(const char *fmt, va_list args)
{
	static const char prefix[] = "libbpf: ";
	va_list copy;

	if (*first_words)
		return;
	va_copy(copy, args);
	vsnprintf(first_words, sizeof(first_words), fmt, copy);
	va_end(copy);
	first_words[strcspn(first_words, "\n")] = '\0';
	if (strncmp(first_words, prefix, sizeof(prefix) - 1) == 0)
		memmove(first_words, first_words + sizeof(prefix) - 1,
			strlen(first_words + sizeof(prefix) - 1) + 1);
}

/* libbpf has numbers of its own, beyond those of errno. */
static const char *words_of(int error)
{
	static char words[WORDS_MAX];

	libbpf_strerror(error, words, sizeof(words));
	return words;
}

/* libbpf tells the log of a program that was accepted among its debug messages. */
static bool is_log(const char *fmt)
{
	return strstr(fmt, "-- BEGIN PROG LOAD LOG --") != NULL;
}

__attribute__((format(printf, 2, 0))) static int print(enum libbpf_print_level level,
						       const char *fmt, va_list args)
{
	if (level <= LIBBPF_WARN)
		keep_words(fmt, args);
	return level <= LIBBPF_WARN || is_log(fmt) ? vfprintf(stderr, fmt, args) : 0;
}

static void ask_for_logs(struct bpf_object *object, uint32_t level)
{
	const struct rlimit limit = {.rlim_cur = DATA_MAX, .rlim_max = DATA_MAX};
	struct bpf_program *program;

	if (setrlimit(RLIMIT_DATA, &limit) < 0)
		fprintf(stderr, "cannot limit the memory for verifier logs: %s\n", strerror(errno));
	bpf_object__for_each_program(program, object) bpf_program__set_log_level(program, level);
}

/* One object, one scheduler, is the rule; the limit is for those with sub-schedulers. */
#define LINKS_MAX 64

struct links {
	struct bpf_link *link[LINKS_MAX];
	int count;
};

/* Without this the kernel would do it at the end of the process, but not for maps of the
 * section ".struct_ops", which stay registered. */
static void detach_all(struct links *links)
{
	while (links->count)
		bpf_link__destroy(links->link[--links->count]);
}

/* Returns whether there is a scheduler and all is attached. */
static bool attach_all(struct bpf_object *object, struct links *links)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		/* "?.struct_ops": not made unless a loader asks for it (bpf_map__autocreate() of
		 * libbpf). */
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS || !bpf_map__autocreate(map))
			continue;
		struct bpf_link *link =
			links->count < LINKS_MAX ? bpf_map__attach_struct_ops(map) : NULL;
		if (!link) {
			fprintf(stderr, "cannot attach struct_ops %s: %s\n", bpf_map__name(map),
				strerror(links->count < LINKS_MAX ? errno : E2BIG));
			return false;
		}
		links->link[links->count++] = link;
		printf("attached struct_ops %s\n", bpf_map__name(map));
	}
	if (!links->count)
		fprintf(stderr, "the object has no struct_ops map: not a scheduler\n");
	return links->count > 0;
}

int avd__load(const char *path, uint32_t log_level)
{
	sigset_t ending;
	int number;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_NAME, "avd-load"); /* else "exe" */

	libbpf_set_print(print);
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	if (!object) {
		const int code = errno;
		fprintf(stderr, "cannot open the BPF object %s: %s\n", path,
			*first_words ? first_words : words_of(code));
		return EXIT_FAILURE;
	}
	ask_for_logs(object, log_level);
	const int error = bpf_object__load(object);
	if (error) {
		fprintf(stderr, "cannot load the BPF object %s: %s\n", path, words_of(error));
		return EXIT_FAILURE;
	}
	static struct links links;
	const bool attached = attach_all(object, &links);
	if (attached)
		sigwait(&ending, &number);
	detach_all(&links);
	bpf_object__close(object);
	return attached ? EXIT_SUCCESS : EXIT_FAILURE;
}
