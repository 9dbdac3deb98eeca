// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/elfdyn.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A dynamic section or string table beyond this is damage: libLLVM's strings have 5 MB. */
#define DYNAMIC_MAX ((uint64_t)1 << 20)
#define STRINGS_MAX ((uint64_t)256 << 20)

struct reading {
	Elf *elf;
	const char *path;
	struct avd__error *error;
	size_t segments;
	const char *strings;
	size_t strings_size;
};

const char *avd__elf_machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "32-bit x86";
	case EM_AARCH64:
		return "aarch64";
	case EM_ARM:
		return "arm";
	case EM_RISCV:
		return "riscv";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390";
	case EM_LOONGARCH:
		return "loongarch";
	case EM_BPF:
		return "bpf";
	case EM_X86_64:
		return "x86_64";
	default:
		return "another architecture";
	}
}

void avd__elf_dyn_free(struct avd__elf_dyn *dyn)
{
	free(dyn->interp);
	free(dyn->soname);
	free(dyn->rpath);
	free(dyn->runpath);
	for (size_t i = 0; i < dyn->needed_count; i++)
		free(dyn->needed[i]);
	free(dyn->needed);
	*dyn = (struct avd__elf_dyn){0};
}

static int fail_damaged(const struct reading *rd, const char *what)
{
	return avd__fail(rd->error, EBADMSG,
			 "%s: is truncated or damaged (its %s lies outside the file); copy or "
			 "build it again",
			 rd->path, what);
}

static int fail_memory(const struct reading *rd)
{
	return avd__fail(rd->error, ENOMEM, "out of memory");
}

/* A NUL-terminated string of the string table, copied; replaces *out. */
static int copy_string(const struct reading *rd, uint64_t offset, char **out)
{
	if (offset >= rd->strings_size)
		return fail_damaged(rd, "string table");
	const char *text = rd->strings + offset;
	if (!memchr(text, '\0', rd->strings_size - (size_t)offset))
		return fail_damaged(rd, "string table");
	char *copy = strdup(text);
	if (!copy)
		return fail_memory(rd);
	free(*out);
	*out = copy;
	return 0;
}

/* The file offset of an address, by the loadable segments. */
static int find_offset(const struct reading *rd, uint64_t address, uint64_t *ret_offset)
{
	for (size_t i = 0; i < rd->segments; i++) {
		GElf_Phdr phdr;
		if (!gelf_getphdr(rd->elf, (int)i, &phdr))
			break;
		if (phdr.p_type == PT_LOAD && address >= phdr.p_vaddr &&
		    address - phdr.p_vaddr < phdr.p_filesz) {
			*ret_offset = phdr.p_offset + (address - phdr.p_vaddr);
			return 0;
		}
	}
	return fail_damaged(rd, "string table");
}

static int read_strings(struct reading *rd, Elf_Data *dynamic)
{
	uint64_t address = 0, size = 0, offset = 0;
	GElf_Dyn dyn;
	for (int i = 0; gelf_getdyn(dynamic, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		if (dyn.d_tag == DT_STRTAB)
			address = dyn.d_un.d_ptr;
		else if (dyn.d_tag == DT_STRSZ)
			size = dyn.d_un.d_val;
	}
	if (!address || !size)
		return 0; /* a static PIE has a dynamic section of little use */
	const int r = find_offset(rd, address, &offset);
	if (r < 0)
		return r;
	Elf_Data *data =
		size <= STRINGS_MAX && offset <= INT64_MAX - STRINGS_MAX
			? elf_getdata_rawchunk(rd->elf, (int64_t)offset, (size_t)size, ELF_T_BYTE)
			: NULL;
	if (!data)
		return fail_damaged(rd, "string table");
	rd->strings = data->d_buf;
	rd->strings_size = data->d_size;
	return 0;
}

static int add_needed(const struct reading *rd, uint64_t offset, struct avd__elf_dyn *out)
{
	if (out->needed_count == AVD__NEEDED_MAX)
		return fail_damaged(rd, "list of needed libraries");
	char **more = realloc(out->needed, (out->needed_count + 1) * sizeof(*more));
	if (!more)
		return fail_memory(rd);
	out->needed = more;
	more[out->needed_count] = NULL;
	const int r = copy_string(rd, offset, &more[out->needed_count]);
	out->needed_count += r == 0;
	return r;
}

static int read_dynamic(struct reading *rd, const GElf_Phdr *phdr, struct avd__elf_dyn *out)
{
	GElf_Dyn dyn;
	Elf_Data *dynamic = phdr->p_filesz <= DYNAMIC_MAX && phdr->p_offset <= INT64_MAX
				    ? elf_getdata_rawchunk(rd->elf, (int64_t)phdr->p_offset,
							   (size_t)phdr->p_filesz, ELF_T_DYN)
				    : NULL;
	if (!dynamic)
		return fail_damaged(rd, "dynamic section");
	int r = read_strings(rd, dynamic);
	for (int i = 0; r == 0 && gelf_getdyn(dynamic, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		if (dyn.d_tag == DT_NEEDED)
			r = add_needed(rd, dyn.d_un.d_val, out);
		else if (dyn.d_tag == DT_SONAME)
			r = copy_string(rd, dyn.d_un.d_val, &out->soname);
		else if (dyn.d_tag == DT_RPATH)
			r = copy_string(rd, dyn.d_un.d_val, &out->rpath);
		else if (dyn.d_tag == DT_RUNPATH)
			r = copy_string(rd, dyn.d_un.d_val, &out->runpath);
		else if (dyn.d_tag == DT_FLAGS_1)
			out->nodeflib = (dyn.d_un.d_val & DF_1_NODEFLIB) != 0;
	}
	if (out->runpath) {
		free(out->rpath);
		out->rpath = NULL;
	}
	return r;
}

static int read_interp(struct reading *rd, const GElf_Phdr *phdr, struct avd__elf_dyn *out)
{
	Elf_Data *data = phdr->p_filesz < PATH_MAX && phdr->p_offset <= INT64_MAX
				 ? elf_getdata_rawchunk(rd->elf, (int64_t)phdr->p_offset,
							(size_t)phdr->p_filesz, ELF_T_BYTE)
				 : NULL;
	if (!data || !data->d_size || ((const char *)data->d_buf)[data->d_size - 1] != '\0')
		return fail_damaged(rd, "interpreter's name");
	free(out->interp);
	out->interp = strdup(data->d_buf);
	return out->interp ? 0 : fail_memory(rd);
}

static int read_segments(struct reading *rd, struct avd__elf_dyn *out)
{
	int r = 0;
	if (elf_getphdrnum(rd->elf, &rd->segments) < 0)
		return fail_damaged(rd, "program header table");
	for (size_t i = 0; r == 0 && i < rd->segments; i++) {
		GElf_Phdr phdr;
		if (!gelf_getphdr(rd->elf, (int)i, &phdr))
			return fail_damaged(rd, "program header table");
		if (phdr.p_type == PT_INTERP)
			r = read_interp(rd, &phdr, out);
		else if (phdr.p_type == PT_DYNAMIC)
			r = read_dynamic(rd, &phdr, out);
	}
	return r;
}

int avd__elf_dyn_read(int fd, const char *path, struct avd__elf_dyn *ret_dyn,
		      struct avd__error *error)
{
	struct reading rd = {.path = path, .error = error};
	struct avd__elf_dyn out = {0};
	GElf_Ehdr ehdr;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return avd__fail(error, ENOSYS, "libelf does not know this version of ELF");
	/* Read, not mapped: a file cut meanwhile must not fault. */
	rd.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!rd.elf)
		return fail_memory(&rd);
	int r = 0;
	if (elf_kind(rd.elf) != ELF_K_ELF)
		r = avd__fail(error, ENOEXEC, "%s: is not an ELF file", path);
	else if (!gelf_getehdr(rd.elf, &ehdr))
		r = fail_damaged(&rd, "ELF header");
	if (r == 0) {
		out.type = ehdr.e_type;
		out.machine = ehdr.e_machine;
		out.is64 = gelf_getclass(rd.elf) == ELFCLASS64;
		r = read_segments(&rd, &out);
	}
	elf_end(rd.elf);
	if (r < 0)
		avd__elf_dyn_free(&out);
	else
		*ret_dyn = out;
	return r;
}
