// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The program that the verifier refused, for the report's first line: from the end of the
 * scheduler's output that was kept, which has the verifier's words even where the start of the log
 * is long gone.
 */
#include <attachverdict/verifier.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/text.h"

/* The last one that was refused and of which words are known. */
static int find_refused(const avd_verifier *verifier, struct avd_program *ret)
{
	for (uint32_t i = avd_verifier_program_count(verifier); i-- > 0;) {
		if (avd_verifier_program(verifier, i, sizeof(*ret), ret) == 0 &&
		    ret->verdict == AVD_PROGRAM_FAILURE && ret->message.len)
			return 1;
	}
	return 0;
}

/* libbpf names the program once more behind the log; else the frames do. */
static const char *name_of(const struct avd__evidence *ev, const struct avd_program *refused)
{
	if (refused->name.len)
		return refused->name.data;
	for (uint32_t i = ev->program_count; i-- > 0;) {
		if (ev->programs[i].figures.error && *ev->programs[i].name)
			return ev->programs[i].name;
	}
	return NULL;
}

static void put_refused(struct avd__buf *out, const struct avd__evidence *ev,
			const struct avd_program *refused)
{
	const char *name = name_of(ev, refused);
	avd__buf_puts(out, name ? "program '" : "a program");
	if (name)
		avd__buf_printf(out, "%s'", name);
	if (refused->failing_insn >= 0)
		avd__buf_printf(out, " insn %" PRId64, refused->failing_insn);
	avd__buf_printf(out, ": %s", refused->message.data);
}

/* 1 if the output tells of a refusal. */
static int put_from(struct avd__buf *out, const struct avd__evidence *ev, uint32_t stream)
{
	avd_verifier *verifier = NULL;
	struct avd_program refused;
	char *bytes = malloc(AVD__EVIDENCE_TAIL);
	int r = bytes ? avd_verifier_new(NULL, &verifier) : -ENOMEM;
	if (r == 0)
		r = avd_verifier_feed(verifier, bytes, avd__tail_copy(&ev->output[stream], bytes));
	if (r == 0)
		r = avd_verifier_finish(verifier);
	if (r == 0 && find_refused(verifier, &refused)) {
		put_refused(out, ev, &refused);
		r = out->error ? out->error : 1;
	}
	avd_verifier_free(verifier);
	free(bytes);
	return r;
}

int avd__put_refusal(struct avd__buf *out, const struct avd__evidence *ev)
{
	static const uint32_t streams[] = {AVD_STREAM_SCHEDULER_STDERR,
					   AVD_STREAM_SCHEDULER_STDOUT};
	int r = 0;
	for (size_t i = 0; i < 2 && r == 0; i++) {
		if (ev->output[streams[i]].total)
			r = put_from(out, ev, streams[i]);
	}
	return r;
}
