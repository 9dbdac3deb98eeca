/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a machine needs to know of QEMU's monitor (QMP, docs/interop/qmp-spec): one JSON object
 * a line, of which four strings matter. Not a JSON reader: it finds those strings at their place
 * in the structure, skips the rest, keeps a bounded line and never recurses.
 */
#ifndef AVD_LIB_QEMU_QMP_H
#define AVD_LIB_QEMU_QMP_H

#include <stdbool.h>
#include <stddef.h>

/* QEMU's longest event of those we care for has 150 bytes; a longer line is skipped. */
#define AVD__QMP_LINE_MAX 4096u
/* Longest string kept: names of events and reasons have at most 30 bytes, errors a sentence. */
#define AVD__QMP_STRING_MAX 160u

struct avd__qmp_line {
	bool greeting; /* has "QMP" */
	char event[AVD__QMP_STRING_MAX]; /* "event" */
	char reason[AVD__QMP_STRING_MAX]; /* "data": {"reason"} */
	char error[AVD__QMP_STRING_MAX]; /* "error": {"desc"} */
};

struct avd__qmp {
	char line[AVD__QMP_LINE_MAX];
	size_t len;
	bool skipping; /* in a line that is too long */
};

/* 0, or -1 if the line is not one JSON object (as far as this looks): *ret_line is then
 * untouched. Strings longer than their place are cut. */
int avd__qmp_parse(const char *text, size_t len, struct avd__qmp_line *ret_line);

/* Takes bytes as they come; calls fn for each sound line. */
void avd__qmp_feed(struct avd__qmp *qmp, const void *bytes, size_t size,
		   void (*fn)(void *userdata, const struct avd__qmp_line *line), void *userdata);

/* What we say to QEMU: events on, then run. Sent before it starts, so that the guest's first
 * instruction comes after both. */
extern const char avd__qmp_hello[];

#endif
