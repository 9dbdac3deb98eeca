// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/base.h>
#include <stdlib.h>

#define TEXT(x) #x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *avd_version(void)
{
	return DOTTED(AVD_VERSION_MAJOR, AVD_VERSION_MINOR, AVD_VERSION_PATCH);
}

void avd_free(void *memory)
{
	free(memory);
}
