// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Broken on purpose: ends during start-up, before anything is attached. Without an
 * argument with exit status 3; with `signal` it kills itself; with `success` it exits 0,
 * the way that a CI takes for a pass. Anything else is wrong usage: 2.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	const int succeeds = strcmp(how, "success") == 0, raises = strcmp(how, "signal") == 0;
	if (argc > 2 || (*how && !succeeds && !raises)) {
		fprintf(stderr, "usage: dies_early [signal | success]\n");
		return 2;
	}
	if (succeeds)
		return EXIT_SUCCESS;
	fprintf(stderr, "cannot read the configuration\n");
	if (raises)
		raise(SIGKILL);
	return 3;
}
