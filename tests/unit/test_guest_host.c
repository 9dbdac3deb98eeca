// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Parts of the guest's init that also run on a host: budget, config, channel, logs, hints. */
#include <attachverdict/verdict.h>
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"
#include "channel.h"
#include "child.h"
#include "clock.h"
#include "codec/frame.h"
#include "codec/message.h"
#include "config.h"
#include "logs.h"
#include "run_suite.h"

/* The carrier of these tests: memory, with a switch for a host that is gone. */
static uint8_t wire[1u << 20];
static size_t wire_size;
static bool wire_dead;

static int wire_open(struct avd__carrier *carrier, struct avd__text *why)
{
	carrier->fd = -1;
	if (wire_dead)
		avd__text_add(why, "no wire");
	return wire_dead ? -1 : 0;
}

static int wire_write(struct avd__carrier *carrier, const uint8_t *bytes, size_t size)
{
	(void)carrier;
	if (wire_dead || size > sizeof(wire) - wire_size)
		return -1;
	memcpy(wire + wire_size, bytes, size);
	wire_size += size;
	return 0;
}

const struct avd__carrier_ops avd__carrier_serial = {
	.name = "serial", .open = wire_open, .write = wire_write};

static int no_window(struct avd__carrier *carrier, struct avd__text *why)
{
	(void)carrier;
	avd__text_add(why, "no window");
	return -1;
}

const struct avd__carrier_ops avd__carrier_window = {
	.name = "window", .open = no_window, .write = wire_write};

static struct avd__channel channel;

static void open_channel(void)
{
	char text[128];
	struct avd__text why = avd__text_on(text, sizeof(text));

	memset(&channel, 0, sizeof(channel));
	wire_size = 0;
	wire_dead = false;
	ck_assert_int_eq(
		avd__channel_open(&channel, (struct avd_str){.data = "serial", .len = 6}, &why), 0);
}

/* Takes the next message off the wire; false at its end. */
static bool next(size_t *at, uint32_t *seq, struct avd_message *ret_message)
{
	struct avd__frame frame;

	if (*at == wire_size)
		return false;
	ck_assert_int_eq(avd__frame_decode(wire + *at, wire_size - *at, &frame), AVD__FRAME_OK);
	ck_assert_uint_eq(frame.seq, (*seq)++);
	ck_assert_int_eq(avd__message_decode(frame.payload, frame.size - AVD__FRAME_HEAD_SIZE,
					     ret_message),
			 AVD__MESSAGE_OK);
	*at += frame.size;
	return true;
}

START_TEST(budget_scales_and_saturates)
{
	ck_assert_uint_eq(avd__slowness_clamp(0), 1000);
	ck_assert_uint_eq(avd__slowness_clamp(999), 1000);
	ck_assert_uint_eq(avd__slowness_clamp(2500), 2500);
	ck_assert_uint_eq(avd__slowness_clamp(UINT64_MAX), 30000);
	ck_assert_uint_eq(avd__scale(10, 2500), 25);
	ck_assert_uint_eq(avd__scale(UINT64_MAX, 2500), UINT64_MAX);
	ck_assert_uint_eq(avd__scale(100, 0), 100);

	struct avd__budget budget;
	avd__budget_init(&budget, 35000, 120000, 10000);
	ck_assert_uint_eq(budget.cpu_limit, 350 * AVD__NS_PER_S);
	ck_assert_uint_eq(budget.wall_limit, 360 * AVD__NS_PER_S); /* three times at most */
	avd__budget_init(&budget, UINT64_MAX, UINT64_MAX, 30000);
	ck_assert_uint_eq(budget.cpu_limit, UINT64_MAX);
	ck_assert_uint_eq(budget.wall_limit, UINT64_MAX);
}
END_TEST

START_TEST(budget_of_cpu_time)
{
	struct avd__budget budget;

	avd__budget_init(&budget, 10, 1000, 1000);
	ck_assert(!avd__budget_step(&budget, 5, 10 * AVD__NS_PER_MS));
	ck_assert(avd__budget_step(&budget, 6, 10 * AVD__NS_PER_MS + 1));
	/* sticky, also when a clock can't be read any more */
	ck_assert(avd__budget_step(&budget, 7, 0));
}
END_TEST

START_TEST(budget_of_wall_time_does_not_leap)
{
	struct avd__budget budget;
	uint64_t now = 1;

	avd__budget_init(&budget, 1000, 10000, 1000);
	ck_assert(!avd__budget_step(&budget, now, 0));
	/* ten leaps of an hour each: the guest was not let run */
	for (int i = 0; i < 10; i++)
		ck_assert(!avd__budget_step(&budget, now += 3600 * AVD__NS_PER_S, 0));
	ck_assert(avd__budget_step(&budget, now += 1, 0));
}
END_TEST

START_TEST(channel_numbers_and_breaks)
{
	size_t at = 0;
	uint32_t seq = 0;
	struct avd_message message;

	open_channel();
	avd__channel_phase(&channel, AVD_PHASE_BOOT);
	avd__channel_note(&channel, "a %s line", "short");
	avd__channel_init_failed(&channel, "no reason");
	ck_assert(next(&at, &seq, &message));
	ck_assert_uint_eq(message.kind, AVD_MSG_PHASE);
	ck_assert(next(&at, &seq, &message));
	ck_assert_uint_eq(message.u.log.stream, AVD_STREAM_INIT);
	ck_assert_uint_eq(message.u.log.bytes.len, strlen("a short line\n"));
	ck_assert(next(&at, &seq, &message));
	ck_assert_uint_eq(message.kind, AVD_MSG_INIT_FAILED);
	ck_assert(!next(&at, &seq, &message));

	wire_dead = true;
	avd__channel_phase(&channel, AVD_PHASE_START);
	ck_assert(channel.broken);
	wire_dead = false;
	avd__channel_phase(&channel, AVD_PHASE_GATE); /* not after a frame that may be cut */
	ck_assert(!next(&at, &seq, &message));
}
END_TEST

START_TEST(channel_falls_back_to_serial)
{
	static const struct avd_str asked[] = {{"window", 6}, {"pigeon", 6}, {"", 0}};

	for (size_t i = 0; i < 3; i++) {
		char text[128];
		struct avd__text why = avd__text_on(text, sizeof(text));
		memset(&channel, 0, sizeof(channel));
		ck_assert_int_eq(avd__channel_open(&channel, asked[i], &why), 0);
		ck_assert_str_eq(channel.carrier.ops->name, "serial");
		ck_assert_str_eq(text, i == 0 ? "no window; " : "");
		ck_assert(!channel.broken);
		wire_dead = true;
		ck_assert_int_eq(avd__channel_open(&channel, asked[i], &why), -1);
		ck_assert_ptr_nonnull(strstr(text, "no wire"));
		ck_assert(channel.broken);
		wire_dead = false;
	}
}
END_TEST

/* What a stream of logs amounts to on the wire. */
struct tally {
	uint8_t bytes[1u << 20];
	size_t size;
	uint64_t dropped;
};

static void count_bytes(void *userdata, uint32_t stream, const void *bytes, size_t size)
{
	(void)stream;
	(void)bytes;
	*(size_t *)userdata += size;
}

static void run_logs(uint64_t limit, const uint8_t *bytes, size_t size, struct tally *tally)
{
	static struct avd__output output;
	int fds[2];
	size_t at = 0, seen = 0, written = 0;
	uint32_t seq = 0;
	struct avd_message message;

	open_channel();
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	avd__output_init(&output, AVD_STREAM_SCHEDULER_STDOUT, fds[0], limit);
	while (written < size) {
		const ssize_t n = write(fds[1], bytes + written, size - written);
		if (n > 0)
			written += (size_t)n;
		avd__output_pump(&output, &channel, count_bytes, &seen);
	}
	close(fds[1]);
	while (output.fd >= 0)
		avd__output_pump(&output, &channel, count_bytes, &seen);
	avd__output_flush(&output, &channel);
	avd__output_flush(&output, &channel); /* nothing twice */
	ck_assert_uint_eq(seen, size);
	tally->size = 0;
	tally->dropped = 0;
	while (next(&at, &seq, &message)) {
		ck_assert_uint_eq(message.kind, AVD_MSG_LOG);
		ck_assert_uint_le(message.u.log.bytes.len, AVD__LOG_CHUNK);
		memcpy(tally->bytes + tally->size, message.u.log.bytes.data,
		       message.u.log.bytes.len);
		tally->size += message.u.log.bytes.len;
		ck_assert_uint_ge(message.u.log.dropped, tally->dropped);
		tally->dropped = message.u.log.dropped;
	}
}

START_TEST(logs_up_to_a_limit_and_the_tail)
{
	static uint8_t bytes[400000];
	static struct tally tally;
	static const struct {
		uint64_t limit;
		size_t size;
	} runs[] = {
		{1000000, 400000}, {400000, 400000},	     {100000, 400000},	      {0, 400000},
		{0, 100},	   {100000, 100000 + 16384}, {100000, 100000 + 16385}};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		const size_t size = runs[i].size;
		const size_t head = runs[i].limit < size ? (size_t)runs[i].limit : size;
		const size_t tail = size - head < AVD__LOG_TAIL ? size - head : AVD__LOG_TAIL;
		run_logs(runs[i].limit, bytes, size, &tally);
		ck_assert_uint_eq(tally.size, head + tail);
		ck_assert_mem_eq(tally.bytes, bytes, head);
		ck_assert_mem_eq(tally.bytes + head, bytes + size - tail, tail);
		ck_assert_uint_eq(tally.dropped, size - head - tail);
	}
}
END_TEST

static char dir[] = "/tmp/avd-guest-XXXXXX";
static char path[64];

static void make_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
	strcpy(dir, "/tmp/avd-guest-XXXXXX");
}

static void put_file(const void *bytes, size_t size, mode_t mode)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static size_t cell_frame(uint8_t *out, size_t size, uint32_t protocol, const char *const *argv)
{
	static const uint8_t nonce[AVD_NONCE_SIZE] = {1, 2, 3};
	uint8_t items[256];
	size_t len = 0;
	uint32_t count = 0;

	for (; *argv; argv++)
		ck_assert_int_eq(
			avd__strv_put(items, sizeof(items), &len, &count, *argv, strlen(*argv)), 0);
	const struct avd_message message = {
		.kind = AVD_MSG_CELL,
		.u.cell = {.protocol = protocol,
			   .nonce = {.data = nonce, .len = sizeof(nonce)},
			   .version = {.data = "0", .len = 1},
			   .kernel = {.data = "k", .len = 1},
			   .scheduler = {.cbor = {.data = items, .len = len}, .count = count},
			   .machine = {.data = "qemu", .len = 4},
			   .accel = {.data = "tcg", .len = 3},
			   .carrier = {.data = "serial", .len = 6},
			   .topology = {.data = "2", .len = 1},
			   .cpus = 2,
			   .memory_bytes = 1u << 30,
			   .settle_ms = 100,
			   .log_limit = 4096}};
	const size_t n = avd__message_frame(&message, AVD_HOST_SEQ_BASE, out, size);
	ck_assert_uint_gt(n, 0);
	return n;
}

static const char *const some_argv[] = {"/bin/sched", "-x", "", NULL};

START_TEST(config_is_read_and_removed)
{
	uint8_t bytes[1024];
	char text[256];
	struct avd__text why = avd__text_on(text, sizeof(text));
	struct avd__config config = {0};

	make_dir();
	put_file(bytes, cell_frame(bytes, sizeof(bytes), AVD_PROTOCOL_VERSION, some_argv), 0600);
	ck_assert_int_eq(avd__config_read(&config, path, &why), 0);
	ck_assert(config.known);
	ck_assert_int_eq(access(path, F_OK), -1);
	for (size_t i = 0; i < 4; i++)
		ck_assert_pstr_eq(config.scheduler[i], some_argv[i]);
	ck_assert_ptr_null(config.payload);
	ck_assert_uint_eq(config.cell.settle_ms, 100);
	avd__config_clear(&config);
	/* and the second time it is not there */
	ck_assert_int_eq(avd__config_read(&config, path, &why), -1);
	ck_assert_ptr_nonnull(strstr(text, "No such file"));
	ck_assert_uint_eq(config.cell.carrier.len, strlen("serial"));
	avd__config_clear(&config);
	remove_dir();
}
END_TEST

START_TEST(config_that_is_damaged)
{
	uint8_t bytes[1024], bad[1025];
	static const char *const no_argv[] = {NULL};
	const size_t size = cell_frame(bytes, sizeof(bytes), AVD_PROTOCOL_VERSION, some_argv);

	make_dir();
	/* cut at each byte, each byte changed, and one too many */
	for (size_t i = 0; i <= 2 * size; i++) {
		char text[256];
		struct avd__text why = avd__text_on(text, sizeof(text));
		struct avd__config config = {0};
		memcpy(bad, bytes, size);
		bad[size] = 0;
		if (i > size)
			bad[i - size - 1] ^= 0x40;
		put_file(bad, i < size ? i : i == size ? size + 1 : size, 0600);
		ck_assert_int_eq(avd__config_read(&config, path, &why), -1);
		ck_assert(!config.known);
		ck_assert_uint_gt(why.len, 0);
		avd__config_clear(&config);
		unlink(path);
	}
	for (int i = 0; i < 2; i++) {
		char text[256];
		struct avd__text why = avd__text_on(text, sizeof(text));
		struct avd__config config = {0};
		put_file(bytes,
			 cell_frame(bytes, sizeof(bytes), AVD_PROTOCOL_VERSION + (i ? 0u : 1u),
				    i ? no_argv : some_argv),
			 0600);
		ck_assert_int_eq(avd__config_read(&config, path, &why), -1);
		ck_assert_ptr_nonnull(strstr(text, i ? "argument list" : "protocol"));
		avd__config_clear(&config);
	}
	remove_dir();
}
END_TEST

static void check_hint(const char *file, int error, const char *want)
{
	char text[512];
	struct avd__text hint = avd__text_on(text, sizeof(text));

	avd__explain_exec(&hint, file, error);
	ck_assert_msg(strstr(text, want) != NULL, "%s: not '%s'", text, want);
}

START_TEST(hints_about_exec)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr phdr;
		char interpreter[16];
	} elf = {
		.head = {.e_ident = ELFMAG "\2\1\1",
			 .e_type = ET_DYN,
			 .e_phnum = 1,
			 .e_phoff = sizeof(Elf64_Ehdr)},
		.phdr = {.p_type = PT_INTERP,
			 .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			 .p_filesz = 16},
		.interpreter = "/lib/no-ld.so.9",
	};

	make_dir();
	check_hint(path, ENOENT, "there is no such file in the guest");
	put_file("#! /no/shell -x\nexit 0\n", 23, 0755);
	check_hint(path, ENOENT, "the interpreter \"/no/shell\", which is not in the guest");
	put_file("#!", 2, 0755);
	check_hint(path, ENOENT, "No such file");
	put_file(&elf, sizeof(elf), 0755);
	check_hint(path, ENOENT, "the interpreter \"/lib/no-ld.so.9\"");
	for (size_t i = 0; i < sizeof(elf); i++) { /* a cut one is no reason to read beyond it */
		put_file(&elf, i, 0755);
		check_hint(path, ENOENT, "cannot execute");
	}
	put_file("x", 1, 0644);
	check_hint(path, EACCES, "the file is not executable");
	check_hint(dir, EACCES, "it is no regular file");
	check_hint(path, ENOEXEC, "neither a program of this machine nor a script");
	remove_dir();
}
END_TEST

START_TEST(bpf_objects_are_told_by_content)
{
	Elf64_Ehdr head = {.e_ident = ELFMAG "\2\1\1", .e_type = ET_REL, .e_machine = EM_BPF};

	make_dir();
	ck_assert(!avd__is_bpf_object(path));
	put_file(&head, sizeof(head), 0644);
	ck_assert(avd__is_bpf_object(path));
	put_file(&head, sizeof(head) - 1, 0644);
	ck_assert(!avd__is_bpf_object(path));
	head.e_machine = EM_X86_64;
	put_file(&head, sizeof(head), 0644);
	ck_assert(!avd__is_bpf_object(path));
	remove_dir();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-host");
	TCase *tc = tcase_create("host");
	tcase_add_test(tc, budget_scales_and_saturates);
	tcase_add_test(tc, budget_of_cpu_time);
	tcase_add_test(tc, budget_of_wall_time_does_not_leap);
	tcase_add_test(tc, channel_numbers_and_breaks);
	tcase_add_test(tc, channel_falls_back_to_serial);
	tcase_add_test(tc, logs_up_to_a_limit_and_the_tail);
	tcase_add_test(tc, config_is_read_and_removed);
	tcase_add_test(tc, config_that_is_damaged);
	tcase_add_test(tc, hints_about_exec);
	tcase_add_test(tc, bpf_objects_are_told_by_content);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
