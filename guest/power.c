// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "power.h"

#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "text.h"

_Noreturn void avd__power_off(void)
{
	/* No sync(): the guest has no disk, and sync() waits for kernel threads that a stalled
	 * scheduler may be holding up. */
	reboot(RB_POWER_OFF);
	/* A kernel that can't power off returns or halts; a reset ends the machine too. */
	reboot(RB_AUTOBOOT);
	/* PID 1 must not return: the panic that follows is an end as well. */
	_exit(1);
}

void avd__console(const char *line)
{
	/* O_NONBLOCK: a terminal whose output was stopped must not stop init. */
	const int fd = open("/dev/console", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char bytes[520];
	struct avd__text text = avd__text_on(bytes, sizeof(bytes));

	/* Level 1 (alert) is shown on the console even with "quiet". */
	avd__text_add(&text, "<1>attachverdict-init: %s\n", line);
	const ssize_t n = fd < 0 ? -1 : write(fd, text.data + 3, text.len - 3);
	if (fd >= 0)
		close(fd);
	if (n > 0)
		return;
	const int kmsg = open("/dev/kmsg", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		return;
	(void)!write(kmsg, text.data, text.len); /* nobody else is left to tell */
	close(kmsg);
}
