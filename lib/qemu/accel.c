// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Whether /dev/kvm can run a stock kernel. There are software-only ones that open, make machines
 * and then stop at the first instruction that they don't know; so the answer comes from running,
 * in a tiny guest, instructions that stock kernels use early.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qemu/find.h"

const char *avd__qemu_choose_accel(char *why, size_t why_size)
{
	snprintf(why, why_size, "not probed yet");
	return "tcg";
}
