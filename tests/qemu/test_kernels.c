// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The QEMU machine with each kernel of $AVD_TEST_KERNELS: the channel's port is nobody's but
 * ours, and the ways in which a kernel ends are told apart. argv[1]: the program port_init. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/initramfs.h"
#include "kit.h"
#include "port_init.h"

static const char *init_program;
static glob_t kernels;

static void boot(struct kit *kit, const char *kernel, const char *args)
{
	struct avd__initramfs *archive;
	struct stat st;
	kit_init(kit, args);
	avd__close(&kit->spec.kernel_fd);
	avd__close(&kit->spec.initramfs_fd);
	kit->spec.kernel_path = kernel;
	kit->spec.kernel_format = AVD_KERNEL_BZIMAGE;
	kit->spec.kernel_fd = open(kernel, O_RDONLY | O_CLOEXEC);
	kit->spec.cpus = 2;
	kit->spec.memory_bytes = 512 << 20;
	const int fd = open(init_program, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fstat(fd, &st) == 0, "%s", init_program);
	char *bytes = malloc((size_t)st.st_size);
	ck_assert_int_eq(avd__pread_all(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	ck_assert_int_eq(avd__initramfs_new(&archive, &kit->error), 0);
	ck_assert_int_eq(avd__initramfs_add_bytes(archive, "/init", 0755, bytes, (size_t)st.st_size,
						  &kit->error),
			 0);
	ck_assert_int_eq(avd__initramfs_finish(archive, &kit->spec.initramfs_fd,
					       &kit->spec.initramfs_bytes, &kit->error),
			 0);
	avd__initramfs_free(archive);
	free(bytes);
	kit_start(kit);
	kit_run(kit);
	printf("%s: %s: end cause %u\n", kernel, args, kit->end.cause);
	fflush(stdout);
}

/* The console goes along with each failure: it says how far the kernel came. */
static void check(struct kit *kit, uint32_t cause)
{
	const char *console = kit->console.data ? kit->console.data : "";
	ck_assert_msg(kit->end.cause == cause, "cause %u %s: %s", kit->end.cause, kit->end.detail,
		      console);
	ck_assert_msg(strstr(console, "ttyS0 0x3F8\n") || strstr(console, "ttyS0 0x3F8\r\n"), "%s",
		      console);
	ck_assert_msg(!strstr(console, "0x2F8"), "%s", console);
	ck_assert_uint_eq(kit->channel.len, PORT_INIT_BYTES);
	for (size_t i = 0; i < kit->channel.len; i++)
		ck_assert_msg((unsigned char)kit->channel.data[i] == i % 251, "byte %zu", i);
}

START_TEST(panic_of_each_kernel)
{
	struct kit kit;
	boot(&kit, kernels.gl_pathv[_i], "act=panic");
	check(&kit, AVD_END_GUEST_RESET);
	ck_assert_ptr_nonnull(strstr(kit.console.data, "Kernel panic - not syncing: sysrq"));
	kit_free(&kit);
}
END_TEST

/* With the last of them: these ends are the machine's matter more than the kernel's. */
START_TEST(other_ends)
{
	const char *kernel = kernels.gl_pathv[kernels.gl_pathc - 1];
	struct kit kit;
	boot(&kit, kernel, "act=reboot reboot=t");
	check(&kit, AVD_END_TRIPLE_FAULT);
	kit_free(&kit);
	boot(&kit, kernel, "act=off");
	check(&kit, AVD_END_GUEST_SHUTDOWN);
	kit_free(&kit);
}
END_TEST

int main(int argc, char **argv)
{
	const char *top = getenv("AVD_TEST_KERNELS");
	char *pattern = NULL;
	if (argc != 2)
		return EXIT_FAILURE;
	init_program = argv[1];
	if (asprintf(&pattern, "%s/*/vmlinuz", top ? top : "/nonexistent") < 0)
		return EXIT_FAILURE;
	if (glob(pattern, 0, NULL, &kernels)) {
		printf("skipped: no kernel as %s; run tools/fetch-kernel\n", pattern);
		free(pattern);
		return 77;
	}
	free(pattern);
	Suite *suite = suite_create("qemu-kernels");
	TCase *tc = tcase_create("kernels");
	tcase_set_timeout(tc, 4 * KIT_HANG_SECONDS);
	tcase_add_loop_test(tc, panic_of_each_kernel, 0, (int)kernels.gl_pathc);
	tcase_add_test(tc, other_ends);
	suite_add_tcase(suite, tc);
	const int r = kit_main(suite);
	globfree(&kernels);
	return r;
}
