/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What the BPF probe (exit_probe.bpf.h) tells init of the end of a scheduler: the kernel's
 * struct scx_exit_info. It lies in memory that both share. Fixed-width fields without
 * padding: both sides, compiled for different machines, see the same bytes.
 */
#ifndef AVD_GUEST_EXIT_RECORD_H
#define AVD_GUEST_EXIT_RECORD_H

#define AVD__EXIT_RECORD_MAP ".bss.exit"

struct avd__exit_record {
	unsigned int count; /* of ends so far; the rest is of the last one */
	unsigned int kind; /* enum scx_exit_kind */
	long long exit_code;
	char reason[128]; /* scx_exit_reason() */
	char message[1024]; /* SCX_EXIT_MSG_LEN */
	char dump[32768]; /* SCX_EXIT_DUMP_DFL_LEN */
};

#endif
