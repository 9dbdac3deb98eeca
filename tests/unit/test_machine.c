// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The public machine, on a machine that follows a script. */
#include <attachverdict/attachverdict.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "fake_machine.h"
#include "run_suite.h"
#include "runner/internal.h"

static const char archive[] = "070701, as far as a fake machine cares";
static struct avd_machine_options options;
static avd_machine *machine;
static char console[256];
static size_t console_len, channel_bytes;
static int refuse; /* what on_channel answers */

static void on_console(void *userdata, const void *bytes, size_t size)
{
	ck_assert_ptr_eq(userdata, &options);
	ck_assert_uint_lt(console_len + size, sizeof(console));
	memcpy(console + console_len, bytes, size);
	console_len += size;
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	ck_assert_ptr_eq(userdata, &options);
	ck_assert_ptr_nonnull(bytes);
	channel_bytes += size;
	return refuse;
}

static int no_kernel(struct avd_machine *self, struct avd__machine_spec *spec, int *ret_fd)
{
	(void)self;
	(void)spec;
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

static void setup(void)
{
	fake_reset();
	memset(console, 0, sizeof(console));
	console_len = channel_bytes = 0;
	refuse = 0;
	machine = NULL;
	options = (struct avd_machine_options){
		.size = sizeof(options),
		.kernel = "/boot/fake",
		.initramfs_data = archive,
		.initramfs_size = sizeof(archive),
		.topology = "2",
		.on_console = on_console,
		.on_channel = on_channel,
		.userdata = &options,
	};
}

static void teardown(void)
{
	avd_machine_free(machine);
	ck_assert_int_eq(fake.starts, fake.frees);
}

static int make(void)
{
	char error[256] = "";
	const int r = avd_machine_new(&options, &machine, error, sizeof(error));
	if (r < 0)
		return r;
	machine->ops = &fake_ops;
	machine->open_kernel = no_kernel;
	return 0;
}

static void start(void)
{
	ck_assert_int_eq(make(), 0);
	const int r = avd_machine_start(machine);
	ck_assert_msg(r == 0, "%d: %s", r, avd_machine_error(machine));
}

static uint32_t run(struct avd_machine_end *ret_end)
{
	struct pollfd fd = {.fd = avd_machine_fd(machine), .events = POLLIN};
	int r;
	do
		ck_assert_int_eq(poll(&fd, 1, -1), 1);
	while ((r = avd_machine_step(machine)) > 0);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(avd_machine_state(machine), AVD_MACHINE_ENDED);
	ck_assert_int_eq(avd_machine_get_end(machine, ret_end), 0);
	return ret_end->cause;
}

START_TEST(runs_to_its_end)
{
	struct avd_machine_end end;
	struct avd_machine_info info;
	struct avd_machine_stats stats = AVD_OPTIONS_INIT(struct avd_machine_stats);
	fake_text("hello\n");
	fake_bytes(FAKE_CHANNEL, "12345", 5);
	fake_time(0, 77);
	fake_end(AVD_END_GUEST_SHUTDOWN);
	start();
	ck_assert_uint_eq(avd_machine_state(machine), AVD_MACHINE_RUNNING);
	ck_assert_int_eq(avd_machine_get_end(machine, &end), -EINVAL);
	ck_assert_uint_eq(run(&end), AVD_END_GUEST_SHUTDOWN);
	ck_assert_str_eq(end.detail, "as the script says");
	ck_assert_str_eq(console, "hello\n");
	ck_assert_uint_eq(channel_bytes, 5);
	ck_assert_int_eq(avd_machine_get_info(machine, &info), 0);
	ck_assert_str_eq(info.accel, "fake");
	ck_assert_int_eq(avd_machine_get_stats(machine, &stats), 0);
	ck_assert_uint_eq(stats.valid, AVD_STAT_CPU | AVD_STAT_INIT);
	ck_assert_uint_eq(stats.cpu_ns, 77);
	ck_assert_uint_eq(stats.cpus, 2);
	ck_assert_uint_eq(stats.memory_bytes, UINT64_C(512) << 20);
	/* An ended machine gives the same answers again, and holds nothing of the machine. */
	ck_assert_int_eq(fake.frees, 1);
	const size_t steps = fake.steps;
	ck_assert_int_eq(avd_machine_step(machine), 0);
	avd_machine_stop(machine);
	ck_assert_int_eq(avd_machine_step(machine), 0);
	ck_assert_uint_eq(fake.steps, steps);
	ck_assert_int_eq(avd_machine_start(machine), -EINVAL);
	ck_assert_uint_eq(avd_machine_state(machine), AVD_MACHINE_ENDED);
}
END_TEST

/* An older caller's struct is shorter; one without a size is a mistake. */
START_TEST(statistics_by_size)
{
	struct avd_machine_stats stats;
	start();
	for (size_t size = 0; size <= sizeof(stats); size += sizeof(uint32_t)) {
		memset(&stats, 0xee, sizeof(stats));
		stats.size = size;
		const int r = avd_machine_get_stats(machine, &stats);
		ck_assert_int_eq(r, size < sizeof(stats.size) ? -EINVAL : 0);
		for (size_t i = size < sizeof(stats.size) ? sizeof(stats.size) : size;
		     i < sizeof(stats); i++)
			ck_assert_uint_eq(((const uint8_t *)&stats)[i], 0xee);
	}
	ck_assert_int_eq(avd_machine_get_stats(machine, NULL), -EINVAL);
}
END_TEST

START_TEST(calls_out_of_place)
{
	struct avd_machine_end end;
	struct avd_machine_info info;
	struct avd_machine_stats stats = AVD_OPTIONS_INIT(struct avd_machine_stats);
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(avd_machine_state(machine), AVD_MACHINE_NEW);
	ck_assert_int_eq(avd_machine_fd(machine), -EINVAL);
	ck_assert_int_eq(avd_machine_step(machine), -EINVAL);
	ck_assert_ptr_nonnull(strstr(avd_machine_error(machine), "was not started"));
	ck_assert_int_eq(avd_machine_get_end(machine, &end), -EINVAL);
	ck_assert_int_eq(avd_machine_get_info(machine, &info), -EINVAL);
	ck_assert_int_eq(avd_machine_get_stats(machine, &stats), -EINVAL);
	avd_machine_free(NULL);
}
END_TEST

START_TEST(start_fails)
{
	fake.start_error = _i ? 0 : EAGAIN;
	fake.probe_error = _i ? ENOENT : 0;
	ck_assert_int_eq(make(), 0);
	ck_assert_int_eq(avd_machine_start(machine), _i ? -ENOENT : -EAGAIN);
	ck_assert_uint_eq(avd_machine_state(machine), AVD_MACHINE_FAILED);
	ck_assert_ptr_nonnull(strstr(avd_machine_error(machine), "fake machine"));
	ck_assert_int_eq(avd_machine_fd(machine), -EINVAL);
	ck_assert_int_eq(avd_machine_step(machine), -EINVAL);
	ck_assert_int_eq(avd_machine_start(machine), -EINVAL);
}
END_TEST

START_TEST(stopped_before_the_start)
{
	ck_assert_int_eq(make(), 0);
	avd_machine_stop(machine);
	ck_assert_int_eq(avd_machine_start(machine), -ECANCELED);
	ck_assert_uint_eq(avd_machine_state(machine), AVD_MACHINE_FAILED);
	ck_assert_int_eq(fake.starts, 0);
}
END_TEST

START_TEST(stopped_while_it_runs)
{
	struct avd_machine_end end;
	start();
	ck_assert_int_eq(avd_machine_step(machine), 1);
	avd_machine_stop(machine);
	avd_machine_stop(machine); /* told once */
	ck_assert_uint_eq(run(&end), AVD_END_HOST_STOP);
	ck_assert_str_eq(end.detail, "the caller stopped the machine");
}
END_TEST

static sem_t running;

static void *stop_it(void *unused)
{
	(void)unused;
	while (sem_wait(&running) < 0)
		;
	avd_machine_stop(machine);
	return NULL;
}

START_TEST(stopped_by_another_thread)
{
	struct avd_machine_end end;
	pthread_t thread;
	start();
	ck_assert_int_eq(sem_init(&running, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, stop_it, NULL), 0);
	ck_assert_int_eq(avd_machine_step(machine), 1);
	sem_post(&running);
	ck_assert_uint_eq(run(&end), AVD_END_HOST_STOP);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(channel_is_refused)
{
	struct avd_machine_end end;
	refuse = -1;
	fake_bytes(FAKE_CHANNEL, "x", 1);
	start();
	run(&end);
	ck_assert_uint_eq(channel_bytes, 1);
}
END_TEST

START_TEST(machine_cannot_be_read)
{
	struct avd_machine_end end;
	fake_bytes(FAKE_ERROR, NULL, 0);
	fake.actions[0].cause = EIO;
	start();
	ck_assert_uint_eq(run(&end), AVD_END_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(end.detail, "could not be read"));
}
END_TEST

START_TEST(freed_in_any_state)
{
	fake_text("x");
	fake_end(AVD_END_GUEST_RESET);
	ck_assert_int_eq(make(), 0);
	if (_i > 0)
		ck_assert_int_eq(avd_machine_start(machine), 0);
	for (int i = 1; i < _i; i++)
		avd_machine_step(machine);
}
END_TEST

static const struct wrong {
	const char *word; /* in the message */
	int error;
	struct avd_machine_options options; /* over the good ones, where not zero */
	int without; /* 1 kernel, 2 initramfs */
} wrongs[] = {
	{.word = "no kernel", .error = EINVAL, .without = 1},
	{.word = "no initramfs", .error = EINVAL, .without = 2},
	{"more than one initramfs", EINVAL, {.initramfs = "/x"}, 0},
	{"more than one initramfs", EINVAL, {.init = "/x"}, 0},
	{"more than one initramfs", EINVAL, {.flags = AVD_MACHINE_INITRAMFS_FD}, 0},
	{"initramfs_fd=-1", EINVAL, {.flags = AVD_MACHINE_INITRAMFS_FD, .initramfs_fd = -1}, 2},
	{"initramfs_size=7", EINVAL, {.initramfs_size = 7, .init = "/x"}, 2},
	{"memory_bytes=1048577", EINVAL, {.memory_bytes = 1048577}, 0},
	{"out of range", EINVAL, {.memory_bytes = UINT64_C(63) << 20}, 0},
	{"out of range", EINVAL, {.memory_bytes = UINT64_C(1) << 62}, 0},
	{"machine=3", EINVAL, {.machine = 3}, 0},
	{"carrier=3", EINVAL, {.carrier = 3}, 0},
	{"sandbox=2", EINVAL, {.sandbox = 2}, 0},
	{"reserved=1", EINVAL, {.reserved = 1}, 0},
	{"flags=0x80", EINVAL, {.flags = 0x80}, 0},
	{"topology", EINVAL, {.topology = "0"}, 0},
	{"control character at byte 3", EINVAL, {.kernel_args = "a=b\nc"}, 0},
};

START_TEST(wrong_options)
{
	const struct wrong *w = &wrongs[_i];
	const struct avd_machine_options *o = &w->options;
	char error[256] = "";
	if (w->without == 1)
		options.kernel = NULL;
	if (w->without == 2) {
		options.initramfs_data = NULL;
		options.initramfs_size = 0;
	}
	if (o->initramfs)
		options.initramfs = o->initramfs;
	if (o->init)
		options.init = o->init;
	if (o->initramfs_size)
		options.initramfs_size = o->initramfs_size;
	if (o->memory_bytes)
		options.memory_bytes = o->memory_bytes;
	if (o->topology)
		options.topology = o->topology;
	if (o->kernel_args)
		options.kernel_args = o->kernel_args;
	options.machine = o->machine;
	options.carrier = o->carrier;
	options.sandbox = o->sandbox;
	options.reserved = o->reserved;
	options.flags = o->flags;
	options.initramfs_fd = o->initramfs_fd;
	ck_assert_int_eq(avd_machine_new(&options, &machine, error, sizeof(error)), -w->error);
	ck_assert_msg(strstr(error, w->word), "%s", error);
	ck_assert_ptr_null(machine);
}
END_TEST

START_TEST(options_by_size)
{
	struct {
		struct avd_machine_options known;
		uint64_t more;
	} newer = {.known = options};
	static char long_args[4096];
	ck_assert_int_eq(avd_machine_new(NULL, &machine, NULL, 0), -EINVAL);
	options.size = 0;
	ck_assert_int_eq(avd_machine_new(&options, &machine, NULL, 0), -EINVAL);
	newer.known.size = sizeof(newer);
	newer.more = 1;
	ck_assert_int_eq(avd_machine_new(&newer.known, &machine, NULL, 0), -E2BIG);
	newer.more = 0;
	ck_assert_int_eq(avd_machine_new(&newer.known, &machine, NULL, 0), 0);
	avd_machine_free(machine);
	machine = NULL;
	memset(long_args, 'x', sizeof(long_args) - 1);
	options.size = sizeof(options);
	options.kernel_args = long_args;
	ck_assert_int_eq(avd_machine_new(&options, &machine, NULL, 0), -E2BIG);
}
END_TEST

/* What the initramfs options name is looked at when it is needed, and the error names it. */
START_TEST(wrong_initramfs)
{
	static const struct {
		const char *path;
		int error;
	} paths[] = {{"/nonexistent/x", ENOENT}, {"/tmp", EISDIR}, {"/dev/null", EINVAL}};
	options.initramfs_data = NULL;
	options.initramfs_size = 0;
	if (_i < 3) {
		options.initramfs = paths[_i].path;
	} else if (_i < 6) {
		options.init = paths[_i - 3].path;
	} else {
		options.flags = AVD_MACHINE_INITRAMFS_FD;
		options.initramfs_fd = 1000000;
	}
	ck_assert_int_eq(make(), 0);
	const int r = avd_machine_start(machine);
	ck_assert_int_lt(r, 0);
	if (_i < 3)
		ck_assert_int_eq(r, -paths[_i].error);
	ck_assert_msg(strstr(avd_machine_error(machine),
			     _i < 6 ? paths[_i % 3].path : "initramfs_fd=1000000"),
		      "%s", avd_machine_error(machine));
	ck_assert_int_eq(fake.starts, 0);
}
END_TEST

START_TEST(out_of_memory)
{
	struct avd_machine_end end;
	for (unsigned int n = 1;; n++) {
		setup();
		options.qemu = "qemu";
		options.kernel_args = "quiet";
		fake_end(AVD_END_GUEST_RESET);
		alloc_fail_at(n);
		int r = make();
		if (r == 0)
			r = avd_machine_start(machine);
		const int hit = alloc_count() >= n;
		alloc_fail_at(0);
		if (!hit) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_gt(n, 5);
			run(&end);
			return;
		}
		ck_assert_msg(r == -ENOMEM, "allocation %u: %d (%s)", n, r,
			      machine ? avd_machine_error(machine) : "");
		avd_machine_free(machine);
		machine = NULL;
		ck_assert_int_eq(fake.starts, fake.frees);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine");
	TCase *tc = tcase_create("machine");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, runs_to_its_end);
	tcase_add_test(tc, statistics_by_size);
	tcase_add_test(tc, calls_out_of_place);
	tcase_add_loop_test(tc, start_fails, 0, 2);
	tcase_add_test(tc, stopped_before_the_start);
	tcase_add_test(tc, stopped_while_it_runs);
	tcase_add_test(tc, stopped_by_another_thread);
	tcase_add_test(tc, channel_is_refused);
	tcase_add_test(tc, machine_cannot_be_read);
	tcase_add_loop_test(tc, freed_in_any_state, 0, 5);
	tcase_add_loop_test(tc, wrong_options, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	tcase_add_test(tc, options_by_size);
	tcase_add_loop_test(tc, wrong_initramfs, 0, 7);
	tcase_add_test(tc, out_of_memory);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
