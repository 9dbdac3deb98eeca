// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* A running QEMU as a machine: its streams, and how it ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "qemu/find.h"
#include "qemu/start.h"

/* Read at once from a stream, and at most so often in one step: other streams and the caller's
 * timers get their turn, a chatty guest costs no more than 1 MiB between them. */
#define READ_BYTES ((size_t)64 << 10)
#define READS_PER_STEP 16

/* QEMU's last words on stderr that are kept; its longest fatal message has some 300 bytes. */
#define WORDS_MAX 2048u

static const char triple_fault[] = "Triple fault";

enum stream { CHANNEL, CONSOLE, QMP, TRACE, ERRORS, STREAM_COUNT };

struct avd__machine {
	struct avd__qemu_process process;
	int epoll_fd;
	struct avd__log log;
	struct avd__qmp qmp;
	char shutdown[AVD__QMP_STRING_MAX]; /* reason of the SHUTDOWN event */
	char refusal[AVD__QMP_STRING_MAX]; /* what QMP refused, normally nothing */
	bool running; /* the guest was let run */
	uint64_t memory_bytes;
	uint64_t start_ns, start_cpu_ns; /* when start() began; what it took of its thread */
	uint64_t running_ns, running_cpu_ns; /* when `running` was seen; QEMU's CPU time then */
	bool broke_down; /* it stopped without an order: KVM's internal error */
	uint32_t stop_cause; /* AVD_END_UNKNOWN: none asked for */
	bool serial_speaks; /* the guest did not get the window: frames come by serial */
	bool muted; /* the channel's reader has failed */
	size_t triple_matched;
	bool triple;
	char words[WORDS_MAX];
	size_t words_len;
	bool ended;
	struct avd__machine_end end;
	unsigned char buffer[READ_BYTES];
};

static void machine_stop(struct avd__machine *machine, uint32_t cause)
{
	/* A guest that has ended by itself is told as such, even if its process lingers. */
	if (machine->stop_cause == AVD_END_UNKNOWN && !machine->shutdown[0])
		machine->stop_cause = cause;
	avd__child_kill(machine->process.child);
}

static void on_qmp_line(void *userdata, const struct avd__qmp_line *line)
{
	struct avd__machine *machine = userdata;

	if (line->error[0] && !machine->refusal[0])
		memcpy(machine->refusal, line->error, sizeof(machine->refusal));
	if (!strcmp(line->event, "RESUME") && !machine->running) {
		machine->running = true;
		machine->running_ns = avd__now_ns();
		machine->running_cpu_ns = avd__child_cpu_ns(machine->process.child);
	}
	if (!strcmp(line->event, "SHUTDOWN") && !machine->shutdown[0])
		memcpy(machine->shutdown, line->reason[0] ? line->reason : "unknown",
		       line->reason[0] ? sizeof(machine->shutdown) : sizeof("unknown"));
	/* Nobody pauses our machines: KVM gave up on an instruction. It would stay so for ever. */
	if (!strcmp(line->event, "STOP") && machine->running && !machine->shutdown[0]) {
		machine->broke_down = true;
		avd__child_kill(machine->process.child);
	}
}

/* Finds the words in a stream of any slicing. No proper prefix of them is a suffix of another. */
static void match_triple(struct avd__machine *machine, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !machine->triple; i++) {
		if (bytes[i] != (unsigned char)triple_fault[machine->triple_matched])
			machine->triple_matched = 0;
		if (bytes[i] == (unsigned char)triple_fault[machine->triple_matched])
			machine->triple_matched++;
		machine->triple = triple_fault[machine->triple_matched] == '\0';
	}
}

static void deliver_channel(struct avd__machine *machine, const struct avd__machine_sink *sink,
			    const void *bytes, size_t size)
{
	if (!machine->muted && size && sink->channel(sink->userdata, bytes, size) < 0) {
		machine->muted = true;
		machine_stop(machine, AVD_END_HOST_STOP);
	}
}

/* Beside a window the port is its bell, up to the first byte that is something else: a frame
 * does not start with a bell, so that guest speaks by serial. */
static void skip_doorbells(struct avd__machine *machine, const unsigned char **bytes, size_t *size)
{
	if (!machine->process.window.memory || machine->serial_speaks)
		return;
	while (*size && **bytes == AVD__WINDOW_DOORBELL_BYTE) {
		++*bytes;
		--*size;
	}
	machine->serial_speaks = *size > 0;
}

/* What the guest puts in behind our back it rings for again, so leaving some is no harm. */
static void drain_window(struct avd__machine *machine, const struct avd__machine_sink *sink)
{
	struct avd__window *window = &machine->process.window;
	size_t n, done = 0;

	if (!window->memory)
		return;
	while (done < 2 * (size_t)AVD__WINDOW_DATA_SIZE &&
	       (n = avd__window_take(window, machine->buffer, sizeof(machine->buffer))) > 0) {
		deliver_channel(machine, sink, machine->buffer, n);
		done += n;
	}
	if (window->broken)
		machine_stop(machine, AVD_END_VCPU_ERROR);
}

static void deliver(struct avd__machine *machine, const struct avd__machine_sink *sink, int stream,
		    size_t size)
{
	const unsigned char *bytes = machine->buffer;

	switch ((enum stream)stream) {
	case CHANNEL:
		skip_doorbells(machine, &bytes, &size);
		deliver_channel(machine, sink, bytes, size);
		break;
	case CONSOLE:
		sink->console(sink->userdata, bytes, size);
		break;
	case QMP:
		avd__qmp_feed(&machine->qmp, bytes, size, on_qmp_line, machine);
		break;
	case TRACE:
		match_triple(machine, bytes, size);
		break;
	case ERRORS: {
		const size_t room = sizeof(machine->words) - machine->words_len;
		const size_t kept = size < room ? size : room;
		memcpy(machine->words + machine->words_len, bytes, kept);
		machine->words_len += kept;
		break;
	}
	case STREAM_COUNT:
		break;
	}
}

/* True: nothing more is there now. */
static bool drain(struct avd__machine *machine, const struct avd__machine_sink *sink, int stream)
{
	int *fd = &machine->process.streams[stream];

	for (int i = 0; *fd >= 0 && i < READS_PER_STEP; i++) {
		const ssize_t n = read(*fd, machine->buffer, sizeof(machine->buffer));
		if (n > 0) {
			deliver(machine, sink, stream, (size_t)n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		avd__close(fd); /* its end, or the other side is gone: leaves the epoll set too */
	}
	return *fd < 0;
}

/* What QEMU said, as one line: warnings are not what it died of. */
static void last_words(const struct avd__machine *machine, char *out, size_t size)
{
	const char *p = machine->words, *end = p + machine->words_len;
	size_t len = 0;

	out[0] = '\0';
	while (p < end && len + 1 < size) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;
		const char *text = p;
		if (!memmem(p, (size_t)(stop - p), "warning:", 8) && stop > p) {
			static const char prefix[] = "qemu-system-x86_64: ";
			if ((size_t)(stop - p) > sizeof(prefix) - 1 &&
			    !memcmp(p, prefix, sizeof(prefix) - 1))
				text += sizeof(prefix) - 1;
			if (len && len + 3 < size) {
				memcpy(out + len, "; ", 3);
				len += 2;
			}
			len += avd__escape(out + len, size - len, text, (size_t)(stop - text));
		}
		p = stop + (eol ? 1 : 0);
	}
}

static uint32_t shutdown_cause(const char *reason, bool triple)
{
	if (!strcmp(reason, "guest-reset") || !strcmp(reason, "subsystem-reset"))
		return triple ? AVD_END_TRIPLE_FAULT : AVD_END_GUEST_RESET;
	if (!strcmp(reason, "guest-shutdown"))
		return AVD_END_GUEST_SHUTDOWN;
	if (!strcmp(reason, "guest-panic"))
		return AVD_END_VCPU_ERROR;
	return AVD_END_MACHINE_KILLED; /* host-signal, host-qmp-quit, host-ui, host-error */
}

static void describe_status(const struct avd__child_status *status, const char *words, char *out,
			    size_t size)
{
	const char *colon = words[0] ? ": " : "";
	if (!status->known)
		snprintf(out, size, "QEMU ended, its exit status was taken by another%s%s", colon,
			 words);
	else if (status->signal)
		snprintf(out, size, "QEMU was killed by signal %d%s%s", status->signal, colon,
			 words);
	else
		snprintf(out, size, "QEMU exited with status %d%s%s", status->exit_status, colon,
			 words);
}

static void conclude(struct avd__machine *machine, const struct avd__child_status *status)
{
	struct avd__machine_end *end = &machine->end;
	char words[sizeof(end->detail) - 64];

	last_words(machine, words, sizeof(words));
	if (words[0])
		avd__log(&machine->log, AVD_LOG_WARNING, "QEMU says: %s", words);
	if (machine->stop_cause != AVD_END_UNKNOWN) {
		end->cause = machine->stop_cause;
		/* Nobody else stops a machine for this cause. */
		if (end->cause == AVD_END_VCPU_ERROR)
			snprintf(end->detail, sizeof(end->detail), "%s", AVD__WINDOW_BROKEN);
	} else if (machine->shutdown[0]) {
		end->cause = shutdown_cause(machine->shutdown, machine->triple);
		if (end->cause == AVD_END_MACHINE_KILLED || end->cause == AVD_END_VCPU_ERROR)
			snprintf(end->detail, sizeof(end->detail), "QEMU reports %s",
				 machine->shutdown);
	} else if (machine->broke_down) {
		end->cause = AVD_END_VCPU_ERROR;
		snprintf(end->detail, sizeof(end->detail), "%s",
			 words[0] ? words : "QEMU stopped the guest");
	} else {
		end->cause = machine->running ? AVD_END_MACHINE_KILLED : AVD_END_SPAWN_ERROR;
		describe_status(status, words[0] ? words : machine->refusal, end->detail,
				sizeof(end->detail));
	}
	machine->ended = true;
}

static int machine_step(struct avd__machine *machine, const struct avd__machine_sink *sink,
			struct avd__machine_end *ret_end)
{
	struct avd__child_status status;
	bool dry = true;

	if (!machine->ended) {
		/* Asked first: what a dead process wrote is all there to read. What others may
		 * still hold open (a wrapper's children) is not waited for. */
		const bool dead = avd__child_ended(machine->process.child, &status);
		for (int i = 0; i < STREAM_COUNT; i++)
			dry &= drain(machine, sink, i);
		drain_window(machine, sink);
		if (!dead || !dry)
			return 1;
		conclude(machine, &status);
	}
	*ret_end = machine->end;
	return 0;
}

static void machine_free(struct avd__machine *machine)
{
	if (!machine)
		return;
	avd__child_free(machine->process.child);
	for (int i = 0; i < STREAM_COUNT; i++)
		avd__close(&machine->process.streams[i]);
	if (machine->process.window.memory)
		munmap(machine->process.window.memory, AVD__WINDOW_SIZE);
	avd__close(&machine->epoll_fd);
	free(machine);
}

static int watch(int epoll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int machine_start(const struct avd__machine_spec *spec, struct avd__machine **ret_machine,
			 struct avd__error *error)
{
	_Static_assert(STREAM_COUNT == AVD__QEMU_STREAMS, "start.h and machine.c agree");
	const uint64_t start_ns = avd__now_ns(), cpu_ns = avd__thread_cpu_ns();
	struct avd__machine *machine = calloc(1, sizeof(*machine));
	if (!machine)
		return avd__fail(error, ENOMEM, "out of memory");
	machine->log = spec->log;
	machine->memory_bytes = spec->memory_bytes;
	machine->start_ns = start_ns;
	for (int i = 0; i < STREAM_COUNT; i++)
		machine->process.streams[i] = -1;
	machine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int r = machine->epoll_fd < 0
			? avd__fail(error, errno, "cannot make an epoll set: %s", strerror(errno))
			: avd__qemu_start(spec, &machine->process, error);
	if (r == 0)
		r = watch(machine->epoll_fd, avd__child_fd(machine->process.child));
	for (int i = 0; r == 0 && i < STREAM_COUNT; i++)
		r = watch(machine->epoll_fd, machine->process.streams[i]);
	if (r) {
		if (machine->process.child) /* watch() has no words of its own */
			avd__fail(error, -r, "cannot watch QEMU: %s", strerror(-r));
		machine_free(machine);
		return r;
	}
	machine->start_cpu_ns = avd__thread_cpu_ns() - cpu_ns;
	*ret_machine = machine;
	return 0;
}

static int machine_fd(const struct avd__machine *machine)
{
	return machine->epoll_fd;
}

static const char *machine_sandbox(const struct avd__machine *machine)
{
	return machine->process.sandbox ? "seccomp" : "none";
}

static uint64_t machine_cpu_ns(const struct avd__machine *machine)
{
	return avd__child_cpu_ns(machine->process.child);
}

static uint64_t machine_wait_ns(const struct avd__machine *machine)
{
	return avd__child_wait_ns(machine->process.child);
}

static void machine_stats(const struct avd__machine *machine, struct avd_machine_stats *stats)
{
	if (!machine->running)
		return;
	stats->first_instruction_ns = machine->running_ns - machine->start_ns;
	stats->start_cpu_ns = machine->start_cpu_ns + machine->running_cpu_ns;
	stats->valid |= AVD_STAT_FIRST_INSTRUCTION | AVD_STAT_START_CPU;
}

static bool machine_memory(const struct avd__machine *machine, uint64_t *ret_ram,
			   uint64_t *ret_overhead)
{
	return avd__child_memory(machine->process.child, machine->memory_bytes, ret_ram,
				 ret_overhead);
}

static int machine_probe(const char *path, const char **ret_accel, struct avd__error *error)
{
	struct avd__qemu qemu;
	const int r = avd__qemu_open(path, &qemu, error);
	if (r == 0)
		*ret_accel =
			"tcg"; /* always; whether KVM is any better is not for us to find out */
	return r;
}

const struct avd__machine_ops avd__qemu_ops = {
	.name = "qemu",
	.has_window = true,
	.probe = machine_probe,
	.start = machine_start,
	.fd = machine_fd,
	.step = machine_step,
	.stop = machine_stop,
	.cpu_ns = machine_cpu_ns,
	.wait_ns = machine_wait_ns,
	.stats = machine_stats,
	.memory = machine_memory,
	.sandbox = machine_sandbox,
	.free = machine_free,
};
