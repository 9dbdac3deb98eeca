// SPDX-License-Identifier: GPL-2.0-only
/* Broken on purpose: what the verifier refuses stands behind all that it has to walk before. */
#define HEAVY_REJECT
#include "heavy.bpf.c"
