// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "runner/answer.h"

#include <attachverdict/machine.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "codec/crc32c.h"
#include "vmm/kvm.h"
#include "vmm/vmm.h"

#define DEVICE "/dev/kvm"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define NAME "kvm-answer"
/* First line of the file; the number changes with what the probe tries. */
#define HEAD "attachverdict kvm-answer 1"
/* The last line: over all before it. */
#define SUM "crc32c %08" PRIx32 "\n"
#define SUM_SIZE 16u
/* Key, reason and head have some 800 bytes at most; what is longer is none of ours. */
#define FILE_MAX 2048u

int avd__answer_path(const char *cache_dir, char **ret_path, struct avd__error *error)
{
	/* It is as old as a boot, and so is what stands there. */
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *dir = NULL, *path = NULL;
	int r = 0;
	if (!(cache_dir && *cache_dir) && runtime && *runtime == '/') {
		if (asprintf(&path, "%s/attachverdict/" NAME, runtime) < 0)
			path = NULL;
	} else {
		r = avd__cache_dir(cache_dir, &dir, error);
		if (r < 0)
			return r;
		if (asprintf(&path, "%s/" NAME, dir) < 0)
			path = NULL;
		free(dir);
	}
	if (!path)
		return avd__fail(error, ENOMEM, "out of memory");
	*ret_path = path;
	return 0;
}

int avd_machine_answer_path(const char *cache_dir, char *buffer, size_t size)
{
	char *path;
	const int r = avd__answer_path(cache_dir, &path, NULL);
	if (r < 0)
		return r;
	const int len = snprintf(buffer, size, "%s", path);
	free(path);
	return len;
}

static bool read_boot_id(char *out, size_t size)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const int64_t n = avd__pread_all(fd, out, size - 1, 0);
	avd__close(&fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return *out != '\0';
}

bool avd__answer_key(char *out, size_t size)
{
	char boot_id[64];
	struct stat st;
	struct utsname name;
	/* Rights change without notice: who may not open it is told so by trying. */
	if (access(DEVICE, R_OK | W_OK) < 0 || stat(DEVICE, &st) < 0 || uname(&name) < 0 ||
	    !read_boot_id(boot_id, sizeof(boot_id)))
		return false;
	/* A module that is loaded anew makes a new node: its number and time differ. */
	const int n = snprintf(out, size, "%s %" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%lld.%09ld %s %s",
			       boot_id, (uint64_t)st.st_dev, (uint64_t)st.st_ino,
			       (uint64_t)st.st_rdev, (long long)st.st_ctim.tv_sec,
			       st.st_ctim.tv_nsec, name.release, avd_version());
	return n > 0 && (size_t)n < size;
}

/* The next line of *rest, without its end; NULL: none that is whole. */
static char *next_line(char **rest)
{
	char *line = *rest;
	char *end = line ? strchr(line, '\n') : NULL;
	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static int parse(char *text, size_t size, const char *key, struct avd__kvm_answer *ret_answer)
{
	/* The sum stands in the last line, over all before it. */
	char sum[SUM_SIZE + 1];
	char *rest = text;
	if (strlen(text) != size || size < SUM_SIZE)
		return -ENOENT;
	snprintf(sum, sizeof(sum), SUM, avd__crc32c(0, text, size - SUM_SIZE));
	if (strcmp(text + size - SUM_SIZE, sum) != 0)
		return -ENOENT;
	const char *head = next_line(&rest), *kept = next_line(&rest);
	const char *result = next_line(&rest), *why = next_line(&rest);
	if (!head || !kept || !result || !why || strcmp(head, HEAD) != 0 || strcmp(kept, key) != 0)
		return -ENOENT;
	struct avd__kvm_answer answer = {.remembered = true};
	answer.result = -(int)strtoul(result, NULL, 10);
	snprintf(answer.why, sizeof(answer.why), "%.*s", (int)sizeof(answer.why) - 1, why);
	*ret_answer = answer;
	return 0;
}

int avd__answer_load(const char *path, const char *key, struct avd__kvm_answer *ret_answer)
{
	char text[FILE_MAX + 1];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -ENOENT;
	int64_t n = -1;
	/* What somebody else could have written is nobody's answer. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)) && st.st_size <= (off_t)FILE_MAX)
		n = avd__pread_all(fd, text, FILE_MAX, 0);
	avd__close(&fd);
	if (n <= 0)
		return -ENOENT;
	text[n] = '\0';
	return parse(text, (size_t)n, key, ret_answer);
}

static int write_file(const char *path, const struct avd__buf *text, struct avd__error *error)
{
	char *temporary = NULL;
	int r = 0;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return avd__fail(error, ENOMEM, "out of memory");
	int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		r = -errno;
	else
		r = avd__write_all(fd, text->data, text->len);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		unlink(temporary);
	avd__close(&fd);
	if (r < 0)
		avd__fail(error, -r, "cannot write %s: %s", path, strerror(-r));
	free(temporary);
	return r;
}

int avd__answer_store(const char *path, const char *key, const struct avd__kvm_answer *answer,
		      struct avd__error *error)
{
	struct avd__buf text = {0};
	char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	if (!dir)
		return avd__fail(error, ENOMEM, "out of memory");
	int r = avd__mkdirs(dir, error);
	free(dir);
	if (r < 0)
		return r;
	avd__buf_printf(&text, HEAD "\n%s\n%d\n%s\n", key, -answer->result, answer->why);
	const uint32_t crc = text.error ? 0 : avd__crc32c(0, text.data, text.len);
	avd__buf_printf(&text, SUM, crc);
	r = text.error ? avd__fail(error, -text.error, "out of memory")
		       : write_file(path, &text, error);
	avd__buf_free(&text);
	return r;
}

static void ask_kvm(struct avd__kvm_answer *answer)
{
	struct avd__error error = {0};
	*answer = (struct avd__kvm_answer){.result = avd__vmm_probe(&avd__kvm_system, &error)};
	if (answer->result < 0)
		avd__error_copy(&error, answer->why, sizeof(answer->why));
}

void avd__kvm_answer(const char *cache_dir, bool fresh, const struct avd__log *log,
		     struct avd__kvm_answer *ret_answer)
{
	char key[512];
	char *path = NULL;
	struct avd__error error = {0};
	const bool keyed = avd__answer_key(key, sizeof(key)) &&
			   avd__answer_path(cache_dir, &path, &error) == 0;
	if (keyed && !fresh && avd__answer_load(path, key, ret_answer) == 0) {
		avd__log(log, AVD_LOG_DEBUG, "what " DEVICE " can do is remembered in %s", path);
		free(path);
		return;
	}
	ask_kvm(ret_answer);
	/* -ENOTSUP: it was tried, and failed at an instruction. */
	if (keyed && (ret_answer->result == 0 || ret_answer->result == -ENOTSUP) &&
	    avd__answer_store(path, key, ret_answer, &error) < 0)
		avd__log(log, AVD_LOG_DEBUG, "what " DEVICE " can do is not remembered: %s",
			 error.text);
	free(path);
}
