// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/verifier.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "verifier/log.h"

/* Text of collapsed logs: some 200,000 lines, far more than a reader wants. */
#define KEEP_LIMIT ((uint64_t)16 << 20)
/* More could not be allocated on a small machine, and overflow nothing on a large one. */
#define KEEP_LIMIT_MAX ((uint64_t)1 << 30)

enum { TEXT_FED, TEXT_STDOUT, TEXT_STDERR, TEXT_COUNT };

int avd_verifier_new(const struct avd_verifier_options *options, avd_verifier **ret_verifier)
{
	struct avd_verifier_options known = {0};
	const size_t least = offsetof(struct avd_verifier_options, flags);
	const int r = options ? avd__options_copy(&known, sizeof(known), options, least) : 0;
	if (r < 0)
		return r;
	if (!ret_verifier || known.flags || known.keep_limit > KEEP_LIMIT_MAX ||
	    known.tail_lines > AVD__TAIL_LINES_MAX / 2)
		return -EINVAL;
	avd_verifier *verifier = calloc(1, sizeof(*verifier));
	if (!verifier)
		return -ENOMEM;
	verifier->options = known;
	if (!known.tail_lines)
		verifier->options.tail_lines = AVD__TAIL_LINES;
	const uint64_t keep = known.keep_limit ? known.keep_limit : KEEP_LIMIT;
	if (avd__fold_budget_init(&verifier->budget, (size_t)keep) < 0) {
		free(verifier);
		return -ENOMEM;
	}
	*ret_verifier = verifier;
	return 0;
}

void avd_verifier_free(avd_verifier *verifier)
{
	if (!verifier)
		return;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		avd__text_free(verifier, &verifier->texts[i]);
	for (uint32_t i = 0; i < verifier->count; i++)
		avd__program_free(&verifier->programs[i]);
	free(verifier->programs);
	avd__fold_budget_free(&verifier->budget);
	free(verifier);
}

static int feed(avd_verifier *verifier, size_t text, const void *bytes, size_t size)
{
	if (verifier->finished)
		return -EINVAL;
	if (!verifier->error)
		verifier->error = avd__text_feed(verifier, &verifier->texts[text], bytes, size);
	return verifier->error;
}

int avd_verifier_feed(avd_verifier *verifier, const void *bytes, size_t size)
{
	if (!verifier || (!bytes && size))
		return -EINVAL;
	return feed(verifier, TEXT_FED, bytes, size);
}

static void take_origin(avd_verifier *verifier, struct avd_strv scheduler)
{
	struct avd_str path;
	if (avd_strv_next(&scheduler, &path) <= 0)
		return;
	const char *slash = path.data && path.len ? memrchr(path.data, '/', path.len) : NULL;
	if (slash) {
		path.len -= (size_t)(slash + 1 - path.data);
		path.data = slash + 1;
	}
	if (path.len)
		avd__escape(verifier->origin, sizeof(verifier->origin), path.data, path.len);
}

const char *avd_verifier_origin(const avd_verifier *verifier)
{
	return verifier && *verifier->origin ? verifier->origin : "log";
}

int avd_verifier_feed_message(avd_verifier *verifier, const struct avd_message *message)
{
	if (!verifier || !message || verifier->finished)
		return -EINVAL;
	const struct avd_msg_log *log = &message->u.log;
	if (message->kind == AVD_MSG_LOG && log->stream == AVD_STREAM_SCHEDULER_STDOUT)
		return feed(verifier, TEXT_STDOUT, log->bytes.data, log->bytes.len);
	if (message->kind == AVD_MSG_LOG && log->stream == AVD_STREAM_SCHEDULER_STDERR)
		return feed(verifier, TEXT_STDERR, log->bytes.data, log->bytes.len);
	if (message->kind == AVD_MSG_CELL)
		take_origin(verifier, message->u.cell.scheduler);
	if (message->kind == AVD_MSG_PROGRAM && !verifier->error)
		verifier->error = avd__program_message(verifier, &message->u.program);
	return verifier->error;
}

int avd_verifier_finish(avd_verifier *verifier)
{
	if (!verifier)
		return -EINVAL;
	for (size_t i = 0; i < TEXT_COUNT && !verifier->finished && !verifier->error; i++)
		verifier->error = avd__text_finish(verifier, &verifier->texts[i]);
	if (!verifier->finished && !verifier->error)
		avd__programs_join(verifier);
	verifier->finished = 1;
	return verifier->error;
}

uint32_t avd_verifier_program_count(const avd_verifier *verifier)
{
	return verifier ? verifier->count : 0;
}

uint64_t avd_verifier_programs_lost(const avd_verifier *verifier)
{
	return verifier ? verifier->lost : 0;
}

static struct avd_str view(const char *text)
{
	return (struct avd_str){text ? text : "", text ? strlen(text) : 0};
}

int avd_verifier_program(const avd_verifier *verifier, uint32_t index, size_t size,
			 struct avd_program *ret_program)
{
	if (!verifier || !ret_program)
		return -EINVAL;
	if (index >= verifier->count)
		return -ENOENT;
	const struct avd__verified *program = &verifier->programs[index];
	struct avd_program told = program->told;
	told.name = view(program->name);
	told.type = view(avd_program_type_name(told.prog_type));
	told.message = view(program->message);
	told.failing_code = view(program->code);
	told.failing_source = view(program->source);
	memcpy(ret_program, &told, size < sizeof(told) ? size : sizeof(told));
	return 0;
}

int avd_verifier_collapsed(const avd_verifier *verifier, uint32_t index, avd_verifier_text_fn fn,
			   void *userdata)
{
	if (!verifier || !fn || !verifier->finished)
		return -EINVAL;
	if (index >= verifier->count)
		return -ENOENT;
	return avd__fold_print(&verifier->programs[index].fold, fn, userdata);
}
