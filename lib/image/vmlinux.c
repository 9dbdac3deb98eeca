// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/vmlinux.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/config.h"
#include "image/elfdyn.h"

/* A section that is looked through: .rodata and .BTF of a large kernel have 40 MB. */
#define SECTION_MAX ((size_t)256 << 20)
/* Notes, section names: a few KiB in any kernel. */
#define SMALL_MAX ((size_t)1 << 20)
/* Linux has about 70 sections and 6 segments. */
#define SECTIONS_MAX 4096u
#define SEGMENTS_MAX 256u

#define XEN_ELFNOTE_PHYS32_ENTRY 18 /* include/xen/interface/elfnote.h */

struct inspection {
	const struct avd__source *source;
	const char *path;
	struct avd__error *error;
	Elf64_Ehdr ehdr;
	struct avd__vmlinux facts;
	bool interpreter; /* a program for users, not a kernel */
};

static int fail_damaged(const struct inspection *in, int r, const char *what)
{
	if (r == -EBADMSG)
		return avd__fail(in->error, EBADMSG,
				 "kernel %s: is truncated or damaged (its %s lies outside the "
				 "file); copy it again",
				 in->path, what);
	if (r == -E2BIG)
		return avd__fail(in->error, EBADMSG,
				 "kernel %s: is damaged (its %s is implausibly large); copy it "
				 "again",
				 in->path, what);
	return avd__fail(in->error, -r, "kernel %s: %s cannot be read: %s", in->path, what,
			 strerror(-r));
}

static int read_header(struct inspection *in)
{
	Elf64_Ehdr *ehdr = &in->ehdr;
	int r = avd__source_read(in->source, 0, ehdr, sizeof(*ehdr));
	if (r < 0)
		return fail_damaged(in, r, "ELF header");
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0)
		return avd__fail(in->error, EBADMSG,
				 "kernel %s: does not unpack to an ELF file, the image is damaged; "
				 "copy it again",
				 in->path);
	if (ehdr->e_machine != EM_X86_64 || ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_ident[EI_DATA] != ELFDATA2LSB) {
		const bool swapped = ehdr->e_ident[EI_DATA] == ELFDATA2MSB;
		const unsigned int machine =
			swapped ? __builtin_bswap16(ehdr->e_machine) : ehdr->e_machine;
		return avd__fail(in->error, ENOEXEC,
				 "kernel %s: is an ELF file for %s (e_machine %u); take an x86_64 "
				 "kernel",
				 in->path, avd__elf_machine_name(machine), machine);
	}
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		return avd__fail(in->error, ENOEXEC,
				 "kernel %s: is an ELF object, module or core file, not a kernel; "
				 "name a vmlinuz or vmlinux",
				 in->path);
	if (ehdr->e_phnum && ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return fail_damaged(in, -EBADMSG, "program header table");
	if (ehdr->e_shnum && ehdr->e_shentsize != sizeof(Elf64_Shdr))
		return fail_damaged(in, -EBADMSG, "section header table");
	return 0;
}

static void scan_notes(struct inspection *in, const uint8_t *notes, size_t size)
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		memcpy(&note, notes, sizeof(note));
		notes += sizeof(note);
		size -= sizeof(note);
		const uint64_t name = ((uint64_t)note.n_namesz + 3) & ~UINT64_C(3);
		const uint64_t desc = ((uint64_t)note.n_descsz + 3) & ~UINT64_C(3);
		if (name + desc > size)
			return;
		if (note.n_type == XEN_ELFNOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
		    !memcmp(notes, "Xen", 4) && note.n_descsz >= 4)
			in->facts.pvh = true;
		notes += name + desc;
		size -= (size_t)(name + desc);
	}
}

/* "Linux version 6.16.12 (...": the banner of init/version.c. Format strings that begin
 * alike go on with something other than a digit. */
static void scan_banner(struct inspection *in, const uint8_t *data, size_t size)
{
	static const char banner[] = "Linux version ";
	const size_t len = sizeof(banner) - 1;
	while (size > len && !in->facts.release[0]) {
		const uint8_t *at = memmem(data, size, banner, len);
		if (!at)
			return;
		size -= (size_t)(at - data) + len;
		data = at + len;
		size_t n = 0;
		while (n < size && data[n] > ' ' && data[n] <= '~')
			n++;
		if (n == 0 || n == size || n >= sizeof(in->facts.release) || data[n] != ' ' ||
		    data[0] < '0' || data[0] > '9')
			continue;
		memcpy(in->facts.release, data, n);
		in->facts.release[n] = '\0';
	}
}

static int scan_data(struct inspection *in, uint64_t offset, uint64_t size, const char *what)
{
	struct avd__view view;
	int r = avd__view_get(in->source, offset, size, SECTION_MAX, &view);
	if (r < 0)
		return fail_damaged(in, r, what);
	if (!in->facts.release[0])
		scan_banner(in, view.data, view.size);
	if (!in->facts.config)
		r = avd__config_find(view.data, view.size, &in->facts.config);
	avd__view_free(&view);
	return r < 0 ? fail_damaged(in, r, "embedded configuration") : 0;
}

static int scan_segments(struct inspection *in, bool data)
{
	if (in->ehdr.e_phnum > SEGMENTS_MAX)
		return fail_damaged(in, -E2BIG, "program header table");
	for (unsigned int i = 0; i < in->ehdr.e_phnum; i++) {
		Elf64_Phdr phdr;
		int r = avd__source_read(in->source, in->ehdr.e_phoff + i * sizeof(phdr), &phdr,
					 sizeof(phdr));
		if (r < 0)
			return fail_damaged(in, r, "program header table");
		if (phdr.p_type == PT_INTERP)
			in->interpreter = true;
		if (phdr.p_type == PT_LOAD && (phdr.p_offset > in->source->size ||
					       phdr.p_filesz > in->source->size - phdr.p_offset))
			return fail_damaged(in, -EBADMSG, "loadable segment");
		if (phdr.p_type == PT_LOAD && data) {
			r = scan_data(in, phdr.p_offset, phdr.p_filesz, "loadable segment");
			if (r < 0)
				return r;
		}
		if (phdr.p_type == PT_NOTE) {
			struct avd__view view;
			r = avd__view_get(in->source, phdr.p_offset, phdr.p_filesz, SMALL_MAX,
					  &view);
			if (r < 0)
				return fail_damaged(in, r, "note segment");
			scan_notes(in, view.data, view.size);
			avd__view_free(&view);
		}
	}
	return 0;
}

struct btf_header { /* include/uapi/linux/btf.h */
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t hdr_len;
	uint32_t type_off;
	uint32_t type_len;
	uint32_t str_off;
	uint32_t str_len;
};

static int scan_btf(struct inspection *in, const Elf64_Shdr *shdr)
{
	static const char name[] = "\0sched_ext_ops"; /* NUL-terminated: matched with both */
	struct avd__view view;
	struct btf_header header;
	int r = avd__view_get(in->source, shdr->sh_offset, shdr->sh_size, SECTION_MAX, &view);
	if (r < 0)
		return fail_damaged(in, r, ".BTF section");
	if (view.size >= sizeof(header)) {
		memcpy(&header, view.data, sizeof(header));
		const uint64_t start = (uint64_t)header.hdr_len + header.str_off;
		if (header.magic == 0xeb9f && start <= view.size &&
		    header.str_len <= view.size - start) {
			in->facts.btf = AVD_YES;
			in->facts.btf_sched_ext = memmem(view.data + start, header.str_len, name,
							 sizeof(name)) != NULL;
		}
	}
	avd__view_free(&view);
	return 0;
}

static bool name_is(const struct avd__view *names, uint32_t offset, const char *name)
{
	const size_t len = strlen(name) + 1;
	return offset <= names->size && names->size - offset >= len &&
	       !memcmp(names->data + offset, name, len);
}

static int scan_section(struct inspection *in, const struct avd__view *names,
			const Elf64_Shdr *shdr)
{
	if (shdr->sh_type == SHT_NOBITS)
		return 0;
	if (name_is(names, shdr->sh_name, ".BTF"))
		return scan_btf(in, shdr);
	if (name_is(names, shdr->sh_name, ".rodata"))
		return scan_data(in, shdr->sh_offset, shdr->sh_size, ".rodata section");
	return 0;
}

static int scan_sections(struct inspection *in)
{
	const Elf64_Ehdr *ehdr = &in->ehdr;
	Elf64_Shdr shdr;
	struct avd__view names;
	if (ehdr->e_shnum > SECTIONS_MAX || ehdr->e_shstrndx >= ehdr->e_shnum)
		return fail_damaged(in, -EBADMSG, "section header table");
	int r = avd__source_read(in->source, ehdr->e_shoff + ehdr->e_shstrndx * sizeof(shdr), &shdr,
				 sizeof(shdr));
	if (r < 0)
		return fail_damaged(in, r, "section header table");
	r = avd__view_get(in->source, shdr.sh_offset, shdr.sh_size, SMALL_MAX, &names);
	if (r < 0)
		return fail_damaged(in, r, "section name table");
	in->facts.btf = AVD_NO;
	for (unsigned int i = 0; i < ehdr->e_shnum; i++) {
		r = avd__source_read(in->source, ehdr->e_shoff + i * sizeof(shdr), &shdr,
				     sizeof(shdr));
		if (r < 0) {
			r = fail_damaged(in, r, "section header table");
			break;
		}
		r = scan_section(in, &names, &shdr);
		if (r < 0)
			break;
	}
	avd__view_free(&names);
	return r;
}

int avd__vmlinux_inspect(const struct avd__source *vmlinux, const char *path,
			 struct avd__vmlinux *ret_vmlinux, struct avd__error *error)
{
	struct inspection in = {.source = vmlinux, .path = path, .error = error};
	int r = read_header(&in);
	if (r == 0)
		r = scan_segments(&in, in.ehdr.e_shnum == 0);
	if (r == 0 && in.ehdr.e_shnum)
		r = scan_sections(&in);
	if (r == 0 && (in.interpreter || (!in.facts.release[0] && !in.facts.pvh)))
		r = avd__fail(error, ENOEXEC,
			      "kernel %s: is an x86_64 program, not a Linux kernel (no \"Linux "
			      "version\" banner, no PVH entry); name a vmlinuz or vmlinux",
			      path);
	if (r < 0) {
		free(in.facts.config);
		return r;
	}
	*ret_vmlinux = in.facts;
	return 0;
}
