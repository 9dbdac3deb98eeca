// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/verdict.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cpus.h"
#include "crash.h"
#include "init.h"
#include "load.h"
#include "mounts.h"
#include "pid1.h"
#include "power.h"

static void hello(struct avd__init *init)
{
	struct utsname name = {0};

	uname(&name);
	struct avd_message message = {
		.kind = AVD_MSG_HELLO,
		.u.hello = {.protocol = AVD_PROTOCOL_VERSION,
			    .nonce = init->config.cell.nonce,
			    .release = {.data = name.release, .len = strlen(name.release)},
			    .cpus_online = init->probe.cpus,
			    .slowness_permille = init->slowness,
			    .carrier = {.data = init->channel.carrier.ops->name,
					.len = strlen(init->channel.carrier.ops->name)}}};
	avd__channel_send(&init->channel, &message);
}

/* What the host asked, and the way to tell it anything. `notes` is for it to read later. */
static void set_up_channel(struct avd__init *init, struct avd__text *notes)
{
	char text[512];
	struct avd__text why = avd__text_on(text, sizeof(text));
	const bool known = avd__config_read(&init->config, AVD__CONFIG_PATH, &why) == 0;
	rmdir("/.attachverdict");

	if (avd__channel_open(&init->channel, init->config.cell.carrier, notes) < 0) {
		if (!known)
			avd__console(why.data);
		avd__console(notes->data);
		avd__power_off();
	}
	avd__crash_handlers(&init->channel);
	if (!known)
		avd__fatal(init, why.data);
}

static void set_up_system(struct avd__init *init)
{
	char text[512];
	struct avd__text why = avd__text_on(text, sizeof(text));

	avd__pid1_settle();
	avd__loopback_up();
	avd__kmsg_open(&init->kmsg);
	avd__kmsg_catch_up(&init->kmsg, &init->channel, &init->facts);
	init->kmsg.started = true;
	init->sysrq = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	if (avd__pid1_realtime(&why) < 0)
		avd__fatal(init, why.data);
}

/* Before anything is timed. Also for a kernel without sched_ext: the host asked for a shape. */
static void tell_topology(struct avd__init *init)
{
	static struct avd__cpus cpus;
	const int system = open("/sys/devices/system", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (system < 0) {
		avd__channel_note(&init->channel, "no /sys/devices/system: %s", strerror(errno));
		return;
	}
	avd__cpus_read(system, &cpus);
	close(system);
	struct avd_message message = {
		.kind = AVD_MSG_TOPOLOGY,
		.u.topology = {.cpus_possible = cpus.possible,
			       .nodes = cpus.nodes,
			       .cpus = {.data = cpus.table, .len = cpus.len}}};
	avd__channel_send(&init->channel, &message);
}

/* Can a scheduler be started here at all? */
static bool kernel_is_ready(struct avd__init *init)
{
	struct avd__scx_reading scx = {0};

	if (avd__scx_open(&init->scx) < 0) {
		init->scx.state = -1;
		avd__outcome_refuse(init, AVD_REASON_NO_SCHED_EXT, &scx,
				    "this kernel has no /sys/kernel/sched_ext: it was built "
				    "without CONFIG_SCHED_CLASS_EXT");
		return false;
	}
	avd__scx_read(&init->scx, &scx);
	if (scx.state == AVD__SCX_DISABLED)
		return true;
	avd__outcome_refuse(init, AVD_REASON_BUSY, &scx,
			    "a scheduler is there already, before this one was started");
	return false;
}

static void run(struct avd__init *init)
{
	if (!kernel_is_ready(init))
		return;
	avd__enter_phase(init, AVD_PHASE_START);
	avd__start_prepare(init);
	avd__start_scheduler(init);
	avd__enter_phase(init, AVD_PHASE_GATE);
	init->attached = avd__outcome(init);
	if (!init->attached)
		return;
	avd__dispatch(init);
	avd__payload(init);
}

static void init_main(void)
{
	static struct avd__init init;

	char why_text[512], notes_text[512];
	struct avd__text why = avd__text_on(why_text, sizeof(why_text));
	struct avd__text notes = avd__text_on(notes_text, sizeof(notes_text));

	for (size_t i = 0; i < 4; i++)
		avd__output_init(&init.outputs[i], 0, -1, 0);
	init.kmsg.fd = -1;
	init.sysrq = -1;
	init.cpu_stat = init.cgroup_events = init.payload_events = -1;
	/* First: the window is found through /dev and /sys. */
	const bool mounted = avd__mounts_make(&notes, &why) == 0;
	set_up_channel(&init, &notes);
	avd__probe_cpus(&init.probe);
	init.slowness = avd__slowness_measure();
	hello(&init);
	avd__enter_phase(&init, AVD_PHASE_BOOT);
	if (!mounted)
		avd__fatal(&init, why.data);
	if (notes.len)
		avd__channel_note(&init.channel, "%s", notes.data);
	set_up_system(&init);
	tell_topology(&init);
	run(&init);
	avd__teardown(&init);
	avd__power_off();
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		init_main();
	if (argc == 4 && !strcmp(argv[1], "--load"))
		return avd__load(argv[3], (uint32_t)strtoul(argv[2], NULL, 10));
	fprintf(stderr, "attachverdict-init is the first process of a guest of attachverdict; "
			"elsewhere it does nothing\n");
	return 2;
}
