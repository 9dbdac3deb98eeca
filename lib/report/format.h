/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Figures and names as people read them. */
#ifndef AVD_LIB_REPORT_FORMAT_H
#define AVD_LIB_REPORT_FORMAT_H

#include "base/buf.h"

/* "412 ms", "2.41 s", "312 s" */
void avd__put_duration(struct avd__buf *out, uint64_t ns);
/* "812 B", "5.1 KiB", "1 GiB" */
void avd__put_size(struct avd__buf *out, uint64_t bytes);
/* Items joined by NUL (the last one may lack its own), escaped, as a shell would take them. */
void avd__put_command(struct avd__buf *out, const char *items, size_t len);
/* "signal 11 (SIGSEGV)" */
void avd__put_signal(struct avd__buf *out, uint32_t number);
/* "No such file or directory (ENOENT)" */
void avd__put_errno(struct avd__buf *out, uint32_t number);
/* The kernel's enum scx_exit_kind in words, NULL for a number that is not known here
 * (kernel/sched/ext_internal.h; equal in 6.12 to 7.3). */
const char *avd__exit_kind_name(uint64_t kind);
/* "quick" or "full"; NULL: not told. */
const char *avd__dispatch_mode_name(uint32_t mode);
/* enum avd_payload_end: "itself", "time-limit", "scheduler-gone". */
const char *avd__payload_end_name(uint32_t ended_by);
/* CPUs of the bits that are not set in bits[0..count): "0-3,7". Nothing if all are. */
void avd__put_missing_cpus(struct avd__buf *out, const uint8_t *bits, uint32_t count);

#endif
