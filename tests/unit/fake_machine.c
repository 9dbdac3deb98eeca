// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "fake_machine.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "codec/message.h"

struct fake_machine fake;

static const uint8_t fake_nonce[AVD_NONCE_SIZE] = "not so random..";
static uint8_t frames[65536];
static size_t frames_used;
static uint32_t guest_seq;

struct avd__machine {
	int fd;
};

void fake_reset(void)
{
	fake = (struct fake_machine){.now = 1000 * UINT64_C(1000000000)};
	frames_used = 0;
	guest_seq = 0;
}

static struct fake_action *add(enum fake_kind kind)
{
	ck_assert_uint_lt(fake.count, sizeof(fake.actions) / sizeof(fake.actions[0]));
	struct fake_action *action = &fake.actions[fake.count++];
	*action = (struct fake_action){.kind = kind};
	return action;
}

void fake_bytes(enum fake_kind kind, const void *bytes, size_t size)
{
	struct fake_action *action = add(kind);
	action->bytes = bytes;
	action->size = size;
}

void fake_text(const char *text)
{
	fake_bytes(FAKE_CONSOLE, text, strlen(text));
}

void fake_time(uint64_t wall, uint64_t cpu)
{
	struct fake_action *action = add(FAKE_TIME);
	action->wall = wall;
	action->cpu = cpu;
}

void fake_end(uint32_t cause)
{
	add(FAKE_END)->cause = cause;
}

void fake_message(const struct avd_message *message)
{
	uint8_t *at = frames + frames_used;
	const size_t size =
		avd__message_frame(message, guest_seq, at, sizeof(frames) - frames_used);
	ck_assert_uint_gt(size, 0);
	guest_seq++;
	frames_used += size;
	fake_bytes(FAKE_CHANNEL, at, size);
}

static struct avd_str text(const char *s)
{
	return (struct avd_str){.data = s, .len = strlen(s)};
}

void fake_frame(uint32_t kind)
{
	static const uint8_t cpus[] = {3};
	struct avd_message m = {.kind = kind, .time_ns = (guest_seq + 1) * UINT64_C(1000000)};
	switch (kind) {
	case AVD_MSG_HELLO:
		m.u.hello.protocol = AVD_PROTOCOL_VERSION;
		m.u.hello.nonce = (struct avd_bytes){fake_nonce, sizeof(fake_nonce)};
		m.u.hello.release = text("7.3.4-test");
		m.u.hello.cpus_online = 2;
		m.u.hello.slowness_permille = 1000;
		break;
	case AVD_MSG_SCHEDULER_STARTED:
		m.u.started.pid = 42;
		break;
	case AVD_MSG_SCHEDULER_ATTACHED:
		m.u.attached.ops = text("fifo");
		m.u.attached.enable_seq = 1;
		m.u.attached.switch_all = 1;
		break;
	case AVD_MSG_DISPATCH:
		m.u.dispatch.ok = 1;
		m.u.dispatch.cpus_online = 2;
		m.u.dispatch.cpus_ok = (struct avd_bytes){cpus, sizeof(cpus)};
		break;
	case AVD_MSG_SCHEDULER_DIED:
		m.u.failure.code = AVD_REASON_EXITED;
		m.u.failure.reason = text("it exited with status 3");
		m.u.failure.exit_status = 3;
		break;
	case AVD_MSG_DONE:
		m.u.done.enabled_at_end = 1;
		break;
	default:
		break;
	}
	fake_message(&m);
}

static void fake_phase(uint32_t phase)
{
	const struct avd_message m = {.kind = AVD_MSG_PHASE,
				      .time_ns = (guest_seq + 1) * UINT64_C(1000000),
				      .u.phase.phase = phase};
	fake_message(&m);
}

void fake_attach(void)
{
	fake_frame(AVD_MSG_HELLO);
	fake_phase(AVD_PHASE_BOOT);
	fake_phase(AVD_PHASE_START);
	fake_frame(AVD_MSG_SCHEDULER_STARTED);
	fake_phase(AVD_PHASE_GATE);
	fake_frame(AVD_MSG_SCHEDULER_ATTACHED);
	fake_frame(AVD_MSG_PAYLOAD_STARTING);
	fake_phase(AVD_PHASE_DISPATCH);
	fake_frame(AVD_MSG_DISPATCH);
	fake_frame(AVD_MSG_HEARTBEAT);
}

void fake_good(void)
{
	fake_attach();
	fake_phase(AVD_PHASE_TEARDOWN);
	fake_frame(AVD_MSG_DONE);
	fake_end(AVD_END_GUEST_SHUTDOWN);
}

/* Check's own assertions allocate, which would confuse a test that counts allocations. */
static void must(int condition)
{
	if (!condition)
		abort();
}

static int fake_probe(const char *qemu, const char **ret_accel, struct avd__error *error)
{
	(void)qemu;
	if (fake.probe_error)
		return avd__fail(error, fake.probe_error, "no fake machine here");
	*ret_accel = "fake";
	return 0;
}

static int fake_start(const struct avd__machine_spec *spec, struct avd__machine **ret_machine,
		      struct avd__error *error)
{
	must(spec->initramfs_fd >= 0);
	must(spec->cpus == 2);
	if (fake.start_error)
		return avd__fail(error, fake.start_error, "the fake machine does not start");
	struct avd__machine *machine = malloc(sizeof(*machine));
	if (!machine)
		return avd__fail(error, ENOMEM, "out of memory");
	machine->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* always has work */
	must(machine->fd >= 0);
	fake.starts++;
	*ret_machine = machine;
	return 0;
}

static int fake_fd(const struct avd__machine *machine)
{
	return machine->fd;
}

static int play(const struct fake_action *action, const struct avd__machine_sink *sink,
		struct avd__machine_end *ret_end)
{
	switch (action->kind) {
	case FAKE_CHANNEL:
		return sink->channel(sink->userdata, action->bytes, action->size) < 0 ? 0 : 1;
	case FAKE_CONSOLE:
		sink->console(sink->userdata, action->bytes, action->size);
		return 1;
	case FAKE_TIME:
		fake.now += action->wall;
		fake.cpu += action->cpu;
		return 1;
	case FAKE_END:
		ret_end->cause = action->cause;
		snprintf(ret_end->detail, sizeof(ret_end->detail), "as the script says");
		return 0;
	case FAKE_ERROR:
		return -(int)action->cause;
	}
	return -EINVAL;
}

static int fake_step(struct avd__machine *machine, const struct avd__machine_sink *sink,
		     struct avd__machine_end *ret_end)
{
	fake.steps++;
	fake.now += 1000;
	if (fake.stopped && !fake.stubborn) {
		ret_end->cause = fake.stopped;
		return 0;
	}
	eventfd_t work;
	if (fake.quiet && fake.at + 1 >= fake.count)
		(void)eventfd_read(machine->fd, &work);
	if (fake.at < fake.count)
		return play(&fake.actions[fake.at++], sink, ret_end);
	fake.now += fake.pace_wall;
	fake.cpu += fake.pace_cpu;
	return 1;
}

static void fake_stop(struct avd__machine *machine, uint32_t cause)
{
	(void)machine;
	must(fake.stopped == 0); /* told once */
	fake.stopped = cause;
}

static uint64_t fake_cpu_ns(const struct avd__machine *machine)
{
	(void)machine;
	return fake.cpu;
}

static void fake_stats(const struct avd__machine *machine, struct avd_machine_stats *stats)
{
	(void)machine;
	if (!(fake.stats.valid & AVD_STAT_EXITS))
		return;
	stats->exits = stats->exits_io = fake.stats.exits;
	stats->valid |= AVD_STAT_EXITS;
}

static bool fake_memory(const struct avd__machine *machine, uint64_t *ret_ram,
			uint64_t *ret_overhead)
{
	(void)machine;
	if (!(fake.stats.valid & AVD_STAT_MEMORY))
		return false;
	*ret_ram = fake.stats.ram_resident_bytes;
	*ret_overhead = fake.stats.overhead_bytes;
	return true;
}

static void fake_free(struct avd__machine *machine)
{
	if (!machine)
		return;
	fake.frees++;
	avd__close(&machine->fd);
	free(machine);
}

static const char *fake_sandbox(const struct avd__machine *machine)
{
	(void)machine;
	return "none";
}

const struct avd__machine_ops fake_ops = {
	.name = "fake",
	.probe = fake_probe,
	.start = fake_start,
	.fd = fake_fd,
	.step = fake_step,
	.stop = fake_stop,
	.cpu_ns = fake_cpu_ns,
	.stats = fake_stats,
	.memory = fake_memory,
	.sandbox = fake_sandbox,
	.free = fake_free,
};

static int fake_prepare(struct avd_cell *cell, struct avd__cell_boot *boot,
			struct avd__error *error)
{
	if (fake.prepare_error)
		return avd__fail(error, fake.prepare_error, "nothing to boot");
	boot->kernel_path = strdup("/boot/fake");
	boot->kernel_release = strdup("7.3.4-test");
	if (!boot->kernel_path || !boot->kernel_release)
		return avd__fail(error, ENOMEM, "out of memory");
	boot->initramfs_fd = memfd_create("fake", MFD_CLOEXEC);
	must(boot->initramfs_fd >= 0);
	boot->initramfs_bytes = 0;
	if (fake.cancel_in_prepare)
		avd_cell_cancel(cell);
	return avd__cell_frame(cell, boot, "/bin/sched", NULL, &boot->frame, &boot->frame_size,
			       error);
}

static uint64_t fake_now(void *userdata)
{
	(void)userdata;
	if (fake.looks && --fake.looks == 0)
		fake.now += fake.leap;
	return fake.now;
}

struct avd_cell_options fake_options(void)
{
	static const char *const scheduler[] = {"/bin/sched", "-v"};
	return (struct avd_cell_options){
		.size = sizeof(struct avd_cell_options),
		.scheduler = scheduler,
		.scheduler_count = 2,
	};
}

avd_cell *fake_cell(const struct avd_cell_options *options)
{
	const struct avd__cell_hooks hooks = {
		.machine = &fake_ops,
		.prepare = fake_prepare,
		.now = fake_now,
		.nonce = fake_nonce,
	};
	char error[256] = "";
	avd_cell *cell;
	if (avd_cell_new(options, &cell, error, sizeof(error)) < 0)
		return NULL;
	avd__cell_set_hooks(cell, &hooks);
	return cell;
}
