// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "btf_scan.h"

#include <linux/btf.h>
#include <string.h>

/* Of later kernels than the headers this is built with may know. */
#define KIND_ENUM64 19u

struct btf_view {
	const uint8_t *types, *types_end;
	const char *strings;
	uint32_t strings_size;
};

static bool open_view(struct btf_view *view, const uint8_t *bytes, size_t size)
{
	struct btf_header head;

	if (size < sizeof(head))
		return false;
	memcpy(&head, bytes, sizeof(head));
	if (head.magic != BTF_MAGIC || head.hdr_len < sizeof(head) || head.hdr_len > size)
		return false;
	const size_t room = size - head.hdr_len;
	if (head.type_off > room || head.type_len > room - head.type_off || head.str_off > room ||
	    head.str_len > room - head.str_off || !head.str_len)
		return false;
	view->types = bytes + head.hdr_len + head.type_off;
	view->types_end = view->types + head.type_len;
	view->strings = (const char *)bytes + head.hdr_len + head.str_off;
	view->strings_size = head.str_len;
	/* So that no name can run out of it. */
	return view->strings[head.str_len - 1] == '\0';
}

static inline bool is_named(const struct btf_view *view, uint32_t offset, const char *name)
{
	/* The first letter decides most of some 300 000 comparisons. */
	return offset < view->strings_size && view->strings[offset] == *name &&
	       !strcmp(view->strings + offset, name);
}

/* Bytes behind a type's head; SIZE_MAX for a kind from the future. */
static size_t more_of(uint32_t kind, uint32_t vlen)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case KIND_ENUM64:
		return 12 * (size_t)vlen;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 8 * (size_t)vlen;
	default:
		return kind <= KIND_ENUM64 ? 0 : SIZE_MAX;
	}
}

static void take_members(const struct btf_view *view, const struct btf_type *type,
			 const uint8_t *at, struct avd__btf_struct *want)
{
	const bool bit_fields = BTF_INFO_KFLAG(type->info);

	want->size = type->size;
	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++, at += sizeof(struct btf_member)) {
		struct btf_member member;
		memcpy(&member, at, sizeof(member));
		const uint32_t bits =
			bit_fields ? BTF_MEMBER_BIT_OFFSET(member.offset) : member.offset;
		for (size_t j = 0; j < want->member_count; j++)
			if (is_named(view, member.name_off, want->members[j].name))
				want->members[j].offset = bits / 8;
	}
}

bool avd__btf_scan(const void *btf, size_t size, struct avd__btf_struct *structs,
		   size_t struct_count, struct avd__btf_function *functions, size_t function_count)
{
	struct btf_view view;
	uint32_t id = 1; /* 0 is void */

	for (size_t i = 0; i < struct_count; i++)
		for (size_t j = 0; j < structs[i].member_count; j++)
			structs[i].members[j].offset = UINT32_MAX;
	if (!open_view(&view, btf, size))
		return false;
	for (const uint8_t *at = view.types; at < view.types_end; id++) {
		struct btf_type type;
		if ((size_t)(view.types_end - at) < sizeof(type))
			return false;
		memcpy(&type, at, sizeof(type));
		at += sizeof(type);
		const uint32_t kind = BTF_INFO_KIND(type.info);
		const size_t more = more_of(kind, BTF_INFO_VLEN(type.info));
		if (more > (size_t)(view.types_end - at))
			return false;
		for (size_t i = 0; kind == BTF_KIND_STRUCT && i < struct_count; i++)
			if (!structs[i].size && is_named(&view, type.name_off, structs[i].name))
				take_members(&view, &type, at, &structs[i]);
		for (size_t i = 0; kind == BTF_KIND_FUNC && i < function_count; i++)
			if (!functions[i].id && is_named(&view, type.name_off, functions[i].name))
				functions[i].id = id;
		at += more;
	}
	for (size_t i = 0; i < struct_count; i++) {
		if (!structs[i].size)
			return false;
		for (size_t j = 0; j < structs[i].member_count; j++)
			if (structs[i].members[j].offset == UINT32_MAX)
				return false;
	}
	for (size_t i = 0; i < function_count; i++)
		if (!functions[i].id)
			return false;
	return true;
}
