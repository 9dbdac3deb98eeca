// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Prints streams with the verdict that each must get: NAME OUTCOME/REASON/RESULT/REASON
 * HEX. A name that starts with "recording" is one; the others are a guest's bytes alone,
 * with the nonce of tests/unit/verdict_kit.c. What stands here as expectation is meant
 * to be read: the tests hold the library against it.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "codec/frame.h"
#include "verdict_kit.h"

static struct kit kit;

static void print_stream(const char *name, const char *expectation)
{
	printf("%s %s ", name, expectation);
	for (size_t i = 0; i < kit.size; i++)
		printf("%02x", kit.bytes[i]);
	printf("\n");
}

/* A stream that passes, without its frames [from, to), not renumbered. */
static void pass_without(size_t from, size_t to)
{
	kit_pass(&kit, AVD_STREAM_RECORDING);
	memmove(kit.bytes + kit.at[from], kit.bytes + kit.at[to], kit.size - kit.at[to]);
	kit.size -= kit.at[to] - kit.at[from];
}

/* Frames of kit_pass() as a recording. */
enum { CELL, HELLO, START, STARTED, GATE, LOG, ATTACHED, PAYLOAD, DISPATCH, HEARTBEAT, EXIT, DONE };

static void sound_streams(void)
{
	kit_pass(&kit, AVD_STREAM_RECORDING);
	print_stream("recording-passed", "ATTACHED/none/passed/none");
	kit_pass(&kit, 0);
	print_stream("guest-passed", "ATTACHED/none/passed/none");

	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	print_stream("recording-died", "DIED/exited/failed/exited");

	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_NOT_ATTACHED);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	print_stream("recording-not-attached", "NOT_ATTACHED/init-failed/failed/init-failed");

	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_PANIC, "Kernel panic - not syncing: boom");
	print_stream("recording-panic", "UNCONFIRMED/panic/failed/panic");

	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_end(&kit, AVD_END_WATCHDOG, AVD_REASON_WATCHDOG, "no frame for 120 s");
	print_stream("recording-silent", "UNCONFIRMED/watchdog/failed/watchdog");

	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_add(&kit, AVD_MSG_DISPATCH);
	kit_add(&kit, AVD_MSG_SCHEDULER_EXIT);
	kit_add(&kit, AVD_MSG_PAYLOAD_EXIT);
	kit_add(&kit, AVD_MSG_DONE);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	print_stream("recording-ejected", "ATTACHED/none/failed/ejected");
}

static void broken_streams(void)
{
	pass_without(ATTACHED, PAYLOAD);
	print_stream("recording-gap-before-payload",
		     "UNCONFIRMED/channel-corrupt/failed/channel-corrupt");
	pass_without(HEARTBEAT, EXIT);
	print_stream("recording-gap-after-payload", "ATTACHED/none/failed/channel-corrupt");
	pass_without(HELLO, DONE + 1);
	print_stream("recording-guest-missing", "UNCONFIRMED/guest-reset/failed/guest-reset");

	kit_pass(&kit, AVD_STREAM_RECORDING);
	kit.bytes[kit.at[LOG] + AVD__FRAME_HEAD_SIZE + 4] ^= 0x10;
	print_stream("recording-bit-before-payload",
		     "UNCONFIRMED/channel-corrupt/failed/channel-corrupt");
	kit_pass(&kit, AVD_STREAM_RECORDING);
	kit.bytes[kit.at[EXIT] + AVD__FRAME_HEAD_SIZE + 4] ^= 0x10;
	print_stream("recording-bit-after-payload", "ATTACHED/none/failed/channel-corrupt");
	kit_pass(&kit, AVD_STREAM_RECORDING);
	kit.bytes[kit.at[HELLO] + AVD__FRAME_HEAD_SIZE + 16] ^= 0x01; /* of the nonce */
	avd__frame_seal(kit.bytes + kit.at[HELLO], 0,
			kit.at[START] - kit.at[HELLO] - AVD__FRAME_HEAD_SIZE);
	print_stream("recording-other-nonce", "UNCONFIRMED/channel-corrupt/failed/channel-corrupt");
	kit_pass(&kit, AVD_STREAM_RECORDING);
	kit.size = kit.at[PAYLOAD] + 7; /* in the middle of a head */
	print_stream("recording-torn-before-payload", "UNCONFIRMED/truncated/failed/truncated");
	kit_pass(&kit, AVD_STREAM_RECORDING);
	kit.size = kit.at[DISPATCH];
	print_stream("recording-cut-after-payload", "ATTACHED/none/failed/truncated");
}

/* What a scheduler might try: frames inside its output, frames of the host, no proof. */
static void hostile_streams(void)
{
	kit_start(&kit, 0);
	kit_add(&kit, AVD_MSG_HELLO);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	print_stream("guest-payload-without-proof",
		     "UNCONFIRMED/channel-corrupt/failed/channel-corrupt");

	static struct kit inner;
	kit_pass(&inner, 0);
	struct avd_message log = kit_message(AVD_MSG_LOG);
	log.u.log.bytes = (struct avd_bytes){inner.bytes, inner.size};
	kit_start(&kit, 0);
	kit_boot(&kit);
	kit_add_message(&kit, &log);
	kit_add(&kit, AVD_MSG_SCHEDULER_DIED);
	print_stream("guest-forged-in-log", "DIED/exited/failed/exited");

	kit_start(&kit, 0);
	kit_boot(&kit);
	kit_add_raw(&kit, "\xd9\xd9\xf7\x83\x1a\x00\x00\x00\x04\x1a\x00\x00\x00\x00\x5a\x00\x10",
		    17);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	print_stream("guest-false-head", "UNCONFIRMED/channel-corrupt/failed/channel-corrupt");

	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	const struct avd_message cell = kit_message(AVD_MSG_CELL);
	kit_add_seq(&kit, &cell, AVD_HOST_SEQ_BASE);
	kit_add(&kit, AVD_MSG_SCHEDULER_ATTACHED);
	kit_add(&kit, AVD_MSG_PAYLOAD_STARTING);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
	print_stream("recording-second-cell", "UNCONFIRMED/channel-corrupt/failed/channel-corrupt");
}

START_TEST(print_all)
{
	printf("# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later\n#\n"
	       "# Streams made by make-streams: NAME OUTCOME/REASON/RESULT/REASON HEX. After a\n"
	       "# change on purpose: ninja update-vectors.\n");
	sound_streams();
	broken_streams();
	hostile_streams();
}
END_TEST

/* A test only because the kit's assertions work in one alone. */
int main(void)
{
	Suite *suite = suite_create("make-streams");
	TCase *tcase = tcase_create("make-streams");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, print_all);
	SRunner *runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
