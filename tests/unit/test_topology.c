// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/topology.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "run_suite.h"
#include "topology/topology.h"

static struct avd__topology shape;
static struct avd__error error;

static void reads(const char *text, uint32_t nodes, uint32_t llcs, uint32_t threads, uint32_t cpus)
{
	ck_assert_msg(avd__topology_parse(text, &shape, &error) == 0, "%s: %s", text, error.text);
	ck_assert_uint_eq(shape.nodes, nodes);
	ck_assert_uint_eq(shape.llcs, llcs);
	ck_assert_uint_eq(shape.threads, threads);
	ck_assert_uint_eq(shape.cpus, cpus);
}

START_TEST(what_users_write)
{
	reads("1", 1, 1, 1, 1);
	reads("007", 1, 1, 1, 7);
	reads("252", 1, 1, 1, 252);
	reads("2n4l4c2t", 2, 4, 2, 32);
	reads("8c2t", 1, 1, 2, 16);
	reads("2n4c", 2, 2, 1, 8);
	reads("1n3l4+4+2c2t", 1, 3, 2, 20);
	reads("4+2c", 1, 2, 1, 6);
	reads("1n14l9c2t", 1, 14, 2, 252);
}
END_TEST

START_TEST(what_is_refused)
{
	static const char *const bad[] = {"",	       "0",	     "253",    "2n3l1c1t", "3t",
					  "1n1l1c1t1", "c",	     "1c1n",   "1n1n",	   "2+2n",
					  "1n3l4+4c",  "17n17l1c",   "128c2t", "4 ",	   "99999c",
					  "1n2l+",     "no-such-one"};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(bad); i++) {
		ck_assert_msg(avd__topology_parse(bad[i], &shape, &error) == -EINVAL, "%s", bad[i]);
		ck_assert_msg(strstr(error.text, bad[i]), "%s: %s", bad[i], error.text);
	}
}
END_TEST

/* Each CPU's place is unique, grows with its number, and its APIC id says it. */
START_TEST(presets_are_sound)
{
	const char *name, *text;
	struct avd__topology_bits bits;
	for (size_t i = 0; (name = avd__topology_preset(i, &text)); i++) {
		uint32_t last = 0;
		ck_assert_msg(avd__topology_parse(name, &shape, &error) == 0, "%s: %s", name,
			      error.text);
		avd__topology_bits(&shape, &bits);
		for (uint32_t cpu = 0; cpu < shape.cpus; cpu++) {
			struct avd__topology_cpu place;
			avd__topology_cpu(&shape, cpu, &place);
			ck_assert_uint_lt(place.node, shape.nodes);
			ck_assert_uint_lt(place.llc, shape.llcs);
			ck_assert_uint_eq(place.llc / (shape.llcs / shape.nodes), place.node);
			ck_assert_uint_eq(place.core * shape.threads + place.thread, cpu);
			ck_assert(cpu == 0 || place.apic_id > last);
			ck_assert_uint_eq(place.apic_id >> (bits.thread + bits.core + bits.llc),
					  place.node);
			last = place.apic_id;
		}
		ck_assert_uint_eq(avd__topology_max_apic_id(&shape), last);
	}
	reads("max-cpu", 1, 14, 2, 252);
	ck_assert_uint_gt(avd__topology_max_apic_id(&shape), 254);
}
END_TEST

/* What a guest sees that got what was asked. */
static void as_asked(struct avd_topology_cpu *seen)
{
	struct avd__topology_cpu place;
	uint16_t llc = 0, last = UINT16_MAX;
	for (uint32_t cpu = 0; cpu < shape.cpus; cpu++) {
		const uint16_t i = (uint16_t)cpu;
		avd__topology_cpu(&shape, cpu, &place);
		if (place.llc != last)
			llc = i;
		last = (uint16_t)place.llc;
		seen[i] = (struct avd_topology_cpu){
			.cpu = i,
			.node = (uint16_t)place.node,
			.package = (uint16_t)place.node,
			.llc = llc,
			.core = (uint16_t)(i - place.thread),
			.thread = (uint16_t)place.thread,
		};
	}
}

static void differs(const struct avd_topology_cpu *seen, size_t count, const char *words)
{
	char why[256] = "";
	ck_assert_int_eq(avd__topology_differs(&shape, seen, count, why, sizeof(why)), 1);
	ck_assert_msg(strstr(why, words), "'%s' is not in '%s'", words, why);
}

START_TEST(what_was_asked_is_seen)
{
	struct avd_topology_cpu seen[AVD__TOPOLOGY_CPUS_MAX];
	const char *name, *text;
	char why[256], written[AVD__TOPOLOGY_TEXT_MAX];
	for (size_t i = 0; (name = avd__topology_preset(i, &text)); i++) {
		ck_assert_int_eq(avd__topology_parse(text, &shape, &error), 0);
		as_asked(seen);
		ck_assert_msg(!avd__topology_differs(&shape, seen, shape.cpus, why, sizeof(why)),
			      "%s: %s", name, why);
		ck_assert_str_eq(avd__topology_format(&shape, written, sizeof(written)), text);
		for (uint32_t cpu = 0; cpu < shape.cpus; cpu++)
			seen[cpu].package = AVD_TOPOLOGY_UNKNOWN; /* need not match */
		ck_assert(!avd__topology_differs(&shape, seen, shape.cpus, why, sizeof(why)));
		differs(seen, shape.cpus - 1, "CPU");
		/* Another node, cache or core of any one CPU is noticed. */
		for (uint32_t cpu = 0; cpu < shape.cpus && shape.cpus > 1; cpu++) {
			as_asked(seen);
			seen[cpu].node ^= 1;
			differs(seen, shape.cpus, "node");
			as_asked(seen);
			seen[cpu].core = seen[cpu ? 0 : shape.cpus - 1].core ^ (shape.cpus < 2);
			if (seen[cpu].core / shape.threads != cpu / shape.threads)
				differs(seen, shape.cpus, "core");
			if (shape.llcs == 1)
				continue;
			as_asked(seen);
			seen[cpu].llc = seen[cpu].llc ? 0 : seen[shape.cpus - 1].llc;
			differs(seen, shape.cpus, "LLC");
		}
	}
}
END_TEST

START_TEST(a_kernel_without_caches)
{
	struct avd_topology_cpu seen[4];
	char why[256];
	reads("4", 1, 1, 1, 4);
	as_asked(seen);
	for (int i = 0; i < 4; i++)
		seen[i].llc = AVD_TOPOLOGY_UNKNOWN;
	ck_assert(!avd__topology_differs(&shape, seen, 4, why, sizeof(why)));
	reads("2l2c", 1, 2, 1, 4);
	differs(seen, 4, "asked for 2 LLCs, the guest sees 0");
	seen[3].cpu = 4;
	reads("4", 1, 1, 1, 4);
	differs(seen, 4, "CPU 4 in its place");
}
END_TEST

/* Whatever is read can be written and read again; the rest has a message. */
START_TEST(any_text)
{
	static const char letters[] = "0123456789nlct+ -x";
	char text[AVD__TOPOLOGY_TEXT_MAX + 8], again[AVD__TOPOLOGY_TEXT_MAX];
	struct avd__topology second;
	unsigned int state = 1, sound = 0;
	for (int turn = 0; turn < 200000; turn++) {
		const int len = rand_r(&state) % 12;
		for (int i = 0; i < len; i++) /* mostly in the right order */
			text[i] = i % 2 && rand_r(&state) % 4
					  ? "nlct"[i / 2 % 4]
					  : letters[(unsigned int)rand_r(&state) %
						    (sizeof(letters) - 1)];
		text[len] = '\0';
		if (avd__topology_parse(text, &shape, &error) < 0) {
			ck_assert(strstr(error.text, "topology"));
			continue;
		}
		sound++;
		avd__topology_format(&shape, again, sizeof(again));
		ck_assert_int_eq(avd__topology_parse(again, &second, &error), 0);
		ck_assert_mem_eq(&shape, &second, sizeof(shape));
	}
	ck_assert_uint_gt(sound, 1000);
	/* the longest that is read, and one that is longer */
	for (size_t i = 0; i < 251; i++)
		memcpy(text + 4 * i, "001+", 4);
	memcpy(text + 4 * 251, "001c", 5);
	reads(text, 1, 252, 1, 252);
	ck_assert_int_eq(avd__topology_parse(avd__topology_format(&shape, again, sizeof(again)),
					     &second, &error),
			 0);
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(avd__topology_parse(text, &shape, &error), -EINVAL);
}
END_TEST

START_TEST(described_to_others)
{
	struct avd_topology_info info = AVD_OPTIONS_INIT(struct avd_topology_info);
	const char *text = "untouched";
	char why[128] = "";
	size_t count = 0;
	ck_assert_int_eq(avd_topology_describe("numa4-12llc", &info, NULL, 0), 0);
	ck_assert_uint_eq(info.size, sizeof(info));
	ck_assert_uint_eq(info.cpus, 192);
	ck_assert_uint_eq(info.nodes, 4);
	ck_assert_uint_eq(info.llcs, 12);
	ck_assert_uint_eq(info.cores, 96);
	ck_assert_uint_eq(info.threads_per_core, 2);
	ck_assert_uint_eq(info.even, 1);
	ck_assert_int_eq(avd_topology_describe("4+2c", &info, NULL, 0), 0);
	ck_assert_uint_eq(info.even, 0);
	ck_assert_int_eq(avd_topology_describe("no such", &info, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "no such"));
	ck_assert_uint_eq(info.cpus, 6); /* untouched */
	/* a caller of a release with fewer members, and one with more */
	info = (struct avd_topology_info){.size = offsetof(struct avd_topology_info, llcs),
					  .llcs = 77};
	ck_assert_int_eq(avd_topology_describe("2n", &info, NULL, 0), 0);
	ck_assert_uint_eq(info.nodes, 2);
	ck_assert_uint_eq(info.llcs, 77);
	struct {
		struct avd_topology_info info;
		uint64_t later;
	} newer = {.info.size = sizeof(newer), .later = 5};
	ck_assert_int_eq(avd_topology_describe("2n", &newer.info, NULL, 0), 0);
	ck_assert_uint_eq(newer.info.size, sizeof(newer));
	ck_assert_uint_eq(newer.later, 0);
	info.size = 0;
	ck_assert_int_eq(avd_topology_describe("2", &info, NULL, 0), -EINVAL);
	ck_assert_int_eq(avd_topology_describe(NULL, &newer.info, NULL, 0), -EINVAL);
	while (avd_topology_preset(count, count ? &text : NULL))
		count++;
	ck_assert_uint_eq(count, 30);
	ck_assert_str_eq(text, "2n2l2c2t");
	ck_assert_ptr_null(avd_topology_preset(SIZE_MAX, &text));
	ck_assert_str_eq(text, "2n2l2c2t");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topology");
	TCase *tests = tcase_create("topology");
	tcase_add_test(tests, what_users_write);
	tcase_add_test(tests, what_is_refused);
	tcase_add_test(tests, presets_are_sound);
	tcase_add_test(tests, what_was_asked_is_seen);
	tcase_add_test(tests, a_kernel_without_caches);
	tcase_add_test(tests, any_text);
	tcase_add_test(tests, described_to_others);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
