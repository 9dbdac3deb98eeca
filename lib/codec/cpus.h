/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The table of CPUs in a topology message: records of fixed width, one an online CPU. */
#ifndef AVD_LIB_CODEC_CPUS_H
#define AVD_LIB_CODEC_CPUS_H

#include <attachverdict/message.h>

#define AVD__CPU_RECORD_SIZE 12u /* six uint16 in network order */

/* Writes one record to out[0..AVD__CPU_RECORD_SIZE). */
void avd__cpus_put(uint8_t *out, const struct avd_topology_cpu *cpu);

#endif
