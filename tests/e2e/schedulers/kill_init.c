// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* usage: kill_init [PROGRAM [ARGS...]]: kills PID 1 of the guest by its BPF program. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const char scheduler_object[], scheduler_object_end[];

int main(void)
{
	struct bpf_object *object = bpf_object__open_mem(
		scheduler_object, (size_t)(scheduler_object_end - scheduler_object), NULL);
	if (!object || bpf_object__load(object) != 0) {
		fprintf(stderr, "cannot load the BPF object\n");
		return EXIT_FAILURE;
	}
	struct bpf_program *program = bpf_object__find_program_by_name(object, "kill_init");
	if (!program || !bpf_program__attach(program)) {
		fprintf(stderr, "cannot attach\n");
		return EXIT_FAILURE;
	}
	puts("attached: PID 1 has a system call left");
	fflush(stdout);
	for (;;)
		pause();
}
