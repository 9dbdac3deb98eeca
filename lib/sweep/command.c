// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/command.h"

#include <string.h>

#include "base/buf.h"
#include "sweep/plan.h"

/* Characters that no shell takes for anything else. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/:=,@%"

/* What can't be shown as it is: $'...', which bash, zsh and POSIX.1-2024 know. */
static void quote_bytes(struct avd__buf *buf, const char *word)
{
	avd__buf_puts(buf, "$'");
	while (*word) {
		const size_t len = strcspn(word, "'\\");
		avd__buf_escape(buf, word, len);
		word += len;
		if (*word)
			avd__buf_printf(buf, "\\%c", *word++);
	}
	avd__buf_puts(buf, "'");
}

static int is_showable(const char *word)
{
	struct avd__buf shown = {0};
	const size_t len = strlen(word);
	avd__buf_escape(&shown, word, len);
	const int same = shown.len == len;
	avd__buf_free(&shown);
	return same;
}

/* One word in single quotes; a quote in it is written '\''. */
static void quote(struct avd__buf *buf, const char *word)
{
	if (*word && word[strspn(word, PLAIN)] == '\0') {
		avd__buf_puts(buf, word);
		return;
	}
	if (!is_showable(word)) {
		quote_bytes(buf, word);
		return;
	}
	avd__buf_puts(buf, "'");
	for (;;) {
		const size_t len = strcspn(word, "'");
		avd__buf_append(buf, word, len);
		word += len;
		if (!*word++)
			break;
		avd__buf_puts(buf, "'\\''");
	}
	avd__buf_puts(buf, "'");
}

static void option(struct avd__buf *buf, const char *name, const char *value)
{
	avd__buf_printf(buf, " --%s ", name);
	quote(buf, value);
}

int avd__plan_command(const avd_plan *plan, const struct avd_plan_cell *cell, char **ret_command)
{
	struct avd__buf buf = {0}, words = {0};
	size_t len;
	avd__buf_puts(&buf, "attachverdict run");
	option(&buf, "kernel", cell->kernel);
	option(&buf, "topology", cell->topology);
	for (size_t i = 0; i < plan->setting_count; i++)
		option(&buf, plan->settings[i].name, plan->settings[i].value);
	for (size_t i = 0; i < cell->payload_count; i++) { /* its words are quoted twice */
		avd__buf_puts(&words, i ? " " : "");
		quote(&words, cell->payload[i]);
	}
	if (cell->payload_count && words.data)
		option(&buf, "payload", words.data);
	option(&buf, "scheduler", cell->scheduler[0]);
	for (size_t i = 1; i < cell->scheduler_count; i++) {
		avd__buf_puts(&buf, i == 1 ? " -- " : " ");
		quote(&buf, cell->scheduler[i]);
	}
	if (words.error)
		buf.error = words.error;
	avd__buf_free(&words);
	return avd__buf_take(&buf, ret_command, &len);
}
