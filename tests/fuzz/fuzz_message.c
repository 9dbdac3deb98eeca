// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Bytes as a message. What the decoder takes must encode, decode to the same fields,
 * and then encode to the same bytes; all views lie inside the input.
 */
#include <string.h>

#include "codec/cpus.h"
#include "codec/frame.h"
#include "codec_samples.h"
#include "fuzz.h"

static void check_inside(const void *view, size_t len, const uint8_t *bytes, size_t size)
{
	const uint8_t *start = view;
	if (len)
		FUZZ_CHECK(start >= bytes && len <= size &&
			   start - bytes <= (ptrdiff_t)(size - len));
}

static void check_strv(struct avd_strv strv)
{
	const uint32_t count = strv.count;
	struct avd_str item;
	uint32_t seen = 0;
	while (avd_strv_next(&strv, &item))
		seen++;
	FUZZ_CHECK(seen == count && strv.cbor.len == 0);
}

/* Written anew, the CPUs of a table are the bytes that they were read from. */
static void check_cpus(struct avd_bytes table)
{
	struct avd_bytes left = table;
	struct avd_topology_cpu cpu;
	uint8_t again[AVD__CPU_RECORD_SIZE];
	for (size_t at = 0; avd_topology_next(&left, &cpu); at += sizeof(again)) {
		avd__cpus_put(again, &cpu);
		FUZZ_CHECK(memcmp(again, table.data + at, sizeof(again)) == 0);
	}
	FUZZ_CHECK(left.len < sizeof(again));
}

static void check_fields(const struct avd_message *message, const uint8_t *bytes, size_t size)
{
	const struct avd__kind *kind = avd__kind_find(message->kind);
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct avd__field *field = &kind->fields[i];
		const void *at = (const char *)message + field->offset;
		const struct avd_bytes *view = at; /* texts and lists start with one too */
		if (field->type < AVD__FIELD_TEXT)
			continue;
		check_inside(view->data, view->len, bytes, size);
		if (field->type == AVD__FIELD_STRV)
			check_strv(*(const struct avd_strv *)at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* More than the input: a text from a byte string may grow by its head alone, and
	 * fields that were left out are written. */
	static uint8_t first[AVD__FRAME_MAX], second[AVD__FRAME_MAX];
	struct avd_message message, again;
	if (size > AVD__FRAME_PAYLOAD_MAX / 2)
		return 0;
	const enum avd__message_status status = avd__message_decode(bytes, size, &message);
	if (status == AVD__MESSAGE_UNKNOWN_KIND)
		FUZZ_CHECK(!avd__message_encode(&message, first, sizeof(first)));
	if (status != AVD__MESSAGE_OK)
		return 0;
	check_fields(&message, bytes, size);
	if (message.kind == AVD_MSG_TOPOLOGY)
		check_cpus(message.u.topology.cpus);
	const size_t first_size = avd__message_encode(&message, first, sizeof(first));
	FUZZ_CHECK(first_size);
	FUZZ_CHECK(avd__message_decode(first, first_size, &again) == AVD__MESSAGE_OK);
	FUZZ_CHECK(sample_equal(&message, &again));
	const size_t second_size = avd__message_encode(&again, second, sizeof(second));
	FUZZ_CHECK(second_size == first_size && memcmp(first, second, first_size) == 0);
	return 0;
}
