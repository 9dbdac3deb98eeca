// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The kernel drops signals to PID 1 that it has no handler for; these few have one, so
 * anybody's kill(1, SIGSEGV) runs it. What the kernel itself raised has a positive si_code
 * (sigaction(2)), which kill() and sigqueue() can't forge.
 */
#include "crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "power.h"

#define STACK_SIZE (64u * 1024u)

static struct avd__channel *crash_channel;
static uint8_t crash_stack[STACK_SIZE];

/* snprintf() is not async-signal-safe. */
static size_t put(char *out, size_t at, size_t size, const char *text)
{
	while (*text && at + 1 < size)
		out[at++] = *text++;
	out[at] = '\0';
	return at;
}

static size_t put_hex(char *out, size_t at, size_t size, uint64_t number)
{
	char digits[2 + 16 + 1] = "0x";

	for (int i = 0; i < 16; i++)
		digits[2 + i] = "0123456789abcdef"[(number >> (60 - 4 * i)) & 15];
	return put(out, at, size, digits);
}

static const char *name_of(int number)
{
	switch (number) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGILL:
		return "SIGILL";
	case SIGFPE:
		return "SIGFPE";
	default:
		return "SIGABRT";
	}
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	const ucontext_t *machine = context;
	char reason[160];
	size_t at = 0;

	/* abort() raises by tgkill(): then the sender is this process. */
	if (info->si_code <= 0 && !(info->si_code == SI_TKILL && info->si_pid == getpid()))
		return;
	at = put(reason, at, sizeof(reason), "the guest's init crashed: ");
	at = put(reason, at, sizeof(reason), name_of(number));
	at = put(reason, at, sizeof(reason), " at ");
	at = put_hex(reason, at, sizeof(reason), (uint64_t)machine->uc_mcontext.gregs[REG_RIP]);
	if (info->si_code > 0) {
		at = put(reason, at, sizeof(reason), ", address ");
		at = put_hex(reason, at, sizeof(reason), (uint64_t)(uintptr_t)info->si_addr);
	}
	struct avd_message message = {.kind = AVD_MSG_INIT_FAILED,
				      .u.init_failed = {.signal = (uint32_t)number,
							.reason = {.data = reason, .len = at}}};
	avd__channel_send_from_crash(crash_channel, &message);
	avd__power_off();
}

void avd__crash_handlers(struct avd__channel *channel)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	const stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof(crash_stack)};
	struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	crash_channel = channel;
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}
