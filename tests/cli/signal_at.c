// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Preloaded into the command, so that a signal comes at a moment that nobody meets by chance, as
 * $AVD_SIGNAL_AT says: right before or right behind the making of its second cell, or when a
 * sweep's cell has ended of itself and is not judged yet.
 */
#include <attachverdict/cell.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void raise_at(const char *moment)
{
	const char *wanted = getenv("AVD_SIGNAL_AT");
	if (wanted && strcmp(wanted, moment) == 0)
		raise(SIGINT);
}

int avd_cell_new(const struct avd_cell_options *options, avd_cell **ret_cell, char *error,
		 size_t error_size)
{
	static int (*next)(const struct avd_cell_options *, avd_cell **, char *, size_t);
	static int calls;
	calls++;
	*(void **)&next = dlsym(RTLD_NEXT, "avd_cell_new");
	if (calls == 2)
		raise_at("before");
	const int r = next(options, ret_cell, error, error_size);
	if (calls == 2)
		raise_at("behind");
	return r;
}

int pthread_join(pthread_t thread, void **ret_value)
{
	static int (*next)(pthread_t, void **);
	*(void **)&next = dlsym(RTLD_NEXT, "pthread_join");
	const int r = next(thread, ret_value);
	struct sigaction now;
	sigaction(SIGINT, NULL, &now);
	if (now.sa_handler != SIG_DFL) /* the sweep has begun */
		raise_at("join");
	return r;
}
