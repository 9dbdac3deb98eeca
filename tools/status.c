// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* Often enough to be seen to move, seldom enough to cost nothing over a slow line. */
#define REDRAW_NS UINT64_C(200000000)
#define SECOND_NS UINT64_C(1000000000)
#define CLEAR_LINE "\r\033[K"

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static double seconds(uint64_t ns)
{
	return (double)ns / (double)SECOND_NS;
}

static void clear(struct status *status)
{
	if (status->drawn)
		fputs(CLEAR_LINE, stderr);
	status->drawn = 0;
}

static void draw(struct status *status)
{
	char line[256];
	const uint64_t now = now_ns();

	snprintf(line, sizeof(line), "%s%s, %.1f s (%.1f s in all)%s", status->prefix,
		 status->phase, seconds(now - status->phase_ns), seconds(now - status->started_ns),
		 *status->interrupted ? "; stopping, Ctrl-C again ends at once" : "");
	fprintf(stderr, CLEAR_LINE "%.*s", cli_columns(stderr) - 1, line);
	fflush(stderr);
	status->drawn = 1;
}

static void *redraw(void *userdata)
{
	struct status *status = userdata;
	pthread_mutex_lock(&status->lock);
	while (!status->ending) {
		draw(status);
		const uint64_t next = now_ns() + REDRAW_NS;
		const struct timespec until = {
			.tv_sec = (time_t)(next / SECOND_NS),
			.tv_nsec = (long)(next % SECOND_NS),
		};
		pthread_cond_timedwait(&status->wake, &status->lock, &until);
	}
	clear(status);
	fflush(stderr);
	pthread_mutex_unlock(&status->lock);
	return NULL;
}

/* Signals are the main thread's business: they interrupt what it waits in. */
static int start_thread(struct status *status)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	const int r = pthread_create(&status->thread, NULL, redraw, status);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

void status_start(struct status *status, int verbose, const char *prefix,
		  const volatile sig_atomic_t *interrupted)
{
	pthread_condattr_t attr;

	*status = (struct status){
		.verbose = verbose,
		.phase = "preparing: the command line is read",
		.prefix = prefix,
		.interrupted = interrupted,
		.started_ns = now_ns(),
	};
	status->phase_ns = status->started_ns;
	pthread_mutex_init(&status->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&status->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (cli_may_redraw(stderr))
		status->have_thread = start_thread(status) == 0;
}

static void note(struct status *status, const char *text, size_t len)
{
	clear(status);
	fprintf(stderr, "[%8.3f] ", seconds(now_ns() - status->started_ns));
	cli_print_clean(stderr, text, len);
	fputc('\n', stderr);
}

void status_phase(struct status *status, const char *text)
{
	pthread_mutex_lock(&status->lock);
	status->phase = text;
	status->phase_ns = now_ns();
	if (status->verbose)
		note(status, text, strlen(text));
	if (status->have_thread)
		draw(status);
	pthread_mutex_unlock(&status->lock);
}

void status_note(struct status *status, const char *text, size_t len)
{
	pthread_mutex_lock(&status->lock);
	note(status, text, len);
	if (status->have_thread)
		draw(status);
	pthread_mutex_unlock(&status->lock);
}

uint64_t status_elapsed(struct status *status)
{
	return now_ns() - status->started_ns;
}

void status_end(struct status *status)
{
	if (status->have_thread) {
		pthread_mutex_lock(&status->lock);
		status->ending = 1;
		pthread_cond_signal(&status->wake);
		pthread_mutex_unlock(&status->lock);
		pthread_join(status->thread, NULL);
	}
	pthread_cond_destroy(&status->wake);
	pthread_mutex_destroy(&status->lock);
}
