/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The end of the machine, and the console for when the channel can't tell why. */
#ifndef AVD_GUEST_POWER_H
#define AVD_GUEST_POWER_H

/* ACPI power-off, which the host tells apart from the reset of a panic. Async-signal-safe. */
_Noreturn void avd__power_off(void);

/* One line to the console. Never blocks. */
void avd__console(const char *line);

#endif
