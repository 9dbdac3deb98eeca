// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
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
	reads("max", 1, 14, 2, 252);
	ck_assert_uint_gt(avd__topology_max_apic_id(&shape), 254);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topology");
	TCase *tests = tcase_create("topology");
	tcase_add_test(tests, what_users_write);
	tcase_add_test(tests, what_is_refused);
	tcase_add_test(tests, presets_are_sound);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
