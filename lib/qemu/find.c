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

/* What the program prints within the time, as text; whether it ended well. */
static int ask(const char *path, char *const argv[], char *text, size_t text_size, bool *ret_ok,
	       struct avd__error *error)
{
	int pipes[2], null_fd;
	struct avd__child *child = NULL;
	struct avd__child_status status = {0};
	size_t len = 0;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return avd__fail(error, errno, "cannot make a pipe: %s", strerror(errno));
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[] = {null_fd, pipes[1], pipes[1]};
	int r = null_fd < 0 ? avd__fail(error, errno, "cannot open /dev/null: %s", strerror(errno))
			    : avd__child_start(path, argv, fds, 3, &child, error);
	avd__close(&null_fd);
	avd__close(&pipes[1]);
	const uint64_t deadline = avd__now_ns() + VERSION_TIMEOUT_MS * UINT64_C(1000000);
	while (r == 0) {
		struct pollfd input = {.fd = pipes[0], .events = POLLIN};
		const uint64_t now = avd__now_ns();
		const int ready =
			now < deadline ? poll(&input, 1, (int)((deadline - now) / 1000000) + 1) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0) {
			r = avd__fail(error, ETIMEDOUT,
				      "%s does not answer --version within %d s: is it QEMU?", path,
				      VERSION_TIMEOUT_MS / 1000);
			break;
		}
		char chunk[512];
		const ssize_t n = read(pipes[0], chunk, sizeof(chunk));
		if (n <= 0)
			break;
		const size_t room = text_size - 1 - len;
		const size_t kept = (size_t)n < room ? (size_t)n : room;
		memcpy(text + len, chunk, kept);
		len += kept;
	}
	text[len] = '\0';
	avd__close(&pipes[0]);
	if (r == 0) {
		/* It closed its output; a QEMU ends right after. */
		struct pollfd end = {.fd = avd__child_fd(child), .events = POLLIN};
		while (poll(&end, 1, VERSION_TIMEOUT_MS) < 0 && errno == EINTR)
			;
		*ret_ok = avd__child_ended(child, &status) &&
			  (!status.known || status.exit_status == 0);
	}
	avd__child_free(child);
	return r;
}

/* One line of hostile or unknown text for an error. */
static void first_line(char *out, size_t size, const char *text)
{
	const size_t len = strcspn(text, "\r\n");
	avd__escape(out, size, text, len);
}

static int read_version(struct avd__qemu *qemu, struct avd__error *error)
{
	char text[VERSION_TEXT_MAX], line[160];
	char *const with_sandbox[] = {qemu->info.path, (char *)"-sandbox", (char *)"on",
				      (char *)"--version", NULL};
	char *const without[] = {qemu->info.path, (char *)"--version", NULL};
	bool ok = false;

	int r = ask(qemu->info.path, with_sandbox, text, sizeof(text), &ok, error);
	if (r)
		return r;
	qemu->sandbox = ok && avd__qemu_parse_version(text, &qemu->info) == 0;
	if (qemu->sandbox)
		return 0;
	r = ask(qemu->info.path, without, text, sizeof(text), &ok, error);
	if (r)
		return r;
	if (ok && avd__qemu_parse_version(text, &qemu->info) == 0)
		return 0;
	first_line(line, sizeof(line), text);
	return avd__fail(error, ENOEXEC, "%s is not a QEMU: `--version` says \"%s\"%s",
			 qemu->info.path, line, ok ? "" : " and fails");
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
