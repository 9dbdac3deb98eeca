// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The QEMU machine with a tiny guest: its ports, its ends, its stop. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

static void check_end(const char *args, uint32_t cause)
{
	const struct kit_usage before = kit_usage();
	struct kit kit;
	kit_init(&kit, args);
	kit_start(&kit);
	kit_run(&kit);
	ck_assert_msg(kit.end.cause == cause, "%s: cause %u %s", args, kit.end.cause,
		      kit.end.detail);
	ck_assert_str_eq(kit.end.detail, "");
	ck_assert_uint_eq(kit.console.len, 2);
	ck_assert_mem_eq(kit.console.data, "up", 2);
	ck_assert_uint_eq(kit.channel.len, 2);
	ck_assert_mem_eq(kit.channel.data, "up", 2);
	/* The same answer, however often one asks. */
	struct avd__machine_end again = {0};
	const struct avd__machine_sink none = {0};
	ck_assert_int_eq(avd__qemu_ops.step(kit.machine, &none, &again), 0);
	ck_assert_uint_eq(again.cause, cause);
	kit_free(&kit);
	kit_check_usage(before);
}

START_TEST(ends_told_apart)
{
	check_end("act=r", AVD_END_GUEST_RESET);
	check_end("act=s", AVD_END_GUEST_SHUTDOWN);
	check_end("act=t", AVD_END_TRIPLE_FAULT);
}
END_TEST

static void check_counted(const struct avd__buf *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		ck_assert_msg((unsigned char)channel->data[i] == i % 251, "byte %zu", i);
}

/* The guest writes more than the socket holds before anybody reads. */
START_TEST(nothing_is_lost_when_nobody_reads)
{
	struct kit kit;
	kit_init(&kit, "act=b");
	kit_start(&kit);
	kit_wait_cpu(&kit, 600 * UINT64_C(1000000));
	kit_run(&kit);
	ck_assert_uint_eq(kit.end.cause, AVD_END_GUEST_RESET);
	ck_assert_uint_eq(kit.channel.len, 256 << 10);
	check_counted(&kit.channel);
	ck_assert_uint_eq(kit.console.len, 16 << 10);
	for (size_t i = 0; i < kit.console.len; i++)
		ck_assert_int_eq(kit.console.data[i], 'c');
	kit_free(&kit);
}
END_TEST

/* What was there before the stop is delivered, in one piece. */
START_TEST(stop_in_full_flow)
{
	struct kit kit;
	kit_init(&kit, "act=f");
	kit_start(&kit);
	kit_wait_channel(&kit, 10000);
	avd__qemu_ops.stop(kit.machine, AVD_END_WATCHDOG);
	avd__qemu_ops.stop(kit.machine, AVD_END_HOST_STOP); /* the first cause stays */
	kit_run(&kit);
	ck_assert_uint_eq(kit.end.cause, AVD_END_WATCHDOG);
	check_counted(&kit.channel);
	kit_free(&kit);
}
END_TEST

/* Between any two steps, from none to the last: a stop, or free() right away. */
START_TEST(stop_at_any_moment)
{
	const struct kit_usage before = kit_usage();
	bool ended = false;
	for (int steps = 0; !ended; steps++) {
		struct kit kit;
		kit_init(&kit, "act=r");
		kit_start(&kit);
		for (int i = 0; i < steps && !ended; i++)
			ended = kit_step(&kit) == 0;
		avd__qemu_ops.stop(kit.machine, AVD_END_HOST_STOP);
		if (steps % 2 == 0 || ended) {
			kit_run(&kit);
			ck_assert(kit.end.cause == AVD_END_HOST_STOP ||
				  (steps > 0 && kit.end.cause == AVD_END_GUEST_RESET));
		}
		kit_free(&kit);
		kit_check_usage(before);
	}
}
END_TEST

START_TEST(a_failing_sink_stops_the_machine)
{
	struct kit kit;
	kit_init(&kit, "act=f");
	kit.channel_result = -1;
	kit_start(&kit);
	kit_run(&kit);
	ck_assert_uint_eq(kit.end.cause, AVD_END_HOST_STOP);
	ck_assert_uint_gt(kit.channel.len, 0);
	kit_free(&kit);
}
END_TEST

#define MANY 8

START_TEST(eight_at_once)
{
	const struct kit_usage before = kit_usage();
	struct kit kits[MANY];
	int left = MANY;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < MANY; i++) {
		kit_init(&kits[i], i % 2 ? "act=r" : "act=l");
		kit_start(&kits[i]);
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &kits[i]};
		ck_assert_int_eq(epoll_ctl(epoll_fd, EPOLL_CTL_ADD,
					   avd__qemu_ops.fd(kits[i].machine), &event),
				 0);
	}
	while (left) {
		struct epoll_event event;
		const int ready = epoll_wait(epoll_fd, &event, 1, KIT_HANG_SECONDS * 1000);
		if (ready < 0 && errno == EINTR) /* SIGCHLD: see qemu/child.h */
			continue;
		ck_assert_msg(ready == 1, "%d %s", ready, strerror(errno));
		struct kit *kit = event.data.ptr;
		if (kit_step(kit) == 0) {
			left--;
			epoll_ctl(epoll_fd, EPOLL_CTL_DEL, avd__qemu_ops.fd(kit->machine), NULL);
		} else if (kit->channel.len == 2 && kit->spec.kernel_args[4] == 'l') {
			avd__qemu_ops.stop(kit->machine, AVD_END_WATCHDOG);
		}
	}
	for (int i = 0; i < MANY; i++) {
		ck_assert_uint_eq(kits[i].end.cause,
				  i % 2 ? AVD_END_GUEST_RESET : AVD_END_WATCHDOG);
		ck_assert_uint_eq(kits[i].channel.len, 2);
		kit_free(&kits[i]);
	}
	avd__close(&epoll_fd);
	kit_check_usage(before);
}
END_TEST

START_TEST(one_after_another)
{
	const struct kit_usage before = kit_usage();
	for (int i = 0; i < 20; i++) {
		struct kit kit;
		kit_init(&kit, "act=l");
		kit_start(&kit);
		kit_free(&kit);
		kit_check_usage(before);
	}
}
END_TEST

START_TEST(cpu_time_grows_and_stays)
{
	struct kit kit;
	kit_init(&kit, "act=l");
	kit_start(&kit);
	kit_wait_cpu(&kit, 300 * UINT64_C(1000000));
	avd__qemu_ops.stop(kit.machine, AVD_END_WATCHDOG);
	kit_run(&kit);
	const uint64_t final = avd__qemu_ops.cpu_ns(kit.machine);
	ck_assert_uint_ge(final, 300 * UINT64_C(1000000));
	ck_assert_uint_eq(avd__qemu_ops.cpu_ns(kit.machine), final);
	kit_free(&kit);
}
END_TEST

static void check_killed(int signal, const char *detail)
{
	struct kit kit;
	kit_init(&kit, "act=l");
	kit_start(&kit);
	kit_wait_channel(&kit, 2);
	ck_assert_int_eq(kill(kit_only_child(), signal), 0);
	kit_run(&kit);
	ck_assert_uint_eq(kit.end.cause, AVD_END_MACHINE_KILLED);
	ck_assert_str_eq(kit.end.detail, detail);
	kit_free(&kit);
}

START_TEST(killed_by_another)
{
	check_killed(SIGKILL, "QEMU was killed by signal 9");
	check_killed(SIGSEGV, "QEMU was killed by signal 11");
	check_killed(SIGTERM, "QEMU reports host-signal");
}
END_TEST

static void check_spawn_error(struct kit *kit, const char *words)
{
	kit_start(kit);
	kit_run(kit);
	ck_assert_msg(kit->end.cause == AVD_END_SPAWN_ERROR, "cause %u %s", kit->end.cause,
		      kit->end.detail);
	ck_assert_msg(strstr(kit->end.detail, words) != NULL, "%s", kit->end.detail);
	ck_assert_ptr_null(strchr(kit->end.detail, '\n'));
	kit_free(kit);
}

START_TEST(what_qemu_refuses_is_told_in_its_words)
{
	struct kit kit;
	kit_init(&kit, "act=r");
	kit.spec.memory_bytes = UINT64_C(1) << 62;
	check_spawn_error(&kit, "QEMU exited with status 1: ");

	kit_init(&kit, "act=r");
	kit.spec.cpus = 100000;
	check_spawn_error(&kit, "Invalid SMP CPUs 100000");

	kit_init(&kit, "act=r"); /* no kernel: the machine refuses to load it */
	avd__close(&kit.spec.kernel_fd);
	kit.spec.kernel_fd = memfd_create("text", MFD_CLOEXEC);
	ck_assert_int_eq(avd__write_all(kit.spec.kernel_fd, "no kernel at all\n", 17), 0);
	check_spawn_error(&kit, "QEMU exited with status 1: ");
}
END_TEST

START_TEST(a_kept_command_line_works)
{
	struct kit kit;
	char *dir = kit_make_dir(), *command = NULL, text[256] = "";
	kit_init(&kit, "act=r quote='");
	kit.spec.keep_dir = dir;
	kit_start(&kit);
	kit_run(&kit);
	kit_free(&kit);
	ck_assert_int_ge(
		asprintf(&command,
			 "cd %s && head -c 4096 /dev/zero >initramfs.cpio && sh ./qemu-cmdline "
			 "</dev/null && cat channel.cborseq kernel-cmdline",
			 dir),
		0);
	FILE *pipe = popen(command, "re");
	ck_assert_ptr_nonnull(pipe);
	const size_t len = fread(text, 1, sizeof(text) - 1, pipe);
	ck_assert_int_eq(pclose(pipe), 0);
	text[len] = '\0';
	ck_assert_msg(!strncmp(text, "upupconsole=ttyS0 ", 18), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, " act=r quote='\n"));
	free(command);
	kit_remove_dir(dir);

	kit_init(&kit, "act=r");
	kit.spec.keep_dir = "/nonexistent/directory";
	ck_assert_int_eq(avd__qemu_ops.start(&kit.spec, &kit.machine, &kit.error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(kit.error.text, "/nonexistent/directory/qemu-cmdline"));
	kit_free(&kit);
}
END_TEST

static long status_of(pid_t pid, const char *field)
{
	char path[64], line[256];
	long value = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	while (value < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, strlen(field)) == 0)
			value = strtol(line + strlen(field), NULL, 10);
	}
	fclose(file);
	return value;
}

/* QEMU's own filter is in force once the guest runs; without it QEMU still gains no privileges. */
START_TEST(qemu_confines_itself_if_asked)
{
	struct kit kit;
	kit_init(&kit, "act=f");
	kit.spec.sandbox = _i != 0;
	kit_start(&kit);
	kit_wait_channel(&kit, 1);
	const pid_t pid = kit_only_child();
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(status_of(pid, "Seccomp:"), _i ? 2 : 0);
	ck_assert_int_eq(status_of(pid, "NoNewPrivs:"), 1);
	ck_assert_str_eq(avd__qemu_ops.sandbox(kit.machine), _i ? "seccomp" : "none");
	ck_assert_int_eq(status_of(getpid(), "NoNewPrivs:"), 0);
	kit_free(&kit);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qemu-machine");
	TCase *tc = tcase_create("machine");
	tcase_set_timeout(tc, 4 * KIT_HANG_SECONDS);
	tcase_add_test(tc, ends_told_apart);
	tcase_add_test(tc, nothing_is_lost_when_nobody_reads);
	tcase_add_test(tc, stop_in_full_flow);
	tcase_add_test(tc, stop_at_any_moment);
	tcase_add_test(tc, a_failing_sink_stops_the_machine);
	tcase_add_test(tc, eight_at_once);
	tcase_add_test(tc, one_after_another);
	tcase_add_test(tc, cpu_time_grows_and_stays);
	tcase_add_test(tc, killed_by_another);
	tcase_add_test(tc, what_qemu_refuses_is_told_in_its_words);
	tcase_add_test(tc, a_kept_command_line_works);
	tcase_add_loop_test(tc, qemu_confines_itself_if_asked, 0, 2);
	suite_add_tcase(suite, tc);
	return kit_main(suite);
}
