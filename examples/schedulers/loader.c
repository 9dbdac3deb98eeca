// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Loads the BPF object that is built into this program, attaches its struct_ops, and
 * stays in the foreground until it is told to end: all that a sched_ext scheduler's user
 * space part has to do. Exits 0 when it was asked to end, 1 when something failed, 2 when it was
 * started the wrong way.
 *
 * Note what this program can't know: bpf_map__attach_struct_ops() also succeeds when the
 * kernel's enabling fails a moment later. That is why attachverdict asks the kernel.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

/* embed.S puts the object here. */
extern const char scheduler_object[], scheduler_object_end[];

__attribute__((format(printf, 2, 0))) static int print(enum libbpf_print_level level,
						       const char *fmt, va_list args)
{
	return level <= LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static struct bpf_link *attach(struct bpf_object *object)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		struct bpf_link *link = bpf_map__attach_struct_ops(map);
		if (!link) {
			fprintf(stderr, "cannot attach %s: %s\n", bpf_map__name(map),
				strerror(errno));
			return NULL;
		}
		printf("attached %s\n", bpf_map__name(map));
		fflush(stdout);
		return link;
	}
	fprintf(stderr, "the object has no struct_ops map\n");
	return NULL;
}

/* A mistake on the command line must not pass for a scheduler that took the option. */
static int parse_arguments(int argc, char **argv)
{
	const char *name = program_invocation_short_name;
	if (argc < 2)
		return -1;
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		printf("Usage: %s\n"
		       "Attaches its sched_ext scheduler and runs until SIGINT or SIGTERM.\n",
		       name);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "%s: %s '%s': it takes none; try '%s --help'\n", name,
		argv[1][0] == '-' ? "unknown option" : "unexpected argument", argv[1], name);
	return EXIT_USAGE;
}

/* A copy outside its build folder may find another libbpf than the one it was built with. */
static void tell_old_libbpf(void)
{
	const unsigned built = LIBBPF_MAJOR_VERSION * 1000 + LIBBPF_MINOR_VERSION;
	if (libbpf_major_version() * 1000 + libbpf_minor_version() < built)
		fprintf(stderr,
			"built with libbpf %d.%d, but runs with %s: "
			".struct_ops.link needs 1.2 or later\n",
			LIBBPF_MAJOR_VERSION, LIBBPF_MINOR_VERSION, libbpf_version_string());
}

int main(int argc, char **argv)
{
	const int usage = parse_arguments(argc, argv);
	if (usage >= 0)
		return usage;
	sigset_t ending;
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, NULL);

	libbpf_set_print(print);
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = program_invocation_short_name);
	struct bpf_object *object = bpf_object__open_mem(
		scheduler_object, (size_t)(scheduler_object_end - scheduler_object), &options);
	if (!object) {
		fprintf(stderr, "cannot open the BPF object: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	int status = EXIT_FAILURE;
	const int error = bpf_object__load(object);
	if (error) {
		fprintf(stderr, "cannot load the BPF object: %s\n", strerror(-error));
		tell_old_libbpf();
	} else {
		struct bpf_link *link = attach(object);
		if (link) {
			int signal_number;
			sigwait(&ending, &signal_number);
			bpf_link__destroy(link); /* detaches the scheduler */
			status = EXIT_SUCCESS;
		}
	}
	bpf_object__close(object);
	return status;
}
