/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* From what the kernel knows of a BPF program to the frame that tells it. */
#ifndef AVD_GUEST_PROGRAM_MESSAGE_H
#define AVD_GUEST_PROGRAM_MESSAGE_H

#include <attachverdict/message.h>
#include <stdbool.h>

#include "program_record.h"

struct bpf_prog_info;

/* Anybody with CAP_BPF can write to the ring: false for what is no record. Numbers are taken
 * as they are; they are information. The name in the message points into `record`. */
bool avd__program_message(const struct avd__program_record *record,
			  struct avd_message *ret_message);
/* The figures that the kernel keeps; `order` is the caller's count. */
void avd__program_info_message(const struct bpf_prog_info *info, uint32_t order,
			       struct avd_message *ret_message);

#endif
