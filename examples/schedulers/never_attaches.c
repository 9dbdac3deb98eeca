// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Broken on purpose: says that it runs, and attaches nothing, for ever. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		fputs("usage: never_attaches\n", stderr);
		return 2;
	}
	puts("scheduler running");
	fflush(stdout);
	for (;;)
		pause();
}
