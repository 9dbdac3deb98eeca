// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The pure parts of the QEMU machine: monitor lines, versions, command lines. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/args.h"
#include "qemu/qmp.h"
#include "qemu/topology.h"
#include "run_suite.h"

/* As QEMU 7.2 sent them. */
static const char greeting[] =
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "
	"\"package\": \"Debian 1:7.2+dfsg-7\"}, \"capabilities\": [\"oob\"]}}";
static const char reset[] = "{\"timestamp\": {\"seconds\": 1795438645, \"microseconds\": 605337}, "
			    "\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, "
			    "\"reason\": \"guest-reset\"}}";
static const char refusal[] = "{\"error\": {\"class\": \"GenericError\", \"desc\": "
			      "\"it says \\\"no\\\" \\u0041\\u00e9\"}}";

static int parse(const char *text, struct avd__qmp_line *line)
{
	memset(line, 0, sizeof(*line));
	return avd__qmp_parse(text, strlen(text), line);
}

START_TEST(qmp_lines_of_a_real_qemu)
{
	struct avd__qmp_line line;
	ck_assert_int_eq(parse(greeting, &line), 0);
	ck_assert(line.greeting);
	ck_assert_str_eq(line.event, "");
	ck_assert_int_eq(parse(reset, &line), 0);
	ck_assert(!line.greeting);
	ck_assert_str_eq(line.event, "SHUTDOWN");
	ck_assert_str_eq(line.reason, "guest-reset");
	ck_assert_int_eq(parse(refusal, &line), 0);
	ck_assert_str_eq(line.error, "it says \"no\" A?");
	ck_assert_int_eq(parse("{\"return\": {}}\r", &line), 0);
	ck_assert_str_eq(line.event, "");
}
END_TEST

/* The words count at their own place only. */
START_TEST(qmp_words_elsewhere_mean_nothing)
{
	static const char *const texts[] = {
		"{\"return\": {\"event\": \"SHUTDOWN\"}}",
		"{\"return\": \"event\"}",
		"{\"data\": {\"inner\": {\"reason\": \"guest-reset\"}}}",
		"{\"data\": [\"reason\", \"guest-reset\"]}",
		"{\"data\": [{\"reason\": \"guest-reset\"}]}",
		"{\"reason\": \"guest-reset\", \"desc\": \"x\"}",
		"{\"id\": \"\\\"event\\\": \\\"SHUTDOWN\\\"\"}",
		"{\"error\": {\"reason\": \"x\"}, \"data\": {\"desc\": \"x\", \"event\": \"x\"}}",
	};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(texts); i++) {
		struct avd__qmp_line line;
		ck_assert_msg(parse(texts[i], &line) == 0, "%s", texts[i]);
		ck_assert_msg(!line.event[0] && !line.reason[0] && !line.error[0], "%s", texts[i]);
	}
}
END_TEST

START_TEST(qmp_lines_that_are_not_sound)
{
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"x",
		"\"event\"",
		"{",
		"{\"event\"",
		"{\"event\":",
		"{\"event\":}",
		"{\"event\": \"SHUTDOWN\"",
		"{\"event\": \"SHUT",
		"{\"event\": \"a\"]",
		"{}}",
		"{\"a\": 1} x",
		"{\"a\" 1}",
		"{a: 1}",
		"{\"a\": \"\\q\"}",
		"{\"a\": \"\\u12\"}",
		"{\"a\": \"\\u12g4\"}",
		"{\"a\": \"\x01\"}",
		"{\"a\": ,}",
		"{,}",
	};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(texts); i++) {
		struct avd__qmp_line line;
		memset(&line, 0x55, sizeof(line));
		ck_assert_msg(avd__qmp_parse(texts[i], strlen(texts[i]), &line) == -1, "%s",
			      texts[i]);
		ck_assert_int_eq(line.event[0], 0x55);
	}
	char deep[64];
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	struct avd__qmp_line line;
	ck_assert_int_eq(avd__qmp_parse(deep, sizeof(deep), &line), -1);
}
END_TEST

/* Each prefix of a sound line is unsound, and none reads past its end (ASan watches). */
START_TEST(qmp_lines_cut_short)
{
	for (size_t len = 0; len < sizeof(reset) - 1; len++) {
		char *copy = malloc(len ? len : 1);
		struct avd__qmp_line line;
		memcpy(copy, reset, len);
		ck_assert_int_eq(avd__qmp_parse(copy, len, &line), -1);
		free(copy);
	}
}
END_TEST

START_TEST(qmp_strings_are_cut)
{
	char text[AVD__QMP_STRING_MAX * 3];
	struct avd__qmp_line line;
	snprintf(text, sizeof(text), "{\"event\": \"%0*d\"}", (int)AVD__QMP_STRING_MAX * 2, 7);
	ck_assert_int_eq(parse(text, &line), 0);
	ck_assert_uint_eq(strlen(line.event), AVD__QMP_STRING_MAX - 1);
}
END_TEST

struct seen {
	int lines;
	struct avd__qmp_line last;
};

static void on_line(void *userdata, const struct avd__qmp_line *line)
{
	struct seen *seen = userdata;
	seen->lines++;
	seen->last = *line;
}

START_TEST(qmp_stream_in_any_slicing)
{
	char text[1024];
	const int len = snprintf(text, sizeof(text), "%s\r\nnoise\n\n{\"return\": {}}\r\n%s\r\n",
				 greeting, reset);
	for (size_t step = 1; step <= (size_t)len; step++) {
		struct avd__qmp qmp = {0};
		struct seen seen = {0};
		for (size_t at = 0; at < (size_t)len; at += step) {
			const size_t rest = (size_t)len - at;
			avd__qmp_feed(&qmp, text + at, rest < step ? rest : step, on_line, &seen);
		}
		ck_assert_int_eq(seen.lines, 3);
		ck_assert_str_eq(seen.last.reason, "guest-reset");
	}
}
END_TEST

START_TEST(qmp_line_too_long_is_skipped_alone)
{
	struct avd__qmp qmp = {0};
	struct seen seen = {0};
	char chunk[1000];
	memset(chunk, ' ', sizeof(chunk));
	avd__qmp_feed(&qmp, "{\"event\": \"A\"", 13, on_line, &seen);
	for (int i = 0; i < 1000; i++)
		avd__qmp_feed(&qmp, chunk, sizeof(chunk), on_line, &seen);
	avd__qmp_feed(&qmp, "}\n", 2, on_line, &seen);
	ck_assert_int_eq(seen.lines, 0);
	avd__qmp_feed(&qmp, "{\"event\": \"B\"}\n", 15, on_line, &seen);
	ck_assert_int_eq(seen.lines, 1);
	ck_assert_str_eq(seen.last.event, "B");
}
END_TEST

START_TEST(versions)
{
	static const struct {
		const char *text;
		uint32_t major, minor, micro;
	} good[] = {
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\n", 7, 2, 22},
		{"QEMU emulator version 10.0.2", 10, 0, 2},
		{"QEMU emulator version 10.1.50 (v10.1.0-rc0-5-gabc)", 10, 1, 50},
	};
	static const char *const bad[] = {"",
					  "QEMU emulator version ",
					  "QEMU emulator version 7",
					  "QEMU emulator version 7.2",
					  "QEMU emulator version 7.2.",
					  "QEMU emulator version x.2.3",
					  "qemu 7.2.22",
					  "QEMU emulator version 7.2.1234567"};
	struct avd__qemu_info info;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(good); i++) {
		memset(&info, 0, sizeof(info));
		ck_assert_int_eq(avd__qemu_parse_version(good[i].text, &info), 0);
		ck_assert_uint_eq(info.major, good[i].major);
		ck_assert_uint_eq(info.minor, good[i].minor);
		ck_assert_uint_eq(info.micro, good[i].micro);
	}
	info.major = 77;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(bad); i++)
		ck_assert_msg(avd__qemu_parse_version(bad[i], &info) == -1, "%s", bad[i]);
	ck_assert_uint_eq(info.major, 77);
}
END_TEST

/* The word after `option`, or NULL. */
static const char *after(char *const *argv, const char *option)
{
	for (; *argv; argv++) {
		if (!strcmp(*argv, option))
			return argv[1];
	}
	return NULL;
}

static struct avd__qemu_setup setup(void)
{
	return (struct avd__qemu_setup){
		.program = "/opt/qemu it's",
		.major = 7,
		.accel = "tcg",
		.sandbox = true,
		.cpus = 3,
		.memory_bytes = (UINT64_C(512) << 20) + 1,
		.kernel_cmdline = "a=b 'c' $d",
	};
}

START_TEST(arguments_of_a_machine)
{
	struct avd__qemu_setup s = setup();
	struct avd__buf words;
	ck_assert_int_eq(avd__qemu_args(&s, &words), 0);
	char **argv = avd__qemu_argv(&words);
	ck_assert_ptr_nonnull(argv);
	ck_assert_str_eq(argv[0], "/opt/qemu it's");
	ck_assert_ptr_nonnull(strstr(after(argv, "-accel"), "tcg,thread=single"));
	ck_assert_str_eq(after(argv, "-smp"), "3");
	ck_assert_str_eq(after(argv, "-m"), "513M");
	ck_assert_str_eq(after(argv, "-append"), "a=b 'c' $d");
	ck_assert_str_eq(after(argv, "-kernel"), "/proc/self/fd/3");
	ck_assert_ptr_nonnull(after(argv, "-S"));
	ck_assert_ptr_nonnull(after(argv, "-sandbox"));
	ck_assert_ptr_null(after(argv, "-object"));
	free(argv);
	avd__buf_free(&words);

	s.major = 10;
	s.sandbox = false;
	s.window = true;
	ck_assert_int_eq(avd__qemu_args(&s, &words), 0);
	argv = avd__qemu_argv(&words);
	ck_assert_ptr_nonnull(strstr(after(argv, "-accel"), "tcg,thread=multi"));
	ck_assert_ptr_null(after(argv, "-sandbox"));
	ck_assert_str_eq(after(argv, "-object"),
			 "memory-backend-file,id=window,share=on,mem-path=/proc/self/fd/9,"
			 "size=8388608");
	free(argv);
	avd__buf_free(&words);

	s.accel = "kvm";
	ck_assert_int_eq(avd__qemu_args(&s, &words), 0);
	argv = avd__qemu_argv(&words);
	ck_assert_str_eq(after(argv, "-accel"), "kvm");
	free(argv);
	avd__buf_free(&words);
}
END_TEST

/* The options of a shape, as they would stand on the command line. */
static const char *shape_line(const char *text, const char *accel, char *out, size_t size)
{
	struct avd__topology topology;
	struct avd__error error;
	struct avd__qemu_setup s = setup();
	struct avd__buf words = {0}, line;
	ck_assert_int_eq(avd__topology_parse(text, &topology, &error), 0);
	ck_assert_msg(avd__qemu_check_topology(&topology, &error) == 0, "%s", error.text);
	s.topology = &topology;
	s.cpus = topology.cpus;
	s.accel = accel;
	s.amd = true;
	avd__qemu_add_topology(&s, &words);
	avd__qemu_word(&words, "");
	ck_assert_int_eq(words.error, 0);
	ck_assert_int_eq(avd__qemu_shell_line(&words, &line), 0);
	snprintf(out, size, "%s", line.data);
	avd__buf_free(&words);
	avd__buf_free(&line);
	return out;
}

START_TEST(arguments_of_a_shape)
{
	char line[8192];
	ck_assert_str_eq(shape_line("2", "tcg", line, sizeof(line)),
			 "-cpu max,vendor=GenuineIntel,min-level=0x20 -m 513M "
			 "-smp 2,sockets=1,dies=1,cores=2,threads=1,maxcpus=2\n");
	ck_assert_str_eq(shape_line("2", "kvm", line, sizeof(line)),
			 "-cpu max,topoext=on -m 513M "
			 "-smp 2,sockets=1,dies=1,cores=2,threads=1,maxcpus=2\n");
	ck_assert_str_eq(shape_line("3n6l2c2t", "tcg", line, sizeof(line)),
			 "-cpu max,vendor=GenuineIntel,min-level=0x20 -m 513M "
			 "-smp 24,sockets=3,dies=2,cores=2,threads=2,maxcpus=24 "
			 "-object memory-backend-ram,id=node0,size=171M "
			 "-numa node,nodeid=0,memdev=node0 -numa cpu,node-id=0,socket-id=0 "
			 "-object memory-backend-ram,id=node1,size=171M "
			 "-numa node,nodeid=1,memdev=node1 -numa cpu,node-id=1,socket-id=1 "
			 "-object memory-backend-ram,id=node2,size=171M "
			 "-numa node,nodeid=2,memdev=node2 -numa cpu,node-id=2,socket-id=2 "
			 "-numa dist,src=0,dst=1,val=20 -numa dist,src=0,dst=2,val=20 "
			 "-numa dist,src=1,dst=2,val=20\n");
	ck_assert_ptr_nonnull(strstr(shape_line("2n2l2+1c1t", "tcg", line, sizeof(line)),
				     "-smp 1,sockets=2,dies=1,cores=2,threads=1,maxcpus=4 "));
	ck_assert_ptr_nonnull(strstr(
		line, " -device max-x86_64-cpu,socket-id=0,die-id=0,core-id=1,thread-id=0 "
		      "-device max-x86_64-cpu,socket-id=1,die-id=0,core-id=0,thread-id=0\n"));
}
END_TEST

START_TEST(shapes_that_qemu_lacks)
{
	static const char *const many[] = {"max-cpu", "max-cpu-nosmt", "1n7l64+1+1+1+1+1+1c1t"};
	struct avd__topology topology;
	struct avd__error error;
	const char *name, *text;
	size_t fit = 0, count = 0;
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		ck_assert_int_eq(avd__topology_parse(many[i], &topology, &error), 0);
		ck_assert_int_eq(avd__qemu_check_topology(&topology, &error), -ENOTSUP);
		ck_assert_ptr_nonnull(strstr(error.text, "kvm"));
	}
	for (; (name = avd__topology_preset(count, &text)); count++) {
		ck_assert_int_eq(avd__topology_parse(text, &topology, &error), 0);
		fit += avd__qemu_check_topology(&topology, &error) == 0;
	}
	ck_assert_uint_eq(fit, count - 2); /* all but max-cpu and max-cpu-nosmt */
}
END_TEST

/* The line that is kept for a user's hands is one that a shell takes apart again. */
START_TEST(arguments_for_a_shell)
{
	struct avd__qemu_setup s = setup();
	struct avd__buf words, line;
	s.program = "printf";
	s.kernel_path = "/tmp/it's a kernel";
	s.initramfs_path = "/x/initramfs";
	s.window = true; /* not by hand */
	ck_assert_int_eq(avd__qemu_args(&s, &words), 0);
	ck_assert_int_eq(avd__qemu_shell_line(&words, &line), 0);
	ck_assert_ptr_nonnull(strstr(line.data, " -kernel '/tmp/it'\\''s a kernel' "));
	ck_assert_ptr_nonnull(strstr(line.data, " -append 'a=b '\\''c'\\'' $d'\n"));
	ck_assert_ptr_null(strstr(line.data, "/proc/self/fd"));
	ck_assert_ptr_null(strstr(line.data, " -S "));
	ck_assert_ptr_null(strstr(line.data, "ivshmem"));
	avd__buf_free(&words);
	avd__buf_free(&line);
}
END_TEST

START_TEST(kernel_command_line)
{
	struct avd__buf line;
	ck_assert_int_eq(avd__qemu_kernel_cmdline(NULL, NULL, false, &line), 0);
	const size_t len = line.len;
	ck_assert_ptr_nonnull(strstr(line.data, "console=ttyS0 "));
	avd__buf_free(&line);
	ck_assert_int_eq(avd__qemu_kernel_cmdline(NULL, "", false, &line), 0);
	ck_assert_uint_eq(line.len, len);
	avd__buf_free(&line);
	ck_assert_int_eq(avd__qemu_kernel_cmdline(NULL, "debug x=1", false, &line), 0);
	ck_assert_str_eq(line.data + len, " debug x=1"); /* last, so that it wins */
	avd__buf_free(&line);
	struct avd__topology topology;
	struct avd__error error;
	ck_assert_int_eq(avd__topology_parse("2n2l2+1c1t", &topology, &error), 0);
	ck_assert_int_eq(avd__qemu_kernel_cmdline(&topology, "debug", false, &line), 0);
	ck_assert_str_eq(line.data + len, " possible_cpus=3 debug");
	avd__buf_free(&line);
	ck_assert_int_eq(avd__topology_parse("2n2l2c1t", &topology, &error), 0);
	ck_assert_int_eq(avd__qemu_kernel_cmdline(&topology, NULL, false, &line), 0);
	ck_assert_uint_eq(line.len, len);
	avd__buf_free(&line);
	ck_assert_int_eq(avd__qemu_kernel_cmdline(&topology, "debug x=1", true, &line), 0);
	ck_assert_str_eq(line.data, "debug x=1");
	avd__buf_free(&line);
	ck_assert_int_eq(avd__qemu_kernel_cmdline(NULL, NULL, true, &line), 0);
	ck_assert_str_eq(line.data, "");
	avd__buf_free(&line);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qemu");
	TCase *tc = tcase_create("qemu");
	tcase_add_test(tc, qmp_lines_of_a_real_qemu);
	tcase_add_test(tc, qmp_words_elsewhere_mean_nothing);
	tcase_add_test(tc, qmp_lines_that_are_not_sound);
	tcase_add_test(tc, qmp_lines_cut_short);
	tcase_add_test(tc, qmp_strings_are_cut);
	tcase_add_test(tc, qmp_stream_in_any_slicing);
	tcase_add_test(tc, qmp_line_too_long_is_skipped_alone);
	tcase_add_test(tc, versions);
	tcase_add_test(tc, arguments_of_a_machine);
	tcase_add_test(tc, arguments_of_a_shape);
	tcase_add_test(tc, shapes_that_qemu_lacks);
	tcase_add_test(tc, arguments_for_a_shell);
	tcase_add_test(tc, kernel_command_line);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
