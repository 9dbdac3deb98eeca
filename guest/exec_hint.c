// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"

#define INTERPRETER_MAX 256u

static bool read_at(int fd, void *out, size_t size, uint64_t offset)
{
	return pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

bool avd__is_bpf_object(const char *path)
{
	Elf64_Ehdr head;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	const bool ok = read_at(fd, &head, sizeof(head), 0);
	close(fd);
	return ok && !memcmp(head.e_ident, ELFMAG, SELFMAG) &&
	       head.e_ident[EI_CLASS] == ELFCLASS64 && head.e_type == ET_REL &&
	       head.e_machine == EM_BPF;
}

/* The program that the kernel would start in its place: PT_INTERP, or what "#!" names. */
static bool interpreter_of(const char *path, char name[INTERPRETER_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head;
	bool found = false;

	if (fd < 0)
		return false;
	const ssize_t n = pread(fd, name, INTERPRETER_MAX - 1, 0);
	name[n > 0 ? n : 0] = '\0';
	if (!strncmp(name, "#!", 2)) {
		const size_t blank = 2 + strspn(name + 2, " \t");
		memmove(name, name + blank, strlen(name + blank) + 1);
		name[strcspn(name, " \t\r\n")] = '\0';
		found = true;
	} else if (read_at(fd, &head, sizeof(head), 0) && !memcmp(head.e_ident, ELFMAG, SELFMAG)) {
		for (uint32_t i = 0; i < head.e_phnum && !found; i++) {
			Elf64_Phdr phdr;
			if (!read_at(fd, &phdr, sizeof(phdr),
				     head.e_phoff + i * (uint64_t)sizeof(phdr)))
				break;
			if (phdr.p_type != PT_INTERP || !phdr.p_filesz ||
			    phdr.p_filesz > INTERPRETER_MAX - 1 ||
			    !read_at(fd, name, phdr.p_filesz, phdr.p_offset))
				continue;
			name[phdr.p_filesz] = '\0';
			found = true;
		}
	}
	close(fd);
	return found && name[0];
}

void avd__explain_exec(struct avd__text *text, const char *path, int error)
{
	char interpreter[INTERPRETER_MAX];
	struct stat st;

	avd__text_add(text, text->len ? "; cannot execute " : "cannot execute ");
	avd__text_quote(text, path, strlen(path));
	avd__text_add(text, ": %s", strerror(error));
	if (error == ENOENT && strchr(path, '/') && stat(path, &st) < 0) {
		avd__text_add(text, ": there is no such file in the guest");
	} else if (error == ENOENT && interpreter_of(path, interpreter)) {
		avd__text_add(text, ": it needs the interpreter ");
		avd__text_quote(text, interpreter, strlen(interpreter));
		avd__text_add(text, ", which is not in the guest: bring it with --include");
	} else if (error == EACCES && !stat(path, &st)) {
		avd__text_add(text, S_ISREG(st.st_mode) ? ": the file is not executable"
							: ": it is no regular file");
	} else if (error == ENOEXEC) {
		avd__text_add(text, ": neither a program of this machine nor a script");
	}
}
