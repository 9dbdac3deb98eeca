// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * usage: noise PROGRAM [ARGS...]
 *
 * A child writes 8 MiB of random bytes with frames among them to its output and to each
 * terminal that it can open; meanwhile PROGRAM runs in this process. The frames are sound
 * ones (marks, lengths and checksums right) that claim an attach and a failure.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "forge.h"

#define NOISE_BYTES (8u << 20)
#define TTYS_MAX 64

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_next(void) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t open_ttys(int fds[TTYS_MAX])
{
	size_t count = 0;
	fds[count++] = STDOUT_FILENO;
	fds[count++] = STDERR_FILENO;
	DIR *dev = opendir("/dev");
	if (!dev)
		return count;
	for (struct dirent *entry; count < TTYS_MAX && (entry = readdir(dev));) {
		if (strncmp(entry->d_name, "tty", 3) != 0 &&
		    strcmp(entry->d_name, "console") != 0 &&
		    strncmp(entry->d_name, "hvc", 3) != 0 &&
		    strncmp(entry->d_name, "vport", 5) != 0)
			continue;
		const int fd = openat(dirfd(dev), entry->d_name, O_WRONLY | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0)
			fds[count++] = fd;
	}
	closedir(dev);
	return count;
}

static void make_noise(void)
{
	static uint8_t block[4096];
	size_t sent[TTYS_MAX] = {0};
	int fds[TTYS_MAX];
	const size_t count = open_ttys(fds);
	for (size_t busy = count; busy;) {
		for (size_t i = 0; i < sizeof(block); i += 8) {
			const uint64_t value = random_next();
			memcpy(block + i, &value, 8);
		}
		const size_t at = (size_t)(random_next() % 2048);
		forge_frames(block + at, sizeof(block) - at, (uint32_t)(random_next() % 8));
		busy = 0;
		for (size_t i = 0; i < count; i++) {
			if (sent[i] >= NOISE_BYTES)
				continue;
			busy++;
			const ssize_t n = write(fds[i], block, sizeof(block));
			if (n > 0)
				sent[i] += (size_t)n;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	const pid_t pid = fork();
	if (pid < 0)
		return 1;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_noise();
		_exit(0);
	}
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}
