// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the loader of BPF objects says of files that libbpf does not open. */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "run_suite.h"
#include "scratch_dir.h"

/* Standard error of one load, in a static buffer. */
static const char *stderr_of(const char *path)
{
	static char said[4096];
	FILE *file = tmpfile();
	ck_assert_ptr_nonnull(file);
	fflush(stderr);
	const int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	const int status = avd__load(path, 0);
	fflush(stderr);
	ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	ck_assert_int_eq(status, EXIT_FAILURE);
	const ssize_t len = pread(fileno(file), said, sizeof(said) - 1, 0);
	ck_assert_int_gt(len, 0);
	said[len] = '\0';
	fclose(file);
	return said;
}

/* The last line is what the verdict's reason quotes: it tells libbpf's words itself. */
static const char *last_line(const char *path)
{
	static char line[4096];
	snprintf(line, sizeof(line), "%s", stderr_of(path));
	ck_assert(*line && line[strlen(line) - 1] == '\n');
	line[strlen(line) - 1] = '\0';
	const char *at = strrchr(line, '\n');
	return at ? at + 1 : line;
}

START_TEST(test_program_of_the_host)
{
	const char *line = last_line("/proc/self/exe");
	ck_assert_ptr_nonnull(
		strstr(line, "cannot open the BPF object /proc/self/exe: elf: /proc/self/exe is "
			     "not a valid eBPF object file"));
}
END_TEST

START_TEST(test_no_elf)
{
	const char *line = last_line("/proc/self/status");
	ck_assert_ptr_nonnull(strstr(line, "cannot open the BPF object /proc/self/status: elf: "));
}
END_TEST

/* The least that libbpf takes for an object with a scheduler, and no BTF. */
static void write_object_without_btf(const char *path)
{
	static const char names[] = "\0.shstrtab\0.symtab\0.struct_ops.link";
	enum { NONE, NAMES, SYMBOLS, OPS, COUNT };
	const Elf64_Sym symbol = {0};
	const uint64_t ops = 0;
	const Elf64_Ehdr head = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = EM_BPF,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(head),
		.e_shoff = sizeof(head),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = COUNT,
		.e_shstrndx = NAMES,
	};
	Elf64_Shdr sections[COUNT] = {
		[NAMES] = {.sh_name = 1, .sh_type = SHT_STRTAB, .sh_size = sizeof(names)},
		[SYMBOLS] = {.sh_name = 11,
			     .sh_type = SHT_SYMTAB,
			     .sh_link = NAMES,
			     .sh_size = sizeof(symbol),
			     .sh_entsize = sizeof(symbol)},
		[OPS] = {.sh_name = 19,
			 .sh_type = SHT_PROGBITS,
			 .sh_flags = SHF_ALLOC | SHF_WRITE,
			 .sh_size = sizeof(ops)},
	};
	sections[SYMBOLS].sh_offset = sizeof(head) + sizeof(sections);
	sections[OPS].sh_offset = sections[SYMBOLS].sh_offset + sizeof(symbol);
	sections[NAMES].sh_offset = sections[OPS].sh_offset + sizeof(ops);
	for (int i = 0; i < COUNT; i++)
		sections[i].sh_addralign = i == NAMES ? 1 : 8;
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fwrite(&head, sizeof(head), 1, file);
	fwrite(sections, sizeof(sections), 1, file);
	fwrite(&symbol, sizeof(symbol), 1, file);
	fwrite(&ops, sizeof(ops), 1, file);
	fwrite(names, sizeof(names), 1, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* Its errno is ENOENT, of an object that is there. */
START_TEST(test_object_without_btf)
{
	write_object_without_btf("object");
	const char *line = last_line("object");
	ck_assert_str_eq(line, "cannot open the BPF object object: "
			       "BTF is required, but is missing or corrupted.");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-load");
	TCase *tcase = tcase_create("open");
	tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave);
	tcase_add_test(tcase, test_program_of_the_host);
	tcase_add_test(tcase, test_no_elf);
	tcase_add_test(tcase, test_object_without_btf);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
