// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "program_btf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf_scan.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"
/* Debian's has 5 MiB; nothing larger was meant to be read here. */
#define KERNEL_BTF_MAX (64u << 20)

/* As program_probe.bpf.c and exit_probe.bpf.h declare them. */
static struct avd__btf_member of_prog[] = {{"type", 0}, {"len", 0}, {"jited_len", 0}, {"aux", 0}};
static struct avd__btf_member of_aux[] = {{"prog", 0},		 {"id", 0},   {"func_cnt", 0},
					  {"verified_insns", 0}, {"func", 0}, {"name", 0}};
static struct avd__btf_member of_subprog[] = {{"stack_depth", 0}};
static struct avd__btf_member of_env[] = {{"prog", 0},
					  {"log", 0},
					  {"subprog_info", 0},
					  {"verification_time", 0},
					  {"subprog_cnt", 0},
					  {"insn_processed", 0},
					  {"total_states", 0},
					  {"peak_states", 0},
					  {"max_states_per_insn", 0}};

static struct avd__btf_member of_exit[] = {
	{"kind", 0}, {"exit_code", 0}, {"reason", 0}, {"msg", 0}, {"dump", 0}};
static struct avd__btf_member of_sched[] = {{"exit_info", 0}, {"disable_work", 0}};

#define STRUCT(name, members)                                            \
	{                                                                \
		name, members, sizeof(members) / sizeof((members)[0]), 0 \
	}
enum { PROG, AUX, SUBPROG, ENV, EXIT, SCHED, STRUCTS };
static struct avd__btf_struct structs[STRUCTS] = {
	[PROG] = STRUCT("bpf_prog", of_prog),
	[AUX] = STRUCT("bpf_prog_aux", of_aux),
	[SUBPROG] = STRUCT("bpf_subprog_info", of_subprog),
	[ENV] = STRUCT("bpf_verifier_env", of_env),
	[EXIT] = STRUCT("scx_exit_info", of_exit),
	[SCHED] = STRUCT("scx_sched", of_sched),
};
static struct avd__btf_function functions[] = {{"bpf_vlog_finalize", 0},
					       {"bpf_check", 0},
					       {"perf_event_bpf_event", 0},
					       {"scx_disable_workfn", 0}};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static int handlers[2];
static int lite_fd = -1;
static char lite_path[32];

static bool scan(const void *bytes, size_t size)
{
	return avd__btf_scan(bytes, size, structs, STRUCTS, functions, FUNCTIONS);
}

static bool scan_copy(int fd, size_t size)
{
	uint8_t *bytes = malloc(size);
	size_t have = 0;

	while (bytes && have < size) { /* sysfs gives a page at a time */
		const ssize_t n = read(fd, bytes + have, size - have);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	const bool found = bytes && scan(bytes, have);
	free(bytes);
	return found;
}

static bool scan_kernel(void)
{
	const int fd = open(KERNEL_BTF, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool found = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= (off_t)KERNEL_BTF_MAX) {
		const size_t size = (size_t)st.st_size;
		/* Since 6.16; all pages at once. */
		void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (bytes == MAP_FAILED) {
			found = scan_copy(fd, size);
		} else {
			found = scan(bytes, size);
			munmap(bytes, size);
		}
	}
	close(fd);
	return found;
}

/* Types that CO-RE takes for the same as those in program_probe.bpf.c. */
struct lite_types {
	int u8, u16, u32, u64, pointer, prog_type, exit_kind, name, log, subprog, subprogs;
};

static int type_of(const struct lite_types *types, const char *member)
{
	static const char *const pointers[] = {"prog",	 "aux", "func", "exit_info",
					       "reason", "msg", "dump"};

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		if (!strcmp(member, pointers[i]))
			return types->pointer;
	if (!strcmp(member, "type"))
		return types->prog_type;
	if (!strcmp(member, "kind"))
		return types->exit_kind;
	if (!strcmp(member, "name"))
		return types->name;
	if (!strcmp(member, "log") || !strcmp(member, "disable_work"))
		return types->log;
	if (!strcmp(member, "subprog_info"))
		return types->subprogs;
	if (!strcmp(member, "stack_depth"))
		return types->u16;
	if (!strcmp(member, "verification_time") || !strcmp(member, "exit_code"))
		return types->u64;
	return types->u32;
}

static int add_struct(struct btf *btf, const struct avd__btf_struct *from,
		      const struct lite_types *types)
{
	const int id = btf__add_struct(btf, from->name, from->size);

	for (size_t i = 0; id > 0 && i < from->member_count; i++) {
		const struct avd__btf_member *member = &from->members[i];
		if (btf__add_field(btf, member->name, type_of(types, member->name),
				   member->offset * 8, 0) < 0)
			return -1;
	}
	return id;
}

static bool fill(struct btf *btf)
{
	struct lite_types types = {
		.u8 = btf__add_int(btf, "unsigned char", 1, 0),
		.u16 = btf__add_int(btf, "unsigned short", 2, 0),
		.u32 = btf__add_int(btf, "unsigned int", 4, 0),
		.u64 = btf__add_int(btf, "unsigned long long", 8, 0),
		.pointer = btf__add_ptr(btf, 0),
		.log = btf__add_struct(btf, "bpf_verifier_log", 8),
	};

	types.prog_type = btf__add_enum(btf, "bpf_prog_type", 4);
	if (btf__add_enum_value(btf, "BPF_PROG_TYPE_UNSPEC", 0) < 0)
		return false;
	types.exit_kind = btf__add_enum(btf, "scx_exit_kind", 4);
	if (btf__add_enum_value(btf, "SCX_EXIT_NONE", 0) < 0)
		return false;
	types.name = btf__add_array(btf, types.u32, types.u8, 16);
	types.subprog = add_struct(btf, &structs[SUBPROG], &types);
	types.subprogs = btf__add_array(btf, types.u32, types.subprog, 256);
	for (size_t i = 0; i < STRUCTS; i++)
		if (i != SUBPROG && add_struct(btf, &structs[i], &types) < 0)
			return false;
	return types.subprogs > 0;
}

static bool make_lite(void)
{
	struct btf *btf = btf__new_empty();
	uint32_t size = 0;

	const void *bytes = btf && fill(btf) ? btf__raw_data(btf, &size) : NULL;
	lite_fd = bytes ? memfd_create("btf", MFD_CLOEXEC) : -1;
	const bool written = lite_fd >= 0 && write(lite_fd, bytes, size) == (ssize_t)size;
	btf__free(btf);
	return written;
}

/* "fentry/bpf_check": the id of the function behind the slash. */
static int give_id(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const char *name = strchr(bpf_program__section_name(program), '/');

	(void)cookie;
	options->attach_prog_fd = 0;
	for (size_t i = 0; name && i < FUNCTIONS; i++) {
		if (strcmp(name + 1, functions[i].name))
			continue;
		options->attach_btf_id = functions[i].id;
		return 0;
	}
	return -ESRCH;
}

const char *avd__program_btf_begin(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = give_id);

	if (!scan_kernel() || !make_lite()) {
		avd__program_btf_end();
		return NULL;
	}
	handlers[0] = libbpf_register_prog_handler("fentry/", BPF_PROG_TYPE_TRACING,
						   BPF_TRACE_FENTRY, &options);
	handlers[1] = libbpf_register_prog_handler("fexit/", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT,
						   &options);
	snprintf(lite_path, sizeof(lite_path), "/proc/self/fd/%d", lite_fd);
	return lite_path;
}

int avd__program_btf_prepare(struct bpf_object *object)
{
	struct bpf_program *program;

	/* Any program's fd but none: else libbpf reads the kernel's BTF, for ids that give_id()
	 * gives it. */
	bpf_object__for_each_program(program, object)
	{
		const int error = bpf_program__set_attach_target(program, 1, NULL);
		if (error)
			return error;
	}
	return 0;
}

void avd__program_btf_end(void)
{
	for (size_t i = 0; i < 2; i++) {
		if (handlers[i] > 0)
			libbpf_unregister_prog_handler(handlers[i]);
		handlers[i] = 0;
	}
	if (lite_fd >= 0)
		close(lite_fd);
	lite_fd = -1;
}
