/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Mutexes that outlive their holder: a vCPU's thread that its seccomp filter killed must not
 * leave the caller waiting for ever. What they protect is sound at every instant, so the next
 * one to come just goes on; the machine ends anyway (confine.c).
 */
#ifndef AVD_LIB_VMM_LOCK_H
#define AVD_LIB_VMM_LOCK_H

#include <errno.h>
#include <pthread.h>

static inline int avd__lock_init(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;
	int r = pthread_mutexattr_init(&attributes);
	if (r == 0)
		r = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (r == 0)
		r = pthread_mutex_init(mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return -r;
}

static inline void avd__lock(pthread_mutex_t *mutex)
{
	if (pthread_mutex_lock(mutex) == EOWNERDEAD)
		pthread_mutex_consistent(mutex);
}

static inline void avd__unlock(pthread_mutex_t *mutex)
{
	pthread_mutex_unlock(mutex);
}

static inline void avd__lock_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	if (pthread_cond_wait(condition, mutex) == EOWNERDEAD)
		pthread_mutex_consistent(mutex);
}

#endif
