/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What the BPF probe (program_probe.bpf.c) tells init of one program's load. Fixed-width
 * fields without padding: both sides, compiled for different machines, see the same bytes.
 */
#ifndef AVD_GUEST_PROGRAM_RECORD_H
#define AVD_GUEST_PROGRAM_RECORD_H

#define AVD__PROGRAM_NAME_SIZE 16 /* BPF_OBJ_NAME_LEN */

enum {
	AVD__PROGRAM_VERIFIED = 1, /* and nothing after it: no id, the error is not known */
	AVD__PROGRAM_REJECTED = 2, /* by the verifier */
	AVD__PROGRAM_LOADED = 3,
};

struct avd__program_record {
	unsigned long long verification_ns;
	unsigned int order;
	unsigned int stage; /* of those above: what follows is set up to it */
	unsigned int type;
	unsigned int id;
	unsigned int error; /* errno */
	unsigned int verified_insns, processed_insns;
	unsigned int total_states, peak_states, max_states_per_insn;
	unsigned int stack_depth;
	unsigned int xlated_bytes, jited_bytes;
	char name[AVD__PROGRAM_NAME_SIZE];
	unsigned int pad; /* the size is a multiple of 8 */
};

#endif
