/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
#ifndef AVD_TESTS_QEMU_PORT_INIT_H
#define AVD_TESTS_QEMU_PORT_INIT_H

/* More than the socket between QEMU and us holds. */
#define PORT_INIT_BYTES 300000u

#endif
