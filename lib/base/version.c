// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/base.h>
#include <stdlib.h>

#define TEXT(x) #x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *avd_version(void)
{
	return DOTTED(AVD_VERSION_MAJOR, AVD_VERSION_MINOR, AVD_VERSION_PATCH);
}

const char *avd_features(void)
{
	return "machines kvm qemu; carriers serial window; kernels gzip lz4 lzma xz zstd; "
	       "init with libbpf " AVD__INIT_LIBBPF;
}

void avd_free(void *memory)
{
	free(memory);
}
