// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/command.h"

#include <string.h>

#include "base/shell.h"
#include "sweep/plan.h"

static void quote(struct avd__buf *buf, const char *word)
{
	avd__put_shell_word(buf, word, strlen(word));
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
