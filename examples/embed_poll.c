// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Two machines in one poll loop, with a deadline: what a program does that has a loop of its
 * own. Each boots the kernel with the program INIT as its /init, no scheduler involved.
 *
 *     cc embed_poll.c $(pkg-config --cflags --libs libattachverdict) -o embed_poll
 *     ./embed_poll SECONDS KERNEL INIT [KERNEL-ARGUMENT...]
 *
 * Exit status: 0 both guests ended by themselves, 1 not so, 2 usage, 3 could not be started.
 */
#include <attachverdict/attachverdict.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MACHINES 2

struct guest {
	int number;
	avd_machine *machine;
	uint64_t channel_bytes;
	size_t len;
	char line[256]; /* of the console, as far as it came */
};

static void print_line(struct guest *guest)
{
	printf("%d| ", guest->number);
	for (size_t i = 0; i < guest->len; i++) /* a guest may send anything */
		putchar(guest->line[i] >= ' ' && guest->line[i] <= '~' ? guest->line[i] : '.');
	putchar('\n');
	guest->len = 0;
}

static void on_console(void *userdata, const void *bytes, size_t size)
{
	struct guest *guest = userdata;
	const char *p = bytes;
	for (size_t i = 0; i < size; i++) {
		if (p[i] == '\n' || guest->len == sizeof(guest->line))
			print_line(guest);
		if (p[i] != '\n' && p[i] != '\r')
			guest->line[guest->len++] = p[i];
	}
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	struct guest *guest = userdata;
	(void)bytes;
	guest->channel_bytes += size;
	return 0;
}

static int start(struct guest *guest, const char *kernel, const char *init, const char *args)
{
	struct avd_machine_options options = AVD_OPTIONS_INIT(struct avd_machine_options);
	char error[512];
	options.kernel = kernel;
	options.init = init;
	options.kernel_args = args;
	options.memory_bytes = UINT64_C(256) << 20;
	options.on_console = on_console;
	options.on_channel = on_channel;
	options.userdata = guest;
	int r = avd_machine_new(&options, &guest->machine, error, sizeof(error));
	if (r < 0) {
		fprintf(stderr, "%s\n", error);
		return r;
	}
	r = avd_machine_start(guest->machine);
	if (r < 0)
		fprintf(stderr, "%s\n", avd_machine_error(guest->machine));
	return r;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* As poll() takes it: whole, and no more than it can hold. */
static int left_ms(int64_t deadline)
{
	const int64_t left = deadline - now_ms();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Until all have ended; at the deadline they are told to stop, and that ends them. */
static void run(struct guest *guests, int64_t deadline)
{
	struct pollfd fds[MACHINES];
	int stopped = 0, running = MACHINES;
	for (int i = 0; i < MACHINES; i++)
		fds[i] = (struct pollfd){avd_machine_fd(guests[i].machine), POLLIN, 0};
	while (running) {
		/* A signal ends the wait early, which does no harm: a step that has nothing to do
		 * does nothing. So nothing is made of what poll() returns. */
		poll(fds, MACHINES, stopped ? -1 : left_ms(deadline));
		if (!stopped && now_ms() >= deadline) {
			stopped = 1;
			for (int i = 0; i < MACHINES; i++)
				avd_machine_stop(guests[i].machine);
		}
		for (int i = 0; i < MACHINES; i++) {
			if (fds[i].fd >= 0 && avd_machine_step(guests[i].machine) <= 0) {
				fds[i].fd = -1; /* poll() leaves it out */
				running--;
			}
		}
	}
}

/* 0 if the guest ended by itself. */
static int report(struct guest *guest)
{
	struct avd_machine_stats stats = AVD_OPTIONS_INIT(struct avd_machine_stats);
	struct avd_machine_end end;
	struct avd_machine_info info;
	if (guest->len)
		print_line(guest);
	if (avd_machine_get_end(guest->machine, &end) < 0 ||
	    avd_machine_get_info(guest->machine, &info) < 0 ||
	    avd_machine_get_stats(guest->machine, &stats) < 0)
		return 1;
	printf("%d: %s (%s), ended by %s%s%s\n", guest->number, avd_machine_kind_name(info.kind),
	       info.accel, avd_end_cause_name(end.cause), *end.detail ? ": " : "", end.detail);
	printf("%d: %" PRIu64 " bytes on the channel, %" PRIu64 " ms of CPU time", guest->number,
	       guest->channel_bytes, stats.cpu_ns / 1000000);
	if (stats.valid & AVD_STAT_FIRST_INSTRUCTION)
		printf(", first instruction after %" PRIu64 " ms",
		       stats.first_instruction_ns / 1000000);
	if (stats.valid & AVD_STAT_INIT)
		printf(", first byte after %" PRIu64 " ms", stats.init_ns / 1000000);
	if (stats.valid & AVD_STAT_EXITS)
		printf(", %" PRIu64 " exits", stats.exits);
	if (stats.valid & AVD_STAT_MEMORY)
		printf(", %" PRIu64 " KiB beyond guest RAM", stats.overhead_bytes / 1024);
	puts("");
	return end.cause != AVD_END_GUEST_SHUTDOWN && end.cause != AVD_END_GUEST_RESET;
}

/* The words as one line; -1 if they don't fit. */
static int join(char **words, int count, char *line, size_t size)
{
	size_t len = 0;
	for (int i = 0; i < count; i++) {
		const int n = snprintf(line + len, size - len, "%s%s", i ? " " : "", words[i]);
		if (n < 0 || (size_t)n >= size - len)
			return -1;
		len += (size_t)n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct guest guests[MACHINES] = {{.number = 0}, {.number = 1}};
	char args[1024] = "";
	int status = 0;
	const long seconds = argc < 4 ? 0 : strtol(argv[1], NULL, 10);
	if (seconds <= 0 || seconds > INT_MAX || join(argv + 4, argc - 4, args, sizeof(args)) < 0) {
		fprintf(stderr, "usage: %s SECONDS KERNEL INIT [KERNEL-ARGUMENT...]\n", argv[0]);
		return 2;
	}
	const int64_t deadline = now_ms() + 1000 * (int64_t)seconds;
	for (int i = 0; status == 0 && i < MACHINES; i++)
		status = start(&guests[i], argv[2], argv[3], args) < 0 ? 3 : 0;
	if (status == 0) {
		run(guests, deadline);
		for (int i = 0; i < MACHINES; i++)
			status |= report(&guests[i]);
	}
	for (int i = 0; i < MACHINES; i++)
		avd_machine_free(guests[i].machine);
	return status;
}
