// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/run_suite.h"

static void on_console(void *userdata, const void *bytes, size_t size)
{
	struct kit *kit = userdata;
	avd__buf_append(&kit->console, bytes, size);
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	struct kit *kit = userdata;
	avd__buf_append(&kit->channel, bytes, size);
	return kit->channel_result;
}

static void on_log(void *userdata, enum avd_log_level level, const char *text)
{
	struct kit *kit = userdata;
	avd__buf_printf(&kit->log, "%d %s\n", (int)level, text);
}

void kit_init(struct kit *kit, const char *args)
{
	static const char guest[] = TINY_GUEST; /* meson.build */
	memset(kit, 0, sizeof(*kit));
	kit->spec = (struct avd__machine_spec){
		.kernel_fd = open(guest, O_RDONLY | O_CLOEXEC),
		.kernel_path = guest,
		.kernel_format = AVD_KERNEL_VMLINUX,
		.kernel_pvh = AVD_YES,
		.initramfs_fd = memfd_create("initramfs", MFD_CLOEXEC | MFD_ALLOW_SEALING),
		.initramfs_bytes = 4096,
		.cpus = 1,
		.memory_bytes = 64 << 20,
		.kernel_args = args,
		.sandbox = true,
		.log = {on_log, kit},
	};
	ck_assert_msg(kit->spec.kernel_fd >= 0, "%s: %s", guest, strerror(errno));
	ck_assert_int_eq(ftruncate(kit->spec.initramfs_fd, 4096), 0);
	ck_assert_int_eq(fcntl(kit->spec.initramfs_fd, F_ADD_SEALS,
			       F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
			 0);
}

void kit_start(struct kit *kit)
{
	const int r = avd__qemu_ops.start(&kit->spec, &kit->machine, &kit->error);
	ck_assert_msg(r == 0, "%d %s", r, kit->error.text);
}

static struct avd__machine_sink sink(struct kit *kit)
{
	return (struct avd__machine_sink){kit, on_console, on_channel};
}

int kit_step(struct kit *kit)
{
	const struct avd__machine_sink to = sink(kit);
	struct pollfd work = {.fd = avd__qemu_ops.fd(kit->machine), .events = POLLIN};
	const int ready = poll(&work, 1, KIT_HANG_SECONDS * 1000);
	ck_assert_msg(ready > 0 || errno == EINTR, "the machine hangs");
	return avd__qemu_ops.step(kit->machine, &to, &kit->end);
}

void kit_run(struct kit *kit)
{
	while (kit_step(kit))
		;
}

void kit_free(struct kit *kit)
{
	avd__qemu_ops.free(kit->machine);
	avd__close(&kit->spec.kernel_fd);
	avd__close(&kit->spec.initramfs_fd);
	avd__buf_free(&kit->console);
	avd__buf_free(&kit->channel);
	avd__buf_free(&kit->log);
}

void kit_wait_channel(struct kit *kit, size_t bytes)
{
	while (kit->channel.len < bytes)
		ck_assert_msg(kit_step(kit) == 1, "it ended: cause %u %s", kit->end.cause,
			      kit->end.detail);
}

void kit_wait_cpu(struct kit *kit, uint64_t ns)
{
	const uint64_t deadline = avd__now_ns() + KIT_HANG_SECONDS * UINT64_C(1000000000);
	while (avd__qemu_ops.cpu_ns(kit->machine) < ns) {
		ck_assert_msg(avd__now_ns() < deadline, "the machine does not run");
		poll(NULL, 0, 1);
	}
}

static size_t entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void *tell_task(void *path)
{
	snprintf(path, 64, "/proc/self/task/%d", (int)gettid());
	return NULL;
}

struct kit_usage kit_usage(void)
{
	pthread_t thread; /* TSan starts one of its own with a process's first */
	char task[64];
	ck_assert_int_eq(pthread_create(&thread, NULL, tell_task, task), 0);
	pthread_join(thread, NULL);
	while (access(task, F_OK) == 0) /* still listed: see kit_check_usage() */
		poll(NULL, 0, 1);
	return (struct kit_usage){entries("/proc/self/fd"), entries("/proc/self/task")};
}

void kit_check_usage(struct kit_usage before)
{
	const struct kit_usage now = kit_usage();
	ck_assert_uint_eq(now.fds, before.fds);
	/* A joined thread may still stand in /proc for a moment: the kernel wakes its joiner
	 * before it takes the thread off the list. */
	const uint64_t deadline = avd__now_ns() + KIT_HANG_SECONDS * UINT64_C(1000000000);
	while (entries("/proc/self/task") != before.threads) {
		ck_assert_msg(avd__now_ns() < deadline, "a thread is left");
		poll(NULL, 0, 1);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

pid_t kit_only_child(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t found = -1;
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		char path[300], text[64];
		snprintf(path, sizeof(path), "/proc/self/task/%s/children", entry->d_name);
		FILE *file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(text, sizeof(text), file) && atoi(text) > 0) {
			ck_assert_int_eq(found, -1);
			found = atoi(text);
		}
		fclose(file);
	}
	closedir(dir);
	return found;
}

char *kit_make_dir(void)
{
	char *dir = NULL;
	const char *tmp = getenv("TMPDIR");
	ck_assert_int_ge(asprintf(&dir, "%s/avd-test-XXXXXX", tmp ? tmp : "/tmp"), 0);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

void kit_remove_dir(char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream)))
		unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
	ck_assert_int_eq(rmdir(dir), 0);
	free(dir);
}

char *kit_fake_qemu(const char *dir, bool version, const char *body)
{
	char *path = NULL;
	ck_assert_int_ge(asprintf(&path, "%s/qemu-system-x86_64", dir), 0);
	/* Written by a process of its own: a thread of ours that forks while we hold it open for
	 * writing would make its exec fail with ETXTBSY. */
	const pid_t pid = fork();
	if (pid == 0) {
		FILE *file = fopen(path, "we");
		if (!file)
			_exit(1);
		fprintf(file, "#!/bin/sh\n%s%s\n",
			version ? "case $*: in *--version:) "
				  "echo 'QEMU emulator version 9.9.9'; exit 0;; esac\n"
				: "",
			body);
		_exit(fchmod(fileno(file), 0755) || fclose(file));
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	return path;
}

int kit_main(Suite *suite)
{
	/* In a process of its own: TSan wants no thread before Check forks. */
	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		struct avd__qemu_info info;
		struct avd__error error = {0};
		if (avd__qemu_find(NULL, &info, &error) != -ENOENT)
			_exit(0);
		printf("skipped: %s\n", error.text);
		fflush(stdout);
		_exit(77);
	}
	int status = -1;
	if (waitpid(pid, &status, 0) == pid && status == 77 << 8) {
		srunner_free(srunner_create(suite));
		return 77;
	}
	return run_suite(suite);
}
