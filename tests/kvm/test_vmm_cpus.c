// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Topologies on the local /dev/kvm: what each vCPU of a tiny guest reads of itself, and machines
 * that KVM does not take.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "vmm/cpuid.h"

#define QUESTIONS 0x1000u /* from KIT_ENTRY on */
#define ANSWERS 0x2000u
/* A vCPU that needs more exits to halt than this does something else. */
#define EXITS_MAX 100

static struct avd__topology shape;
static struct avd__error error;

static void parse(const char *text)
{
	ck_assert_msg(avd__topology_parse(text, &shape, &error) == 0, "%s", error.text);
}

/* again: mov eax, [si]; mov ecx, [si + 4]; cpuid; mov [di], eax; mov [di + 4], ebx;
 * mov [di + 8], ecx; mov [di + 12], edx; add si, 8; add di, 16; dec bp; jnz again; hlt */
static const uint8_t ask[] = {0x66, 0x8b, 0x04, 0x66, 0x8b, 0x4c, 0x04, 0x0f, 0xa2,
			      0x66, 0x89, 0x05, 0x66, 0x89, 0x5d, 0x04, 0x66, 0x89,
			      0x4d, 0x08, 0x66, 0x89, 0x55, 0x0c, 0x83, 0xc6, 0x08,
			      0x83, 0xc7, 0x10, 0x4d, 0x75, 0xdf, 0xf4};

static const struct question {
	uint32_t leaf, index;
} questions[] = {{0, 0},	  {1, 0},	   {4, 0},	    {4, 1},
		 {4, 2},	  {4, 3},	   {4, 4},	    {0xb, 0},
		 {0xb, 1},	  {0xb, 2},	   {0x80000000, 0}, {0x80000001, 0},
		 {0x80000006, 0}, {0x80000008, 0}, {0x8000001d, 0}, {0x8000001d, 1},
		 {0x8000001d, 2}, {0x8000001d, 3}, {0x8000001d, 4}, {0x8000001e, 0}};
#define COUNT (sizeof(questions) / sizeof(questions[0]))

struct answer {
	uint32_t eax, ebx, ecx, edx;
};

/* Runs one vCPU, by hand and alone, until it halts. */
static void run(struct avd__vm *vm, uint32_t cpu, struct answer *answers)
{
	const struct avd__kvm_sys *sys = &avd__kvm_system;
	const int fd = vm->vcpus[cpu].fd;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rsi = QUESTIONS, .rdi = ANSWERS, .rbp = COUNT, .rflags = 2};
	memcpy(vm->memory + KIT_ENTRY, ask, sizeof(ask));
	memcpy(vm->memory + KIT_ENTRY + QUESTIONS, questions, sizeof(questions));
	memset(vm->memory + KIT_ENTRY + ANSWERS, 0xee, COUNT * sizeof(*answers));
	ck_assert_int_ge(AVD__KVM_IOCTL(sys, fd, KVM_GET_SREGS, &sregs, &error), 0);
	sregs.cs.base = KIT_ENTRY;
	sregs.cs.selector = KIT_ENTRY >> 4;
	sregs.ds = sregs.es = sregs.ss = sregs.cs;
	sregs.ds.type = sregs.es.type = sregs.ss.type = 3;
	ck_assert_int_ge(AVD__KVM_IOCTL(sys, fd, KVM_SET_SREGS, &sregs, &error), 0);
	ck_assert_int_ge(AVD__KVM_IOCTL(sys, fd, KVM_SET_REGS, &regs, &error), 0);
	const struct kvm_run *state = vm->vcpus[cpu].run;
	for (int exits = 0;; exits++) {
		const int r = sys->ioctl(NULL, fd, KVM_RUN, NULL);
		ck_assert_int_lt(exits, EXITS_MAX);
		if (r == -EINTR || r == -EAGAIN)
			continue;
		ck_assert_int_eq(r, 0);
		if (state->exit_reason == KVM_EXIT_HLT)
			break;
		ck_assert_uint_eq(state->exit_reason, KVM_EXIT_INTR);
	}
	memcpy(answers, vm->memory + KIT_ENTRY + ANSWERS, COUNT * sizeof(*answers));
}

static void check_cpu(struct avd__vm *vm, const struct avd__cpuid *supported, uint32_t cpu)
{
	struct answer answers[COUNT];
	static struct avd__cpuid asked;
	struct avd__topology_cpu place;
	asked = *supported;
	ck_assert_int_eq(avd__cpuid_for(&asked, &shape, cpu), 0);
	avd__topology_cpu(&shape, cpu, &place);
	run(vm, cpu, answers);
	for (size_t i = 0; i < COUNT; i++) {
		const struct question *q = &questions[i];
		const struct answer *got = &answers[i];
		const struct kvm_cpuid_entry2 *want = avd__cpuid_find(&asked, q->leaf, q->index);
		if (q->leaf == 0xb)
			ck_assert_uint_eq(got->edx, place.apic_id);
		if (q->leaf == 1)
			ck_assert_uint_eq(got->ebx >> 24, place.apic_id & 0xff);
		if (!want) /* the other vendor's */
			continue;
		ck_assert_msg(got->ebx == want->ebx, "CPU %u leaf %#x.%u", cpu, q->leaf, q->index);
		ck_assert_msg(got->eax == want->eax, "CPU %u leaf %#x.%u", cpu, q->leaf, q->index);
		if (q->leaf == 1) /* KVM keeps some of its flags in step with other registers */
			continue;
		ck_assert_msg(got->ecx == want->ecx, "CPU %u leaf %#x.%u", cpu, q->leaf, q->index);
		ck_assert_msg(got->edx == want->edx, "CPU %u leaf %#x.%u", cpu, q->leaf, q->index);
	}
}

START_TEST(each_vcpu_reads_what_was_asked_for)
{
	static const char *const shapes[] = {"1", "2n4l2+3+1+2c2t", "1n3l3c1t"};
	static struct avd__cpuid supported;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(shapes); i++) {
		struct avd__vm *vm;
		parse(shapes[i]);
		ck_assert_msg(avd__vm_new(&avd__kvm_system, KIT_MEMORY, &shape, false, &vm,
					  &error) == 0,
			      "%s", error.text);
		ck_assert_int_eq(
			avd__cpuid_supported(&avd__kvm_system, vm->kvm_fd, &supported, &error), 0);
		for (uint32_t cpu = 0; cpu < shape.cpus; cpu++)
			check_cpu(vm, &supported, cpu);
		avd__vm_free(vm);
	}
}
END_TEST

/* As a host with another KVM would answer. */
struct limits {
	unsigned long capability;
	int answer;
};

static int limited_ioctl(void *userdata, int fd, unsigned long request, void *argument)
{
	const struct limits *limits = userdata;
	if (request == KVM_CHECK_EXTENSION && (uintptr_t)argument == limits->capability)
		return limits->answer;
	return avd__kvm_system.ioctl(NULL, fd, request, argument);
}

static int make_limited(const struct limits *limits)
{
	struct avd__kvm_sys sys = avd__kvm_system;
	struct avd__vm *vm = NULL;
	sys.ioctl = limited_ioctl;
	sys.userdata = (void *)(uintptr_t)limits;
	const int r = avd__vm_new(&sys, KIT_MEMORY, &shape, false, &vm, &error);
	avd__vm_free(vm);
	return r;
}

START_TEST(a_machine_that_kvm_cannot_have_is_refused)
{
	struct limits limits = {.capability = KVM_CAP_MAX_VCPUS, .answer = 8};
	parse("1n4l3c1t"); /* twelve CPUs, the last one has the id 14 */
	ck_assert_int_eq(make_limited(&limits), -EINVAL);
	ck_assert_msg(strstr(error.text, "up to 8 CPUs, not 12"), "%s", error.text);
	limits = (struct limits){.capability = KVM_CAP_MAX_VCPU_ID, .answer = 14};
	ck_assert_int_eq(make_limited(&limits), -EINVAL);
	ck_assert_msg(strstr(error.text, "highest APIC id is 14"), "%s", error.text);
	limits.answer = 15;
	ck_assert_msg(make_limited(&limits) == 0, "%s", error.text);
	limits.answer = 0; /* a KVM from before there was such a question */
	ck_assert_msg(make_limited(&limits) == 0, "%s", error.text);
}
END_TEST

/* With interrupt chips and the largest shape: ids up to 433. */
START_TEST(the_largest_machine_is_made)
{
	struct avd__vm *vm;
	parse("1n14l9c2t");
	const int r = avd__vm_new(&avd__kvm_system, KIT_MEMORY, &shape, true, &vm, &error);
	ck_assert_msg(r == 0, "%s", error.text);
	ck_assert_msg(avd__vm_set_boot(vm, KIT_ENTRY, &error) == 0, "%s", error.text);
	struct kvm_sregs sregs;
	ck_assert_int_ge(AVD__KVM_IOCTL(&avd__kvm_system, vm->vcpus[0].fd, KVM_GET_SREGS, &sregs,
					&error),
			 0);
	ck_assert_uint_eq(sregs.apic_base & 0xfffffffffffffcff, 0xfee00c00); /* x2APIC mode */
	avd__vm_free(vm);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vmm-cpus");
	TCase *tc = tcase_create("vmm-cpus");
	tcase_set_timeout(tc, 2 * KIT_DEADLINE_MS / 1000);
	tcase_add_test(tc, each_vcpu_reads_what_was_asked_for);
	tcase_add_test(tc, a_machine_that_kvm_cannot_have_is_refused);
	tcase_add_test(tc, the_largest_machine_is_made);
	suite_add_tcase(suite, tc);
	return kit_main(suite, false);
}
