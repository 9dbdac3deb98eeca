/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Whether /dev/kvm here runs what stock kernels need. Trying takes milliseconds where KVM is
 * well, and longer where it is not, so the answer is remembered for as long as nothing can have
 * changed it: for this boot of the host, this device node, this kernel, this library.
 */
#ifndef AVD_LIB_RUNNER_ANSWER_H
#define AVD_LIB_RUNNER_ANSWER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/util.h"

struct avd__kvm_answer {
	int result; /* 0: it does; a negative errno */
	bool remembered;
	char why[512]; /* if it does not: one line, no remedy but for opening it */
};

/* Fills *ret_answer, which may tell that it could not be found out. Only what was found by running
 * instructions is remembered: neither missing rights nor a busy host. */
void avd__kvm_answer(const char *cache_dir, bool fresh, const struct avd__log *log,
		     struct avd__kvm_answer *ret_answer);

/* The file's path, to be freed with free(); -ENOENT, -ENOMEM. */
int avd__answer_path(const char *cache_dir, char **ret_path, struct avd__error *error);

/* What an answer holds for; one line. False: no /dev/kvm that may be opened. */
bool avd__answer_key(char *out, size_t size);
/* 0: *ret_answer is what the file says for this key; -ENOENT: nothing that can be used. */
int avd__answer_load(const char *path, const char *key, struct avd__kvm_answer *ret_answer);
/* Replaces the file in one step; makes its directory. */
int avd__answer_store(const char *path, const char *key, const struct avd__kvm_answer *answer,
		      struct avd__error *error);

#endif
