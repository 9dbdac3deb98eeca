/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Finds a handful of structures and functions in a kernel's BTF (Documentation/bpf/btf.rst) in
 * one pass. libbpf indexes and checks all 120 000 types of it and then looks for each name anew,
 * which takes an emulated machine some hundred milliseconds; here it is a twentieth.
 */
#ifndef AVD_GUEST_BTF_SCAN_H
#define AVD_GUEST_BTF_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct avd__btf_function {
	const char *name;
	uint32_t id; /* found; 0: not */
};

struct avd__btf_member {
	const char *name; /* a direct member, no bit field */
	uint32_t offset; /* found, bytes; UINT32_MAX: not */
};

struct avd__btf_struct {
	const char *name;
	struct avd__btf_member *members;
	size_t member_count;
	uint32_t size; /* found, bytes; 0: not */
};

/* Fills in what is asked for. True if all of it was found. */
bool avd__btf_scan(const void *btf, size_t size, struct avd__btf_struct *structs,
		   size_t struct_count, struct avd__btf_function *functions, size_t function_count);

#endif
