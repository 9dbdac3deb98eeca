// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Which QEMU: its path, its version, whether it was built with the seccomp sandbox. */
#include "qemu/find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu/args.h"
#include "qemu/child.h"

/* `--version` takes 15 ms; a program that is silent for so long is not QEMU. */
#define VERSION_TIMEOUT_MS 10000
/* QEMU's answer has 130 bytes. */
#define VERSION_TEXT_MAX 1024u

static const char program_name[] = "qemu-system-x86_64";

static bool is_program(const char *path, int *ret_err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		*ret_err = errno;
	else if (S_ISDIR(st.st_mode))
		*ret_err = EISDIR;
	else if (access(path, X_OK) < 0)
		*ret_err = errno;
	else
		return true;
	return false;
}

static int search_path(const char *name, char *out, size_t out_size, struct avd__error *error)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];
	int err;

	if (!name || !*name)
		name = program_name;
	for (const char *p = path && *path ? path : "/usr/local/bin:/usr/bin:/bin"; p;) {
		const char *colon = strchr(p, ':');
		const size_t len = colon ? (size_t)(colon - p) : strlen(p);
		const int n = snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)len,
				       len ? p : ".", name);
		if (n > 0 && (size_t)n < out_size && (size_t)n < sizeof(candidate) &&
		    is_program(candidate, &err)) {
			memcpy(out, candidate, (size_t)n + 1);
			return 0;
		}
		p = colon ? colon + 1 : NULL;
	}
	return avd__fail(error, ENOENT,
			 "%s is not in $PATH: install QEMU (Debian, Ubuntu: package "
			 "qemu-system-x86) or name one; `attachverdict doctor` tells more",
			 name);
}

struct answer {
	char text[VERSION_TEXT_MAX]; /* the start of what it printed */
	size_t len;
	bool ok; /* it ended, without complaint */
};

/* Reads until nothing is there: false, or until the end of the stream: true. */
static bool read_answer(int fd, struct answer *answer)
{
	for (;;) {
		char chunk[512];
		const ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		const size_t room = sizeof(answer->text) - 1 - answer->len;
		const size_t kept = (size_t)n < room ? (size_t)n : room;
		memcpy(answer->text + answer->len, chunk, kept);
		answer->len += kept;
		answer->text[answer->len] = '\0';
	}
}

/* Until the program has ended; what it left behind may hold the pipe open for ever. */
static int listen_to(struct avd__child *child, int fd, struct answer *answer)
{
	struct pollfd polled[] = {{.fd = avd__child_fd(child), .events = POLLIN},
				  {.fd = fd, .events = POLLIN}};
	const uint64_t deadline = avd__now_ns() + VERSION_TIMEOUT_MS * UINT64_C(1000000);
	struct avd__child_status status;

	for (;;) {
		const uint64_t now = avd__now_ns();
		const int left = now < deadline ? (int)((deadline - now) / 1000000) + 1 : 0;
		const int ready = poll(polled, 2, left);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready == 0)
			return -ETIMEDOUT;
		const bool ended = avd__child_ended(child, &status);
		if (read_answer(fd, answer))
			polled[1].fd = -1;
		if (ended)
			break;
	}
	answer->ok = !status.known || status.exit_status == 0;
	return 0;
}

/* Runs the program and takes what it prints. */
static int ask(const char *path, char *const argv[], struct answer *answer,
	       struct avd__error *error)
{
	struct avd__child *child = NULL;
	int pipes[2];

	memset(answer, 0, sizeof(*answer));
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		const int err = errno;
		return avd__fail(error, err, "cannot make a pipe: %s", strerror(err));
	}
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err = null_fd < 0 || fcntl(pipes[0], F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
	const int fds[] = {null_fd, pipes[1], pipes[1]};
	int r = err ? avd__fail(error, err, "cannot open /dev/null: %s", strerror(err))
		    : avd__child_start(path, argv, fds, AVD__ARRAY_SIZE(fds), &child, error);
	avd__close(&null_fd);
	avd__close(&pipes[1]);
	if (r == 0) {
		r = listen_to(child, pipes[0], answer);
		if (r == -ETIMEDOUT)
			avd__fail(error, ETIMEDOUT,
				  "%s does not answer --version within %d s: is it QEMU?", path,
				  VERSION_TIMEOUT_MS / 1000);
		else if (r)
			avd__fail(error, -r, "cannot wait for %s: %s", path, strerror(-r));
	}
	avd__child_free(child);
	avd__close(&pipes[0]);
	return r;
}

static int read_version(struct avd__qemu *qemu, struct avd__error *error)
{
	char *const with_sandbox[] = {qemu->info.path, (char *)"-sandbox", (char *)"on",
				      (char *)"--version", NULL};
	char *const without[] = {qemu->info.path, (char *)"--version", NULL};
	struct answer answer;
	char line[160];

	int r = ask(qemu->info.path, with_sandbox, &answer, error);
	if (r)
		return r;
	qemu->info.sandbox = answer.ok && avd__qemu_parse_version(answer.text, &qemu->info) == 0;
	if (qemu->info.sandbox)
		return 0;
	r = ask(qemu->info.path, without, &answer, error);
	if (r)
		return r;
	if (answer.ok && avd__qemu_parse_version(answer.text, &qemu->info) == 0)
		return 0;
	avd__escape(line, sizeof(line), answer.text, strcspn(answer.text, "\r\n"));
	return avd__fail(error, ENOEXEC, "%s is not a QEMU: `--version` says \"%s\"%s",
			 qemu->info.path, line, answer.ok ? "" : " and fails");
}

int avd__qemu_open(const char *path, struct avd__qemu *ret_qemu, struct avd__error *error)
{
	struct avd__qemu qemu = {0};
	int err;

	if (path && strchr(path, '/')) {
		if (strlen(path) >= sizeof(qemu.info.path))
			return avd__fail(error, ENAMETOOLONG, "QEMU's path is too long: %s", path);
		if (!is_program(path, &err))
			return avd__fail(error, err, "cannot run QEMU %s: %s", path, strerror(err));
		memcpy(qemu.info.path, path, strlen(path) + 1);
	} else {
		const int r = search_path(path, qemu.info.path, sizeof(qemu.info.path), error);
		if (r)
			return r;
	}
	const int r = read_version(&qemu, error);
	if (r == 0)
		*ret_qemu = qemu;
	return r;
}

int avd__qemu_find(const char *qemu, struct avd__qemu_info *ret_info, struct avd__error *error)
{
	struct avd__qemu found;
	const int r = avd__qemu_open(qemu, &found, error);
	if (r == 0)
		*ret_info = found.info;
	return r;
}
