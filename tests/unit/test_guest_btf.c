// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The one pass over a kernel's BTF: finds what is there, and survives what is broken. */
#include <bpf/btf.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "btf_scan.h"
#include "run_suite.h"

static struct avd__btf_member members[3];
static struct avd__btf_struct structs[2];
static struct avd__btf_function functions[2];

static void want(void)
{
	members[0] = (struct avd__btf_member){"first", 0};
	members[1] = (struct avd__btf_member){"third", 0};
	members[2] = (struct avd__btf_member){"inner", 0};
	structs[0] = (struct avd__btf_struct){"outer", members, 2, 0};
	structs[1] = (struct avd__btf_struct){"other", members + 2, 1, 0};
	functions[0] = (struct avd__btf_function){"call", 0};
	functions[1] = (struct avd__btf_function){"callee", 0};
}

static bool scan(const void *bytes, size_t size)
{
	want();
	return avd__btf_scan(bytes, size, structs, 2, functions, 2);
}

/* One of each kind, so that each one's length counts. Returns it; *ret_call is an id in it. */
static struct btf *make(int *ret_call)
{
	struct btf *btf = btf__new_empty();
	const int u32 = btf__add_int(btf, "unsigned int", 4, 0);
	const int pointer = btf__add_ptr(btf, u32);
	btf__add_array(btf, u32, pointer, 7);
	btf__add_enum(btf, "letters", 4);
	btf__add_enum_value(btf, "A", 1);
	btf__add_enum_value(btf, "B", 2);
	btf__add_enum64(btf, "wide", 8, false);
	btf__add_enum64_value(btf, "WIDE", UINT64_MAX);
	btf__add_union(btf, "either", 4);
	btf__add_field(btf, "inner", u32, 0, 0);
	btf__add_fwd(btf, "later", BTF_FWD_STRUCT);
	btf__add_typedef(btf, "call", u32); /* of another kind: not what is meant */
	btf__add_const(btf, u32);
	btf__add_volatile(btf, u32);
	btf__add_restrict(btf, pointer);
	btf__add_float(btf, "double", 8);
	btf__add_type_tag(btf, "user", u32);
	btf__add_struct(btf, "outer", 24);
	btf__add_field(btf, "first", u32, 0, 0);
	btf__add_field(btf, "bits", u32, 37, 3); /* makes all offsets of it bit fields' */
	btf__add_field(btf, "third", pointer, 128, 0);
	btf__add_struct(btf, "other", 8);
	btf__add_field(btf, "inner", u32, 32, 0);
	const int proto = btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, "x", u32);
	btf__add_func_param(btf, "y", pointer);
	*ret_call = btf__add_func(btf, "call", BTF_FUNC_GLOBAL, proto);
	btf__add_decl_tag(btf, "kfunc", *ret_call, -1);
	btf__add_var(btf, "variable", BTF_VAR_STATIC, u32);
	btf__add_func(btf, "callee", BTF_FUNC_STATIC, proto);
	return btf;
}

START_TEST(finds_what_is_there)
{
	int call;
	uint32_t size;
	struct btf *btf = make(&call);
	const void *bytes = btf__raw_data(btf, &size);
	ck_assert(scan(bytes, size));
	ck_assert_uint_eq(structs[0].size, 24);
	ck_assert_uint_eq(members[0].offset, 0);
	ck_assert_uint_eq(members[1].offset, 16);
	ck_assert_uint_eq(members[2].offset, 4);
	ck_assert_uint_eq(functions[0].id, (uint32_t)call);
	ck_assert_uint_eq(functions[1].id,
			  (uint32_t)btf__find_by_name_kind(btf, "callee", BTF_KIND_FUNC));
	btf__free(btf);
}
END_TEST

START_TEST(says_when_something_is_missing)
{
	int call;
	uint32_t size;
	struct btf *btf = make(&call);
	const void *bytes = btf__raw_data(btf, &size);
	const char **const names[] = {&structs[0].name, &members[1].name, &members[2].name,
				      &functions[1].name};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		want();
		*names[i] = "missing";
		ck_assert(!avd__btf_scan(bytes, size, structs, 2, functions, 2));
	}
	btf__free(btf);
}
END_TEST

/* Cut anywhere, or with any byte changed: an answer, and nothing read outside. */
START_TEST(broken_bytes)
{
	int call;
	uint32_t size, found = 0;
	struct btf *btf = make(&call);
	const void *bytes = btf__raw_data(btf, &size);
	for (uint32_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1); /* of just this size, for ASan */
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes, cut);
		ck_assert(!scan(copy, cut));
		free(copy);
	}
	uint8_t *copy = malloc(size);
	ck_assert_ptr_nonnull(copy);
	for (uint32_t at = 0; at < size; at++) {
		for (unsigned int change = 1; change < 256; change <<= 1) {
			memcpy(copy, bytes, size);
			copy[at] = (uint8_t)(copy[at] ^ change);
			found += scan(copy, size);
		}
	}
	ck_assert_uint_gt(found, 0); /* some names do not matter */
	free(copy);
	btf__free(btf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-btf");
	TCase *tc = tcase_create("scan");
	tcase_add_test(tc, finds_what_is_there);
	tcase_add_test(tc, says_when_something_is_missing);
	tcase_add_test(tc, broken_bytes);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
