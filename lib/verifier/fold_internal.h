/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Shared between the folding and the printing. */
#ifndef AVD_LIB_VERIFIER_FOLD_INTERNAL_H
#define AVD_LIB_VERIFIER_FOLD_INTERNAL_H

#include "verifier/fold.h"

enum fold_record_kind {
	FOLD_TEXT = 0,
	FOLD_LOOP = 1, /* stands before its body */
};

struct avd__fold_record {
	uint32_t kind; /* enum fold_record_kind */
	uint32_t size; /* TEXT: bytes; LOOP: records of the body */
	uint32_t least, most; /* LOOP: iterations of one visit */
	uint64_t at; /* TEXT: offset; LOOP: all iterations of all visits */
	uint64_t more; /* TEXT: bytes that were cut; LOOP: lines that it stands for */
};

#endif
