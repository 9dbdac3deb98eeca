// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * What no child of init may do. Schedulers keep what theirs is: CAP_BPF, CAP_PERFMON,
 * CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE, CAP_NET_ADMIN ...
 */
#include <linux/capability.h>
#include <sys/io.h>
#include <sys/prctl.h>

#include "child.h"

static const int dropped[] = {
	CAP_SYS_RAWIO, /* I/O ports, /dev/mem, /dev/port: the channel */
	CAP_SYS_PTRACE, /* the memory and fds of init: the nonce */
	CAP_SYS_MODULE, /* code in the kernel */
	CAP_MKNOD, /* other ways to the devices */
	CAP_SYS_BOOT, /* reboot() would look like a machine that crashed */
};

int avd__drop_privileges(void)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (prctl(PR_CAPBSET_DROP, dropped[i], 0, 0, 0) < 0)
			return -1;
	/* I/O permissions of init's are inherited through fork() and execve(). Those that
	 * were never given can be taken as well. */
	return ioperm(0, 65536, 0);
}
