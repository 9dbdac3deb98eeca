// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Many machines, one after another and at once: nothing of them stays. */
#include <check.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "vmm/vmm.h"

#define AFTER_ANOTHER 64
#define AT_ONCE 8u

/* What must be the same before and after. */
struct usage {
	size_t fds, threads, mappings;
	size_t heap; /* exact without the caches of threads: meson.build turns them off */
};

static size_t count_lines(const char *path)
{
	char line[1024];
	size_t count = 0;
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		count += strchr(line, '\n') != NULL;
	fclose(file);
	return count;
}

static bool has_sanitizer(void)
{
	const char *missing = avd__sandbox_missing();
	return missing && strstr(missing, "sanitizer");
}

static struct usage usage_now(void)
{
	struct usage usage = {
		.fds = kit_count_entries("/proc/self/fd"),
		.threads = kit_count_entries("/proc/self/task"),
		.mappings = count_lines("/proc/self/maps"),
	};
	usage.heap = mallinfo2().uordblks;
	if (has_sanitizer()) /* its allocator maps and keeps; the leak checker sees to the rest */
		usage.heap = usage.mappings = 0;
	return usage;
}

/* Once no more threads than these are left: one can be joined a moment before the kernel has taken
 * its entry away. */
static struct usage settled_usage(size_t threads)
{
	const uint64_t end = avd__now_ns() + KIT_DEADLINE_MS * UINT64_C(1000000);
	while (kit_count_entries("/proc/self/task") > threads && avd__now_ns() < end)
		sched_yield();
	return usage_now();
}

static size_t threads_at_rest(void)
{
	/* A sanitizer's own thread comes with the first of ours. */
	return kit_count_entries("/proc/self/task") + has_sanitizer();
}

static void check_usage(const struct usage *before)
{
	const struct usage now = settled_usage(before->threads);
	ck_assert_uint_eq(now.fds, before->fds);
	ck_assert_uint_eq(now.threads, before->threads);
	ck_assert_uint_le(now.heap, before->heap);
	/* libc keeps stacks of ended threads for new ones, up to as many as ran at once. */
	ck_assert_uint_le(now.mappings, before->mappings);
}

/* mov dx, 0x3f8; mov al, 'H'; out; mov al, 'i'; out; hlt */
static const uint8_t hi_long[] = {0x66, 0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xf4};

static const uint8_t loop[] = {0xeb, 0xfe};

static void make(struct kit_guest *guest, const void *code, size_t size, bool sandbox)
{
	struct avd__error error = {0};
	kit_make(guest, code, size);
	if (sandbox)
		ck_assert_msg(avd__vm_confine(guest->vm, 0, 0, &error) == 0, "%s", error.text);
}

static void run_one(bool sandbox)
{
	static struct kit_guest guest;
	make(&guest, hi_long, sizeof(hi_long), sandbox);
	kit_boot_long(&guest);
	ck_assert(kit_finish(&guest, KIT_DEADLINE_MS));
	ck_assert_str_eq(guest.console, "Hi");
	avd__vm_free(guest.vm);
}

/* All of them run before the first is stopped. */
static void run_at_once(bool sandbox)
{
	static struct kit_guest guests[AT_ONCE];
	for (size_t i = 0; i < AT_ONCE; i++) {
		make(&guests[i], i % 2 ? loop : hi_long, i % 2 ? sizeof(loop) : sizeof(hi_long),
		     sandbox);
		kit_boot_long(&guests[i]);
	}
	for (size_t i = 1; i < AT_ONCE; i += 2)
		ck_assert_uint_eq(atomic_load(&guests[i].vm->running), 1);
	for (size_t i = 0; i < AT_ONCE; i += 2) {
		ck_assert(kit_finish(&guests[i], KIT_DEADLINE_MS));
		ck_assert_str_eq(guests[i].console, "Hi");
	}
	for (size_t i = 1; i < AT_ONCE; i += 2) {
		avd__vm_stop(guests[i].vm, AVD_END_HOST_STOP, "");
		ck_assert(kit_finish(&guests[i], KIT_DEADLINE_MS));
		ck_assert_uint_eq(guests[i].vm->end.cause, AVD_END_HOST_STOP);
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		avd__vm_free(guests[i].vm);
}

static bool no_sandbox(bool wanted)
{
	const char *missing = wanted ? avd__sandbox_missing() : NULL;
	if (missing)
		printf("not tried: no sandbox: %s\n", missing);
	return missing != NULL;
}

START_TEST(one_after_another)
{
	if (no_sandbox(_i))
		return;
	const size_t threads = threads_at_rest();
	run_one(_i); /* what is set up once, a sanitizer's thread too, is */
	run_one(_i);
	const struct usage before = settled_usage(threads);
	for (int i = 0; i < AFTER_ANOTHER; i++)
		run_one(_i);
	check_usage(&before);
}
END_TEST

START_TEST(eight_at_once)
{
	if (no_sandbox(_i))
		return;
	const size_t threads = threads_at_rest();
	run_at_once(_i);
	run_at_once(_i);
	const struct usage before = settled_usage(threads);
	run_at_once(_i);
	check_usage(&before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-many");
	TCase *tc = tcase_create("vmm-many");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_loop_test(tc, one_after_another, 0, 2);
	tcase_add_loop_test(tc, eight_at_once, 0, 2);
	suite_add_tcase(suite, tc);
	return kit_main(suite, false);
}
