// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Machines without a scheduler on a real kernel, through the public interface alone. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../qemu/port_init.h"
#include "../unit/run_suite.h"
#include "real_kernel.h"

/* Catches a hang of the library, judges nothing. */
#define TIMEOUT_SECONDS 600

static const char *kernel, *init; /* init: tests/qemu/port_init.c */
static struct avd_machine_options options;
static avd_machine *machine;
static char console[1 << 18];
static size_t console_len, channel_len;
static int channel_wrong;
static int fds_before, tasks_before;

static void on_console(void *userdata, const void *bytes, size_t size)
{
	(void)userdata;
	if (size > sizeof(console) - 1 - console_len)
		size = sizeof(console) - 1 - console_len;
	memcpy(console + console_len, bytes, size);
	console_len += size;
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	(void)userdata;
	for (size_t i = 0; i < size; i++)
		channel_wrong |= p[i] != (channel_len + i) % 251;
	channel_len += size;
	return 0;
}

static void setup(void)
{
	memset(console, 0, sizeof(console));
	console_len = channel_len = 0;
	channel_wrong = 0;
	machine = NULL;
	options = (struct avd_machine_options)AVD_OPTIONS_INIT(struct avd_machine_options);
	options.kernel = kernel;
	options.memory_bytes = UINT64_C(256) << 20;
	options.on_console = on_console;
	options.on_channel = on_channel;
	fds_before = count_entries("/proc/self/fd");
	tasks_before = count_entries("/proc/self/task"); /* a sanitizer may have one */
}

static void teardown(void)
{
	avd_machine_free(machine);
	ck_assert_int_eq(count_entries("/proc/self/fd"), fds_before);
	wait_for_threads(tasks_before);
}

static void start(void)
{
	char error[512];
	ck_assert_msg(avd_machine_new(&options, &machine, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(avd_machine_start(machine) == 0, "%s", avd_machine_error(machine));
}

static struct avd_machine_end run(void)
{
	struct avd_machine_end end;
	struct pollfd fd = {.fd = avd_machine_fd(machine), .events = POLLIN};
	int r;
	do {
		while (poll(&fd, 1, -1) < 0)
			;
	} while ((r = avd_machine_step(machine)) > 0);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(avd_machine_get_end(machine, &end), 0);
	return end;
}

START_TEST(a_program_as_init)
{
	struct avd_machine_stats stats = AVD_OPTIONS_INIT(struct avd_machine_stats);
	struct avd_machine_info info;
	options.init = init;
	options.kernel_args = "act=off";
	options.topology = "2";
	start();
	const struct avd_machine_end end = run();
	ck_assert_msg(end.cause == AVD_END_GUEST_SHUTDOWN, "%s: %s", avd_end_cause_name(end.cause),
		      end.detail);
	ck_assert_uint_eq(channel_len, PORT_INIT_BYTES);
	ck_assert_int_eq(channel_wrong, 0);
	ck_assert_ptr_nonnull(strstr(console, "ttyS0 0x3F8"));
	ck_assert_int_eq(avd_machine_get_stats(machine, &stats), 0);
	ck_assert_int_eq(avd_machine_get_info(machine, &info), 0);
	const uint32_t known = AVD_STAT_FIRST_INSTRUCTION | AVD_STAT_START_CPU | AVD_STAT_INIT |
			       AVD_STAT_CPU | AVD_STAT_MEMORY;
	ck_assert_uint_eq(stats.valid & known, known);
	ck_assert_uint_eq(!!(stats.valid & AVD_STAT_EXITS), info.kind == AVD_MACHINE_KVM);
	ck_assert_uint_gt(stats.first_instruction_ns, 0);
	ck_assert_uint_lt(stats.first_instruction_ns, stats.init_ns);
	ck_assert_uint_lt(stats.start_cpu_ns, stats.cpu_ns + stats.first_instruction_ns);
	/* A kernel alone has more than that, and no guest more than it was given. */
	ck_assert_uint_gt(stats.ram_resident_bytes, 16 << 20);
	ck_assert_uint_le(stats.ram_resident_bytes, stats.memory_bytes);
	ck_assert_uint_gt(stats.overhead_bytes, 0);
	printf("%s (%s): first instruction %.1f ms, CPU until then %.1f ms, init %.1f ms, beyond "
	       "guest RAM %.1f MiB\n",
	       avd_machine_kind_name(info.kind), info.accel,
	       (double)stats.first_instruction_ns / 1e6, (double)stats.start_cpu_ns / 1e6,
	       (double)stats.init_ns / 1e6, (double)stats.overhead_bytes / (1 << 20));
}
END_TEST

/* A "newc" archive with /init alone; the kernel's Documentation/driver-api/early-userspace. */
static char *make_archive(size_t *ret_size)
{
	char *memory = NULL;
	struct stat st;
	FILE *archive = open_memstream(&memory, ret_size);
	FILE *program = fopen(init, "re");
	ck_assert_ptr_nonnull(program);
	ck_assert_int_eq(fstat(fileno(program), &st), 0);
	const struct {
		const char *name;
		unsigned mode, size;
	} entries[] = {{"init", 0100755, (unsigned)st.st_size}, {"TRAILER!!!", 0, 0}};
	for (int i = 0; i < 2; i++) {
		fprintf(archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s%c",
			i + 1, entries[i].mode, 0, 0, 1, 0, entries[i].size, 0, 0, 0, 0,
			(unsigned)strlen(entries[i].name) + 1, 0, entries[i].name, 0);
		while (ftell(archive) % 4)
			fputc(0, archive);
		for (unsigned n = 0; n < entries[i].size; n++)
			fputc(getc(program), archive);
		while (ftell(archive) % 4)
			fputc(0, archive);
	}
	fclose(program);
	fclose(archive);
	return memory;
}

/* The whole command line by the caller, the archive by a descriptor that is the caller's own. */
START_TEST(an_archive_and_all_arguments)
{
	size_t size;
	char *archive = make_archive(&size);
	const int fd = memfd_create("archive", MFD_CLOEXEC);
	ck_assert_int_eq(write(fd, archive, size), (ssize_t)size);
	free(archive);
	options.flags = AVD_MACHINE_INITRAMFS_FD | AVD_MACHINE_ARGS_ONLY;
	options.initramfs_fd = fd;
	options.kernel_args = "console=ttyS0 panic=-1 8250.nr_uarts=1 pnpacpi=off reserve=0x2f8,8 "
			      "mitigations=off tsc=reliable no_timer_check pci=off reboot=k "
			      "cryptomgr.notests=1 act=panic";
	start();
	ck_assert_int_eq(close(fd), 0);
	const struct avd_machine_end end = run();
	ck_assert_msg(end.cause == AVD_END_GUEST_RESET, "%s: %s", avd_end_cause_name(end.cause),
		      end.detail);
	ck_assert_uint_eq(channel_len, PORT_INIT_BYTES);
	ck_assert_int_eq(channel_wrong, 0);
	ck_assert_ptr_nonnull(strstr(console, "Kernel command line: console=ttyS0 panic=-1 8250"));
	ck_assert_ptr_nonnull(strstr(console, "Kernel panic - not syncing: sysrq"));
}
END_TEST

static sem_t speaks;

static int first_bytes(void *userdata, const void *bytes, size_t size)
{
	(void)userdata;
	(void)bytes;
	channel_len += size;
	sem_post(&speaks);
	return 0;
}

static void *stop_it(void *unused)
{
	(void)unused;
	while (sem_wait(&speaks) < 0)
		;
	avd_machine_stop(machine);
	return NULL;
}

START_TEST(stopped_by_another_thread)
{
	pthread_t thread;
	size_t size;
	char *archive = make_archive(&size);
	options.initramfs_data = archive;
	options.initramfs_size = size;
	options.kernel_args = "act=off";
	options.on_channel = first_bytes;
	start();
	free(archive); /* borrowed no longer */
	ck_assert_int_eq(sem_init(&speaks, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, stop_it, NULL), 0);
	const struct avd_machine_end end = run();
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_gt(channel_len, 0);
	/* It may have reached its own end in the meantime: then that is told. */
	ck_assert_msg(end.cause == AVD_END_HOST_STOP || end.cause == AVD_END_GUEST_SHUTDOWN,
		      "%s: %s", avd_end_cause_name(end.cause), end.detail);
}
END_TEST

START_TEST(freed_while_it_runs)
{
	options.init = init;
	start();
	ck_assert_int_eq(avd_machine_step(machine), 1);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	init = argv[1];
	kernel = real_kernel();
	if (!kernel)
		return EXIT_SKIPPED;
	Suite *suite = suite_create("machine-real");
	TCase *tc = tcase_create("machine-real");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TIMEOUT_SECONDS);
	tcase_add_test(tc, a_program_as_init);
	tcase_add_test(tc, an_archive_and_all_arguments);
	tcase_add_test(tc, stopped_by_another_thread);
	tcase_add_test(tc, freed_while_it_runs);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
