// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define STDIN_CHUNK ((size_t)64 * 1024)
/* A recording that comes through a pipe may be as long as one in a file. */
#define STDIN_MAX (UINT64_C(1) << 30)

/* The cell frame comes first, and no frame is larger. */
#define FIRST_FRAME_MAX (UINT64_C(2) << 20)

/* Set once the first event of the stream was seen: a recording starts with its cell frame. */
struct first_event {
	int seen, is_cell;
};

static void look_at_first(void *userdata, const struct avd_event *event)
{
	struct first_event *first = userdata;
	if (!first->seen)
		first->is_cell = event->type == AVD_EVENT_FRAME && event->offset == 0 &&
				 event->message && event->message->kind == AVD_MSG_CELL;
	first->seen = 1;
}

static int read_stdin(avd_stream *stream, const struct first_event *first)
{
	static char chunk[STDIN_CHUNK];
	uint64_t total = 0;
	for (;;) {
		const ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_error("cannot read standard input: %s", strerror(errno));
		if (n == 0 || (first->seen ? !first->is_cell : total > FIRST_FRAME_MAX))
			break;
		total += (uint64_t)n;
		const int r =
			total > STDIN_MAX ? -EFBIG : avd_stream_feed(stream, chunk, (size_t)n);
		if (r < 0)
			return cli_error("cannot judge standard input: %s", strerror(-r));
	}
	avd_stream_finish(stream);
	if (!first->is_cell)
		return cli_error("standard input is no recording: it does not start with what was "
				 "asked; give it a file that '" CLI_NAME " run --record' wrote");
	return 0;
}

static int replay_stdin(uint32_t format, int verbose)
{
	struct first_event first = {0};
	struct avd_stream_options options = AVD_OPTIONS_INIT(struct avd_stream_options);
	avd_stream *stream;
	options.flags = AVD_STREAM_RECORDING;
	options.on_event = look_at_first;
	options.userdata = &first;
	const int r = avd_stream_new(&options, &stream);
	if (r < 0)
		return cli_error("cannot read standard input: %s", strerror(-r));
	int code = read_stdin(stream, &first);
	if (code == 0)
		code = cli_print_report(stream, format, verbose);
	avd_stream_free(stream);
	return code;
}

static int replay(const char *path, uint32_t format, int verbose)
{
	avd_stream *stream;
	char error[1024];
	if (avd_recording_read(path, &stream, error, sizeof(error)) < 0)
		return cli_error("%s", error);
	const int code = cli_print_report(stream, format, verbose);
	avd_stream_free(stream);
	return code;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *path = NULL;
	uint32_t format = CLI_TEXT;
	int code, id, verbose = 0;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		switch (id) {
		case CLI_OPTION_STOP:
			return code;
		case 'v':
			verbose = 1;
			break;
		case 'f':
			if (cli_parse_format(command, value, &format))
				return CLI_USAGE;
			break;
		default:
			if (path)
				return cli_usage(command, "replay: one recording at a time");
			path = value;
		}
	}
	if (!path)
		return cli_usage(command, "replay: no recording was named");
	return strcmp(path, "-") == 0 ? replay_stdin(format, verbose)
				      : replay(path, format, verbose);
}

static const struct cli_option options[] = {
	{'f', "format", "text|json", "form of the report [text]"},
	{'v', "verbose", NULL, "show all evidence that was kept"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_replay = {
	.name = "replay",
	.usage = "[OPTION]... FILE",
	.summary = "give the verdict again, from a recording alone",
	.about = "Derives the verdict of a recording again and prints its report.\n"
		 "FILE was written by '" CLI_NAME " run --record'; '-' is standard input.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.more = "\nExit status: 0 passed; 1 failed, with a verdict; 2 wrong usage; 3 no recording",
	.run = run,
};
