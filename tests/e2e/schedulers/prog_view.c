// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * A payload that looks at BPF programs by itself, for comparison with what init tells:
 *   prog_view OBJECT
 * prints for each program in the kernel "id ID NAME TYPE VERIFIED XLATED JITED", then loads the
 * object as veristat does, at log level 4, and prints for each of its programs "load NAME
 * ERRNO PROCESSED MAX_STATES TOTAL PEAK STACK". Exits 0 unless it could not look.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_SIZE (1u << 20)
#define LOG_STATS 4
#define PROGRAMS_MAX 32u /* of one object; the tests' have fewer */

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static int view_all(void)
{
	uint32_t id = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);
		const int fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0)
			continue; /* gone meanwhile */
		if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
			return -errno;
		printf("id %u %s %u %u %u %u\n", id, info.name, info.type, info.verified_insns,
		       info.xlated_prog_len, info.jited_prog_len);
		close(fd);
	}
	return errno == ENOENT ? 0 : -errno;
}

/* "stack depth 0+32" up to 7.2, "stack depth max 32" and a line a function from 7.3 on. */
static unsigned int stack_of(const char *log)
{
	unsigned int sum = 0, lines = 0;

	for (const char *at = log; (at = strstr(at, " stack ")); at++) {
		const char *end = at + strlen(" stack ");
		if (*end >= '0' && *end <= '9' && strncmp(at, " stack depth", 12) != 0) {
			sum += (unsigned int)strtoul(end, NULL, 10);
			lines++;
		}
	}
	const char *depths = strstr(log, "stack depth ");
	if (lines || !depths)
		return sum;
	for (depths += strlen("stack depth "); *depths >= '0' && *depths <= '9';) {
		char *end;
		sum += (unsigned int)strtoul(depths, &end, 10);
		depths = *end == '+' ? end + 1 : end;
	}
	return sum;
}

static int view_load(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;

	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object)
	{
		static char logs[PROGRAMS_MAX][LOG_SIZE];
		static unsigned int used;
		if (used == PROGRAMS_MAX)
			return -E2BIG;
		char *log = logs[used++];
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, log, LOG_SIZE);
	}
	const int error = bpf_object__load(object);
	bpf_object__for_each_program(program, object)
	{
		size_t size;
		const char *log = bpf_program__log_buf(program, &size);
		const char *line = strstr(log, "\nprocessed "); /* 7.2 has others like it */
		unsigned int processed = 0, most = 0, total = 0, peak = 0;
		if (line)
			sscanf(line + 1,
			       "processed %u insns (limit %*u) max_states_per_insn %u total_states "
			       "%u peak_states %u",
			       &processed, &most, &total, &peak);
		printf("load %s %d %u %u %u %u %u\n", bpf_program__name(program),
		       bpf_program__fd(program) < 0 ? -error : 0, processed, most, total, peak,
		       stack_of(log));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	libbpf_set_print(silent);
	int error = view_all();
	if (error == 0)
		error = view_load(argv[1]);
	if (error)
		fprintf(stderr, "prog_view: %s\n", strerror(-error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
