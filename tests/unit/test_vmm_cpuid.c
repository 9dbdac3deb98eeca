// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * What a guest makes of the CPUID leaves, CPU by CPU, for each preset on each kind of host.
 * The reader below is made from the vendors' manuals (Intel SDM volume 2, CPUID; AMD64 APM volume
 * 3, appendix E) and goes the way of Linux 6.12 to 7.3: arch/x86/kernel/cpu/topology_*.c and
 * cacheinfo.c. It shares nothing with the writer but the numbers of the leaves.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "run_suite.h"
#include "vmm/cpuid.h"

struct host {
	const char *name, *vendor; /* twelve letters */
	uint32_t basic_max, extended_max, version;
	bool caches; /* it describes its own */
};

#define AMD "AuthenticAMD"
#define INTEL "GenuineIntel"
static const struct host hosts[] = {
	{"Zen 3", AMD, 0x10, 0x80000023, 0x00a20f10, true},
	{"Zen 2 without caches", AMD, 0x10, 0x8000001f, 0x00830f10, false},
	{"Zen 1", AMD, 0xd, 0x8000001f, 0x00800f11, true},
	{"Hygon", "HygonGenuine", 0xd, 0x8000001f, 0x00900f01, true},
	{"emulated K8", AMD, 0xd, 0x8000000a, 0x00060fb1, false},
	{"Zen 5, leaf 0x80000026", AMD, 0x10, 0x80000028, 0x00b40f40, true},
	{"Intel, leaf 0x1F", INTEL, 0x20, 0x80000008, 0x000806f8, true},
	{"Intel, leaf 0xB", INTEL, 0x16, 0x80000008, 0x000506e3, true},
	{"Intel of before", INTEL, 4, 0x80000008, 0x000006fb, false},
};

/* The L3 of the hosts that have one: 32 MiB in 16 ways; shared as no machine of ours has it. */
#define HOST_L3_SETS 32768u

static struct avd__cpuid supported;

static void add(uint32_t function, uint32_t index, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	supported.entries[supported.nent++] = (struct kvm_cpuid_entry2){
		.function = function, .index = index, .eax = a, .ebx = b, .ecx = c, .edx = d};
}

static uint32_t letters(const char *four)
{
	uint32_t value;
	memcpy(&value, four, sizeof(value));
	return value;
}

static void make_host(const struct host *host)
{
	const uint32_t caches = strcmp(host->vendor, INTEL) == 0 ? 4 : 0x8000001d;
	memset(&supported, 0, sizeof(supported));
	add(0, 0, host->basic_max, letters(host->vendor), letters(host->vendor + 8),
	    letters(host->vendor + 4));
	add(1, 0, host->version, 0x07100800, 0x80000000, 0x0f8bfbff); /* CPU 7 of 16 */
	if (host->caches) {
		add(caches, 0, 0xfc01c121, 0x01c0003f, 63, 0);
		add(caches, 1, 0xfc01c122, 0x01c0003f, 63, 0);
		add(caches, 2, 0xfc01c143, 0x01c0003f, 1023, 0);
		add(caches, 3, 0xfc0fc163, 0x03c0003f, HOST_L3_SETS - 1, 0);
		add(caches, 4, 0, 0, 0, 0);
	}
	if (host->basic_max >= 0xb)
		add(0xb, 0, 1, 2, 0x100, 7);
	if (host->basic_max >= 0x1f)
		add(0x1f, 0, 1, 2, 0x100, 7);
	add(0x40000001, 0, 0x01007efb, 0, 0, 0);
	add(0x80000000, 0, host->extended_max, letters(host->vendor), letters(host->vendor + 8),
	    letters(host->vendor + 4));
	add(0x80000001, 0, 0, 0, 0x121, 0);
	if (host->caches)
		add(0x80000006, 0, 0, 0, 0x02006140, 0x01009140);
	add(0x80000008, 0, 0x3030, 0, 0x700f, 0);
	if (host->extended_max >= 0x80000026)
		add(0x80000026, 0, 1, 2, 0x100, 7);
}

/* What the instruction gives: zeros where KVM has no entry. */
static struct kvm_cpuid_entry2 cpuid(const struct avd__cpuid *of, uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < of->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &of->entries[i];
		const bool indexed = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		if (entry->function == function && (!indexed || entry->index == index))
			return *entry;
	}
	return (struct kvm_cpuid_entry2){0};
}

static uint32_t order(uint32_t count)
{
	uint32_t shift = 0;
	while (1u << shift < count)
		shift++;
	return shift;
}

/* What a kernel knows of a CPU in the end: numbers that are equal for those who share. */
struct seen {
	uint32_t apic_id, package, core, l1d, l1i, l2, llc;
};

/* What passes costs nothing: Check's own write to a pipe each time, and this is asked a million
 * times. */
#define same(a, b)                               \
	do {                                     \
		if ((a) != (b))                  \
			ck_assert_uint_eq(a, b); \
	} while (0)
#define at_least(a, b)                           \
	do {                                     \
		if ((a) < (b))                   \
			ck_assert_uint_ge(a, b); \
	} while (0)

static void read_levels(const struct avd__cpuid *of, uint32_t leaf, struct seen *seen,
			uint32_t node_cpus, uint32_t threads)
{
	uint32_t shifts[2] = {0, 0};
	for (uint32_t i = 0; i < 2; i++) {
		const struct kvm_cpuid_entry2 level = cpuid(of, leaf, i);
		same(level.ecx & 0xff, i);
		same(level.ecx >> 8 & 0xff, i + 1); /* threads, cores */
		same(level.ebx & 0xffff, i ? node_cpus : threads);
		shifts[i] = level.eax & 0x1f;
		seen->apic_id = level.edx;
	}
	const struct kvm_cpuid_entry2 last = cpuid(of, leaf, 2);
	same(last.ebx, 0);
	same(last.ecx >> 8, 0);
	seen->core = seen->apic_id >> shifts[0];
	seen->package = seen->apic_id >> shifts[1];
}

static void read_caches(const struct avd__cpuid *of, uint32_t leaf, struct seen *seen, bool host)
{
	uint32_t *const ids[] = {&seen->l1d, &seen->l1i, &seen->l2, &seen->llc};
	static const uint32_t types[] = {1, 2, 3, 3}, levels[] = {1, 1, 2, 3};
	for (uint32_t i = 0; i < 4; i++) {
		const struct kvm_cpuid_entry2 cache = cpuid(of, leaf, i);
		same(cache.eax & 0x1f, types[i]);
		same(cache.eax >> 5 & 7, levels[i]);
		same((cache.ebx & 0xfff) + 1, 64);
		at_least(cache.ecx + 1, 64);
		*ids[i] = seen->apic_id >> order((cache.eax >> 14 & 0xfff) + 1);
		if (leaf == 0x8000001d)
			same(cache.eax >> 26, 0);
	}
	same(cpuid(of, leaf, 3).ecx + 1, host ? HOST_L3_SETS : 16384);
	same(cpuid(of, leaf, 4).eax & 0x1f, 0);
}

static void read_intel(const struct avd__cpuid *of, struct seen *seen, const struct host *host,
		       uint32_t node_cpus, uint32_t threads)
{
	const uint32_t leaf = cpuid(of, 0, 0).eax >= 0x1f ? 0x1f : 0xb;
	at_least(cpuid(of, 0, 0).eax, 0xb);
	read_levels(of, 0xb, seen, node_cpus, threads);
	const struct seen by_0xb = *seen;
	read_levels(of, leaf, seen, node_cpus, threads);
	same(by_0xb.apic_id, seen->apic_id);
	same(by_0xb.core, seen->core);
	same(by_0xb.package, seen->package);
	read_caches(of, 4, seen, host->caches);
	/* Ids of cores in the package, 1 to 64: at least what is there, or all that it can say. */
	const struct kvm_cpuid_entry2 first = cpuid(of, 4, 0);
	const uint32_t cores = (first.eax >> 26) + 1;
	ck_assert(cores * threads >= node_cpus || cores == 64);
}

static void read_amd(const struct avd__cpuid *of, struct seen *seen, const struct host *host,
		     uint32_t node_cpus, uint32_t threads)
{
	const uint32_t version = cpuid(of, 1, 0).eax;
	const uint32_t family = (version >> 8 & 0xf) + (version >> 20 & 0xff);
	const uint32_t model = (version >> 4 & 0xf) | (version >> 16 & 0xf) << 4;
	const struct kvm_cpuid_entry2 place = cpuid(of, 0x8000001e, 0);
	const struct kvm_cpuid_entry2 sizes = cpuid(of, 0x80000008, 0);
	at_least(cpuid(of, 0x80000000, 0).eax, 0x8000001e);
	ck_assert(cpuid(of, 0x80000001, 0).ecx & 1u << 22); /* TOPOEXT, else no leaf below counts */
	same(cpuid(of, 0x80000001, 0).ecx >> 1 & 1, node_cpus > 1); /* CmpLegacy */
	same(cpuid(of, 0x80000026, 0).ebx, 0); /* so that 0xB is read */
	read_levels(of, 0xb, seen, node_cpus, threads);
	read_caches(of, 0x8000001d, seen, host->caches);
	same(place.eax, seen->apic_id);
	same((place.ebx >> 8 & 0xff) + 1, threads);
	same(place.ecx >> 8 & 7, 0); /* one node a package */
	same((sizes.ecx & 0xff) + 1, node_cpus);
	same(seen->apic_id >> (sizes.ecx >> 12 & 0xf), seen->package);
	/* Where Linux takes the scheduler's LLC from; none without an L3 in this leaf. */
	at_least(cpuid(of, 0x80000006, 0).edx, 1);
	if (letters("Hygo") == cpuid(of, 0, 0).ebx || (family == 0x17 && model <= 0x1f))
		seen->llc = seen->apic_id >> 3;
	else if (family < 0x17)
		seen->llc = place.ecx & 0xff;
}

/* One name in both leaves: the host's, or AMD's in place of Hygon's. */
static void check_vendor(const struct avd__cpuid *of, const char *vendor)
{
	static const uint32_t leaves[] = {0, 0x80000000};
	if (strcmp(vendor, INTEL) != 0 && cpuid(of, 0, 0).ebx == letters(AMD))
		vendor = AMD;
	for (size_t i = 0; i < 2; i++) {
		const struct kvm_cpuid_entry2 leaf = cpuid(of, leaves[i], 0);
		same(leaf.ebx, letters(vendor));
		same(leaf.edx, letters(vendor + 4));
		same(leaf.ecx, letters(vendor + 8));
	}
}

static struct seen read_cpu(const struct avd__cpuid *of, const struct host *host,
			    const struct avd__topology *shape, uint32_t cpu)
{
	struct avd__topology_cpu place;
	struct seen seen = {0};
	avd__topology_cpu(shape, cpu, &place);
	uint32_t node_cpus = 0;
	for (uint32_t i = 0; i < shape->cpus; i++) {
		struct avd__topology_cpu other;
		avd__topology_cpu(shape, i, &other);
		node_cpus += other.node == place.node;
	}
	const bool intel = strcmp(host->vendor, INTEL) == 0;
	check_vendor(of, host->vendor);
	(intel ? read_intel : read_amd)(of, &seen, host, node_cpus, shape->threads);
	same(seen.apic_id, place.apic_id);
	const struct kvm_cpuid_entry2 leaf_1 = cpuid(of, 1, 0);
	same(leaf_1.ebx >> 24, seen.apic_id & 0xff);
	at_least(leaf_1.ebx >> 16 & 0xff, node_cpus); /* at most 252 */
	same(leaf_1.ebx & 0xffff, 0x0800); /* not ours */
	same(leaf_1.edx >> 28 & 1, node_cpus > 1);
	same(leaf_1.ecx & 0x81200000, 0x81200000); /* hypervisor, deadline, x2APIC */
	same(cpuid(of, 0x40000001, 0).eax, 0x0100fefb);
	return seen;
}

static void check_shape(const char *text)
{
	static struct seen all[AVD__TOPOLOGY_CPUS_MAX];
	static struct avd__cpuid one;
	struct avd__topology shape;
	struct avd__error error = {0};
	ck_assert_msg(avd__topology_parse(text, &shape, &error) == 0, "%s", error.text);
	for (size_t h = 0; h < AVD__ARRAY_SIZE(hosts); h++) {
		make_host(&hosts[h]);
		for (uint32_t i = 0; i < shape.cpus; i++) {
			one = supported;
			if (avd__cpuid_for(&one, &shape, i) < 0)
				ck_abort_msg("%s on %s: CPU %u", text, hosts[h].name, i);
			all[i] = read_cpu(&one, &hosts[h], &shape, i);
		}
		for (uint32_t i = 0; i < shape.cpus; i++) {
			for (uint32_t j = 0; j < i; j++) {
				struct avd__topology_cpu a, b;
				avd__topology_cpu(&shape, i, &a);
				avd__topology_cpu(&shape, j, &b);
				const bool core = a.core == b.core;
				const bool right =
					(all[i].package == all[j].package) == (a.node == b.node) &&
					(all[i].llc == all[j].llc) == (a.llc == b.llc) &&
					(all[i].core == all[j].core) == core &&
					(all[i].l1d == all[j].l1d) == core &&
					(all[i].l1i == all[j].l1i) == core &&
					(all[i].l2 == all[j].l2) == core &&
					all[i].apic_id != all[j].apic_id;
				if (!right)
					ck_abort_msg("%s on %s: CPUs %u and %u", text,
						     hosts[h].name, i, j);
			}
		}
	}
}

START_TEST(each_cpu_reads_its_place)
{
	static const char *const odd[] = {"1n3l4+4+2c2t", "2n4l1+2+3+4c1t", "16n16l1c2t",
					  "1n1l126c2t",	  "2n2l63c2t",	    "1n252l1c1t",
					  "3n3l5c2t"};
	const char *name, *text;
	for (size_t i = 0; (name = avd__topology_preset(i, &text)); i++)
		check_shape(name);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(odd); i++)
		check_shape(odd[i]);
}
END_TEST

START_TEST(a_readable_cpu_keeps_its_model)
{
	static const struct {
		const char *shape;
		uint32_t model; /* leaf 1 of the Zen 1 host */
	} cases[] = {{"1", 0x00800f11},
		     {"8", 0x00800f11},
		     {"1n2l4c2t", 0x00800f11},
		     {"9", 0x00830f10},
		     {"1n2l2c2t", 0x00830f10}};
	struct avd__topology shape;
	struct avd__error error = {0};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(cases); i++) {
		make_host(&hosts[2]);
		ck_assert_int_eq(avd__topology_parse(cases[i].shape, &shape, &error), 0);
		ck_assert_int_eq(avd__cpuid_for(&supported, &shape, 0), 0);
		ck_assert_uint_eq(cpuid(&supported, 1, 0).eax, cases[i].model);
	}
}
END_TEST

START_TEST(a_full_list_is_told)
{
	struct avd__topology shape;
	make_host(&hosts[4]); /* most is to be added to this one */
	while (supported.nent < AVD__CPUID_MAX)
		add(0x50000000 + supported.nent, 0, 0, 0, 0, 0);
	avd__topology_flat(2, &shape);
	for (;; supported.nent--) {
		struct avd__cpuid one = supported;
		if (avd__cpuid_for(&one, &shape, 1) == 0)
			break;
		ck_assert_int_eq(avd__cpuid_for(&one, &shape, 1), -ENOSPC);
		ck_assert_uint_le(one.nent, AVD__CPUID_MAX);
	}
	ck_assert_uint_lt(supported.nent, AVD__CPUID_MAX - 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-cpuid");
	TCase *tc = tcase_create("vmm-cpuid");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, each_cpu_reads_its_place);
	tcase_add_test(tc, a_readable_cpu_keeps_its_model);
	tcase_add_test(tc, a_full_list_is_told);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
