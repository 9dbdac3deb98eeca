/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* What the probe needs of the kernel's BTF, found quickly: see btf_scan.h. */
#ifndef AVD_GUEST_PROGRAM_BTF_H
#define AVD_GUEST_PROGRAM_BTF_H

#include <stdbool.h>

struct bpf_object;

/* From here to avd__program_btf_end() libbpf takes the probe's structures from a small BTF, whose
 * path is returned for struct bpf_object_open_opts, and the places to attach to from what was
 * found. NULL: something is not where it is looked for; libbpf can look by itself then. */
const char *avd__program_btf_begin(void);
/* After the object was opened with that path, before it is loaded. */
int avd__program_btf_prepare(struct bpf_object *object);
void avd__program_btf_end(void);

#endif
