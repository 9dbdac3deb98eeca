// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Broken on purpose: says that it runs, and attaches nothing, for ever. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	puts("scheduler running");
	fflush(stdout);
	for (;;)
		pause();
}
