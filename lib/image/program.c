// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A program and all that it needs to start. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "image/archive.h"
#include "image/closure.h"
#include "image/elfdyn.h"
#include "image/file.h"

/* The kernel reads this much of a script's first line (BINPRM_BUF_SIZE), and follows
 * this many interpreters that are scripts themselves (fs/exec.c). */
#define SHEBANG_MAX 256u
#define SCRIPTS_MAX 4u

/* The guest's PATH, in which env(1) looks. */
static const char *const guest_path_dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					      "/usr/bin",	 "/sbin",	   "/bin"};

static int add_file(struct avd__initramfs *archive, const char *path, unsigned int scripts,
		    enum avd__program_kind *ret_kind, struct avd__error *error);

static int check_executable(const char *path, const struct stat *st, struct avd__error *error)
{
	if (st->st_mode & 0111)
		return 0;
	return avd__fail(error, EACCES, "program %s: is not executable; chmod +x it", path);
}

static int check_elf(const char *path, const struct avd__elf_dyn *dyn, const struct stat *st,
		     struct avd__error *error)
{
	if (dyn->machine == EM_BPF)
		return avd__fail(error, ENOEXEC,
				 "program %s: is a BPF file, but not a relocatable object; build "
				 "it with clang --target=bpf -c",
				 path);
	if (dyn->machine != EM_X86_64 || !dyn->is64)
		return avd__fail(error, ENOEXEC, "program %s: is for %s%s; build it for x86_64",
				 path, avd__elf_machine_name(dyn->machine),
				 dyn->machine == EM_X86_64 ? " in 32-bit mode (x32)" : "");
	if (dyn->type != ET_EXEC && dyn->type != ET_DYN)
		return avd__fail(error, ENOEXEC,
				 "program %s: is an object file, not a program; link it first",
				 path);
	if (!dyn->interp && dyn->needed_count)
		return avd__fail(error, ENOEXEC,
				 "program %s: is a shared library, not a program; name the program",
				 path);
	return check_executable(path, st, error);
}

static int add_elf(struct avd__initramfs *archive, const char *path, int fd, const struct stat *st,
		   enum avd__program_kind *ret_kind, struct avd__error *error)
{
	struct avd__elf_dyn dyn = {0};
	struct avd__error detail = {0};
	int r = avd__elf_dyn_read(fd, path, &dyn, &detail);
	if (r < 0)
		return avd__fail(error, -r, "program %s", detail.text);
	const bool bpf = dyn.machine == EM_BPF && dyn.type == ET_REL;
	r = bpf ? 0 : check_elf(path, &dyn, st, error);
	if (r == 0)
		r = avd__archive_add_host_file(archive, path, "program", NULL, error);
	if (r == 0 && dyn.interp)
		r = avd__closure_add(archive, path, &dyn, error);
	avd__elf_dyn_free(&dyn);
	if (r == 0)
		*ret_kind = bpf ? AVD__PROGRAM_BPF : AVD__PROGRAM_ELF;
	return r;
}

/* The program that "env [-S] [NAME=value]... program" runs, found in the guest's PATH. */
static int find_for_env(const char *script, char *args, char *out, size_t out_size,
			struct avd__error *error)
{
	char *save = NULL;
	char *name = strtok_r(args, " \t", &save);
	while (name && (name[0] == '-' || strchr(name, '=')))
		name = strtok_r(NULL, " \t", &save);
	if (!name)
		return avd__fail(error, ENOEXEC,
				 "program %s: its first line names no program for env; write one",
				 script);
	if (name[0] == '/') {
		snprintf(out, out_size, "%s", name);
		return 0;
	}
	for (size_t i = 0; i < AVD__ARRAY_SIZE(guest_path_dirs); i++) {
		struct stat st;
		snprintf(out, out_size, "%s/%s", guest_path_dirs[i], name);
		if (stat(out, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111))
			return 0;
	}
	return avd__fail(error, ENOENT,
			 "program %s: its interpreter %s is in none of the guest's PATH "
			 "(/usr/local/sbin ... /bin); install it there or write its absolute path",
			 script, name);
}

/* `line` is the text behind "#!", cut at the line's end. */
static int add_interpreters(struct avd__initramfs *archive, const char *script, char *line,
			    unsigned int scripts, struct avd__error *error)
{
	enum avd__program_kind kind;
	char target[SHEBANG_MAX + 32];
	char *interp = line + strspn(line, " \t");
	char *args = interp + strcspn(interp, " \t");
	if (*args)
		*args++ = '\0';
	if (interp[0] != '/')
		return avd__fail(error, ENOEXEC,
				 "program %s: its first line names no absolute path of an "
				 "interpreter; write one",
				 script);
	if (access(interp, F_OK) < 0)
		return avd__fail(error, ENOENT,
				 "program %s: its interpreter %s is not installed; install it",
				 script, interp);
	if (scripts == SCRIPTS_MAX)
		return avd__fail(error, ELOOP,
				 "program %s: more than %u interpreters that are scripts; name a "
				 "program in its first line",
				 script, SCRIPTS_MAX);
	int r = add_file(archive, interp, scripts + 1, &kind, error);
	const char *base = strrchr(interp, '/') + 1;
	if (r == 0 && strcmp(base, "env") == 0) {
		r = find_for_env(script, args, target, sizeof(target), error);
		if (r == 0)
			r = add_file(archive, target, scripts + 1, &kind, error);
	}
	return r;
}

static int add_script(struct avd__initramfs *archive, const char *path, char *head,
		      const struct stat *st, unsigned int scripts, struct avd__error *error)
{
	int r = check_executable(path, st, error);
	if (r == 0)
		r = avd__archive_add_host_file(archive, path, "program", NULL, error);
	if (r < 0)
		return r;
	head[strcspn(head, "\n")] = '\0';
	return add_interpreters(archive, path, head + 2, scripts, error);
}

static int add_file(struct avd__initramfs *archive, const char *path, unsigned int scripts,
		    enum avd__program_kind *ret_kind, struct avd__error *error)
{
	char head[SHEBANG_MAX + 1];
	struct stat st;
	int fd = -1;
	int r = avd__file_open(path, "program", &fd, &st, error);
	if (r < 0)
		return r;
	const int64_t n = avd__pread_all(fd, head, SHEBANG_MAX, 0);
	head[n > 0 ? n : 0] = '\0';
	if (n < 0) {
		r = avd__fail(error, (int)-n, "program %s: cannot be read: %s", path,
			      strerror((int)-n));
	} else if (n >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG)) {
		r = add_elf(archive, path, fd, &st, ret_kind, error);
	} else if (head[0] == '#' && head[1] == '!') {
		r = add_script(archive, path, head, &st, scripts, error);
		*ret_kind = AVD__PROGRAM_SCRIPT;
	} else {
		r = avd__fail(error, ENOEXEC,
			      "program %s: is %s, neither an ELF program, a script (\"#!\") nor a "
			      "BPF object; name the built program",
			      path, n ? "a file of another kind" : "empty");
	}
	avd__close(&fd);
	return r;
}

/* Relative paths become absolute; what the directories' symlinks spell stays, so that the
 * program finds itself in the guest by the name that the user gave. */
static int make_absolute(const char *path, char **ret_path, struct avd__error *error)
{
	struct avd__buf buf = {0};
	char *cwd = NULL;
	if (path[0] != '/') {
		cwd = realpath(".", NULL);
		if (!cwd)
			return avd__fail(error, errno,
					 "program %s: the working directory is gone; give an "
					 "absolute path",
					 path);
		avd__buf_printf(&buf, "%s", strcmp(cwd, "/") ? cwd : "");
	}
	free(cwd);
	for (const char *p = path; *p;) {
		p += strspn(p, "/");
		const size_t len = strcspn(p, "/");
		if (len && !(len == 1 && p[0] == '.'))
			avd__buf_printf(&buf, "/%.*s", (int)len, p);
		p += len;
	}
	if (!buf.len)
		avd__buf_puts(&buf, "/");
	if (strstr(buf.data ? buf.data : "", "/..")) {
		char *real = realpath(buf.data, NULL);
		if (real) {
			avd__buf_free(&buf);
			avd__buf_puts(&buf, real);
			free(real);
		}
	}
	if (avd__buf_take(&buf, ret_path, NULL) < 0)
		return avd__fail(error, ENOMEM, "out of memory");
	return 0;
}

int avd__initramfs_add_program(struct avd__initramfs *archive, const char *host_path,
			       enum avd__program_kind *ret_kind, char **ret_guest_path,
			       struct avd__error *error)
{
	enum avd__program_kind kind = AVD__PROGRAM_ELF;
	char *path = NULL;
	int r = make_absolute(host_path, &path, error);
	if (r == 0)
		r = add_file(archive, path, 0, &kind, error);
	if (r < 0) {
		free(path);
		return r;
	}
	*ret_kind = kind;
	*ret_guest_path = path;
	return 0;
}
