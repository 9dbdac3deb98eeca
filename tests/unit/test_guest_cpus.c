// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the guest's init reads from sysfs, on trees made by hand. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpus.h"
#include "run_suite.h"

static char top[] = "/tmp/avd-cpus-XXXXXX";
static struct avd__cpus cpus;

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void set_up(void)
{
	memcpy(top + sizeof(top) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(top));
}

static void tear_down(void)
{
	nftw(top, delete_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* "cpu/cpu0/x" with its folders. */
static void put(const char *text, const char *fmt, ...) AVD_PRINTF(2, 3);
static void put(const char *text, const char *fmt, ...)
{
	char name[128], path[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", top, name);
	for (char *slash = path + strlen(top) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void collect(void)
{
	const int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(&cpus, 0x55, sizeof(cpus));
	avd__cpus_read(fd, &cpus);
	close(fd);
}

/* The table as text: "CPU:node,package,llc,core,thread ..." */
static const char *shown(void)
{
	static char text[65536];
	struct avd_bytes left = {cpus.table, cpus.len};
	struct avd_topology_cpu cpu;
	size_t len = 0;
	text[0] = '\0';
	while (avd_topology_next(&left, &cpu))
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u:%u,%u,%u,%u,%u",
					len ? " " : "", cpu.cpu, cpu.node, cpu.package, cpu.llc,
					cpu.core, cpu.thread);
	return text;
}

START_TEST(two_nodes_with_threads)
{
	static const char *const siblings[] = {"0-1\n", "0-1\n", "2-3\n", "2-3\n"};
	put("0-3\n", "cpu/online");
	put("0-7\n", "cpu/possible");
	put("0-1\n", "node/online");
	put("0-1\n", "node/node0/cpulist");
	put("2-3\n", "node/node1/cpulist");
	for (int i = 0; i < 4; i++) {
		put(siblings[i], "cpu/cpu%d/topology/thread_siblings_list", i);
		put(i < 2 ? "0\n" : "1\n", "cpu/cpu%d/topology/physical_package_id", i);
		put("1\n", "cpu/cpu%d/cache/index0/level", i);
		put(siblings[i], "cpu/cpu%d/cache/index0/shared_cpu_list", i);
		put("3\n", "cpu/cpu%d/cache/index1/level", i);
		put("0-3\n", "cpu/cpu%d/cache/index1/shared_cpu_list", i);
		put("2\n", "cpu/cpu%d/cache/index2/level", i);
		put(siblings[i], "cpu/cpu%d/cache/index2/shared_cpu_list", i);
	}
	collect();
	ck_assert_str_eq(shown(), "0:0,0,0,0,0 1:0,0,0,0,1 2:1,1,0,2,0 3:1,1,0,2,1");
	ck_assert_uint_eq(cpus.possible, 8);
	ck_assert_uint_eq(cpus.nodes, 2);
}
END_TEST

/* Gaps in the numbers; CPUs that share, but are not online. */
START_TEST(some_are_offline)
{
	put("1,4-5\n", "cpu/online");
	put("0-5\n", "cpu/possible");
	for (int i = 0; i < 6; i++) {
		put(i % 2 ? "0-1,4-5\n" : "0,4\n", "cpu/cpu%d/topology/thread_siblings_list", i);
		put("3\n", "cpu/cpu%d/cache/index0/level", i);
		put("0-3\n", "cpu/cpu%d/cache/index0/shared_cpu_list", i);
	}
	collect();
	/* The first one's lists decide, and what is not in its own list is still its own core. */
	ck_assert_str_eq(shown(), "1:0,65535,1,1,0 4:0,65535,4,1,1 5:0,65535,5,1,2");
	ck_assert_uint_eq(cpus.nodes, 1);
}
END_TEST

START_TEST(a_kernel_that_shows_nothing)
{
	collect();
	ck_assert_uint_eq(cpus.len, 0);
	ck_assert_uint_eq(cpus.possible, 0);
	ck_assert_uint_eq(cpus.nodes, 1);
	put("0-1", "cpu/online"); /* and no line end */
	collect();
	ck_assert_str_eq(shown(), "0:0,65535,65535,0,0 1:0,65535,65535,1,0");
}
END_TEST

/* Lists that no kernel writes: bounded work, CPUs of a table alone. */
START_TEST(odd_lists)
{
	static const char *const lists[] = {"0-99999999999999999999",
					    "0-4294967295",
					    "3-1",
					    "0,0,0",
					    "-",
					    ",",
					    "0-",
					    "x",
					    "0-1x,7",
					    "511-513,18446744073709551615",
					    "70000-80000",
					    "\n\n\n"};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
			put(lists[i], "cpu/online");
			put(lists[k], "cpu/possible");
			put(lists[k], "node/online");
			put(lists[k], "node/node0/cpulist");
			put(lists[k], "cpu/cpu0/topology/thread_siblings_list");
			put(lists[k], "cpu/cpu0/topology/physical_package_id");
			put(lists[k], "cpu/cpu0/cache/index0/level");
			put(lists[k], "cpu/cpu0/cache/index0/shared_cpu_list");
			collect();
			ck_assert_uint_eq(cpus.len % AVD__CPU_RECORD_SIZE, 0);
			ck_assert_uint_le(cpus.len, sizeof(cpus.table));
			ck_assert_uint_le(cpus.possible, UINT16_MAX);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-cpus");
	TCase *tests = tcase_create("cpus");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, two_nodes_with_threads);
	tcase_add_test(tests, some_are_offline);
	tcase_add_test(tests, a_kernel_that_shows_nothing);
	tcase_add_test(tests, odd_lists);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
