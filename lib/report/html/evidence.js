// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// The evidence of a report: the phases in time, the attach, the CPUs, how it ended.

const PHASES = new Map([
	["boot", "the guest\u2019s init makes ready"], ["start", "the scheduler is started"],
	["gate", "watched until it is surely attached, or surely not"], ["dispatch", "tasks are run on each CPU"],
	["payload", "the payload runs"], ["teardown", "the scheduler is ended, the machine powers off"],
]);

/** [{name, from, to, what}] in ns of the guest's clock; `to` of the last is told by the host's. */
function spans({evidence, machine}) {
	const phases = evidence.phases.map(({phase, time_ns}) => ({name: phase, from: Number(time_ns)}));
	if (!phases.length)
		return [];
	// The host's clock starts with the machine, the guest's a little later: the channel's first
	// byte is seen by both.
	const init = machine.statistics?.init_ns;
	const ahead = init === null || init === undefined ? 0 : Math.max(0, Number(init) - phases[0].from);
	const last = phases[phases.length - 1].from;
	const end = evidence.end ? Math.max(last, Number(evidence.end.wall_ns) - ahead) : null;
	return [{name: "kernel", from: 0}, ...phases].map((span, at, all) => ({...span,
		to: at + 1 < all.length ? Math.max(span.from, all[at + 1].from) : end,
		what: at === 0 ? "from power-on to the guest\u2019s init" : PHASES.get(span.name) ?? ""}));
}

/** Points in time: when the attach was proved, when the kernel threw it out. */
function marks({evidence}, list) {
	const begin = (name) => list.find((span) => span.name === name)?.from;
	const {attach, scheduler_exit: exit} = evidence, found = [];
	if (attach && begin("gate") !== undefined)
		found.push({name: "attached", at: begin("gate") + Number(attach.wall_ns), kind: "passed",
			what: "the first proof of the attach"});
	if (exit && exit.phase_ns !== null && begin(exit.phase) !== undefined)
		found.push({name: "ejected", at: begin(exit.phase) + Number(exit.phase_ns), kind: "DIED",
			what: exit.kind_name ?? ""});
	return found;
}

const seconds = (ns) => `${(ns / 1e9).toFixed(3)} s`;

function timeline(report) {
	const list = spans(report), points = marks(report, list);
	if (!list.length)
		return null;
	const whole = Math.max(1, ...list.map((span) => span.to ?? span.from), ...points.map((point) => point.at));
	const percent = (ns) => `${Math.max(0, Math.min(100, 100 * ns / whole))}%`;
	const log = report.evidence.kernel_log.lines.slice(-200);
	const track = (...parts) => el("td", {class: "track"}, el("div", {}, parts));
	const line = (name, what, cell, from, lasts) => el("tr", {title: clip(what, 200)},
		el("th", {scope: "row"}, name), cell, el("td", {class: "number"}, from), el("td", {class: "number"}, lasts));
	const body = list.map((span) => {
		const bar = el("i", {class: `span p-${PHASES.has(span.name) ? span.name : "kernel"}`});
		bar.style.left = `min(${percent(span.from)}, 100% - 3px)`;
		bar.style.width = percent((span.to ?? whole) - span.from);
		return line(clip(span.name, 30), span.what, track(bar), seconds(span.from),
			span.to > span.from ? duration(span.to - span.from) : NONE);
	});
	const dots = points.map((point) => {
		const dot = el("i", {class: `dot k-${point.kind}`});
		dot.style.left = percent(point.at);
		return line(point.name, point.what, track(dot), seconds(point.at), "");
	});
	const ticks = log.map(({time_us, text}) => {
		const tick = el("i", {class: "tick", title: `${seconds(Number(time_us) * 1000)} ${clip(text, 200)}`});
		tick.style.left = percent(Number(time_us) * 1000);
		return tick;
	});
	if (ticks.length)
		dots.push(line("kernel log", "lines of the kernel\u2019s log", track(...ticks), "", plural(log.length, "line")));
	const heads = ["phase", "", "begins", "lasts"].map((head) => head ? el("th", {scope: "col"}, head) : el("td"));
	return section("Timeline",
		el("table", {class: "timeline"}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, ...body, ...dots)),
		el("p", {class: "fine"}, "After power-on, by the guest\u2019s clock; the end of the last phase by the host\u2019s."));
}

function attachSection({evidence, kernel}) {
	const {attach, failure, scheduler, guest} = evidence;
	return section("Scheduler", facts([
		["attached", attach ? [`ops \u201c${attach.ops}\u201d`,
			`enable_seq ${count(attach.enable_seq_before)} \u2192 ${count(attach.enable_seq)}`,
			attach.switch_all ? "all tasks" : "only tasks of SCHED_EXT"].join(", ") : "no"],
		["after", attach ? `${duration(attach.wall_ns)} from its start, ${duration(attach.cpu_ns)} of CPU time` : null],
		["failure", failure ? failure.code : null],
		["its process", failure ? processEnd(failure) : null],
		["still enabled at the end", yesOrNo(guest.enabled_at_end)],
		["kernel", kernel.release],
		["image", kernel.path ? el("code", {}, long(kernel.path)) : null],
		["arguments", el("code", {}, long(scheduler.argv.join(" ")))],
		["pid in the guest", scheduler.pid],
		["init failed", guest.init_failed ? guest.init_failed.reason : null],
	]));
}

const yesOrNo = (value) => value === null ? null : value ? "yes" : "no";

const processEnd = (end) => [
	end.exit_status === null ? "" : `exit status ${end.exit_status}`,
	end.signal === null ? "" : `killed by signal ${end.signal}`,
	end.errno === null ? "" : `could not be started: errno ${end.errno}`].filter(Boolean).join(", ");

// The largest machine has 252; what names more was made by somebody else.
const CPUS_DRAWN = 512;

/** Boxes of nodes, of their LLCs, of their cores; `chip(cpu)` draws what is in the innermost. */
function nested(list, [[name, key], ...inner], chip) {
	const groups = new Map();
	for (const entry of list)
		groups.set(entry[key], [...groups.get(entry[key]) ?? [], entry]);
	return [...groups].map(([value, group]) => el("div", {class: key},
		name ? el("small", {}, `${name} ${value ?? "?"}`) : null,
		el("div", {class: "inside"}, inner.length ? nested(group, inner, chip) : group.map((entry) => chip(entry.cpu)))));
}

function dispatchWords(dispatch) {
	if (!dispatch)
		return "not looked at";
	const ran = dispatch.ok ? "every CPU" : `${count(dispatch.cpus_ok.length)} of ${plural(dispatch.cpus_online, "CPU")}`;
	return `${ran}; ${count(dispatch.tasks_ok)} of ${plural(dispatch.tasks, "task")} made progress in ` +
		`${duration(dispatch.wall_ns)}, ${plural(dispatch.rounds, "round")}${dispatch.mode ? ` (${dispatch.mode})` : ""}`;
}

/** The CPUs in the shape that the guest's kernel shows, each with what the dispatch probe saw. */
function cpuSection({topology, evidence: {dispatch}, machine}) {
	const {asked, seen, same, difference} = topology;
	const table = (seen?.table ?? []).slice(0, CPUS_DRAWN), ok = new Set(dispatch?.cpus_ok ?? []);
	const chip = (cpu) => dispatch ? el("span", {class: ok.has(cpu) ? "chip good" : "chip bad"},
		glyph(KINDS.get(ok.has(cpu) ? "passed" : "DIED").path), count(cpu), ok.has(cpu) ? null : spoken(" no progress")) :
		el("span", {class: "chip"}, count(cpu));
	const shape = (one) => one ? [one.shape, plural(one.cpus, "CPU"), plural(one.nodes, "node"), plural(one.llcs, "LLC"),
		plural(one.cores, "core"), `${count(one.threads_per_core)} per core`].filter(Boolean).join(", ") : null;
	return section("CPUs and dispatch", facts([
		["ran tasks", dispatchWords(dispatch)],
		["why not", dispatch?.reason],
		["asked for", shape(asked) ?? machine.topology],
		["seen in the guest", shape(seen) ?? "not told"],
		["as asked for", yesOrNo(same)],
		["difference", difference],
	]),
	table.length ? el("div", {class: "cpus"}, nested(table, [["node", "node"], ["LLC", "llc"], ["", "core"]], chip)) : null,
	seen?.table.length > CPUS_DRAWN ? el("p", {class: "fine"}, `the first ${CPUS_DRAWN} CPUs`) : null);
}

function exitSection(exit) {
	return exit && section("Thrown out by the kernel", facts([
		["kind", `${exit.kind_name ?? "not known"} (${exit.kind})`],
		["exit code", exit.exit_code],
		["when", `in phase ${exit.phase}${exit.phase_ns === null ? "" : `, ${duration(exit.phase_ns)} after it began`}`],
		["reason", exit.reason],
		["message", exit.message],
		["told by", exit.source],
		["backtrace", exit.backtrace.length ? el("code", {class: "lines"}, long(exit.backtrace.join("\n"))) : null],
	]));
}

function payloadSection(payload) {
	return payload && section("Payload", facts([
		["command", el("code", {}, long(payload.argv.join(" ")))],
		["ended", payload.ended ? processEnd(payload) : "no: it never ran, or was cut short"],
		["after", payload.ended && payload.wall_ns !== null ? duration(payload.wall_ns) : null],
		["ended by", payload.ended ? payload.ended_by : null],
		["why not", payload.reason],
		["left processes behind", payload.left_some ? "yes" : null],
	]));
}

function machineSection({machine, evidence: {end, guest}, started, recorded_by: by}) {
	const s = machine.statistics ?? {};
	const known = (value, words) => value === null || value === undefined ? null : words(value);
	return section("Machine", facts([
		["kind", [machine.kind, machine.accel ? `(${machine.accel})` : ""].filter(Boolean).join(" ")],
		["chosen because", machine.reason],
		["size", `${plural(machine.cpus, "CPU")}, ${bytes(machine.memory_bytes)}`],
		["channel", machine.carrier],
		["sandbox", machine.sandbox],
		["first instruction", known(s.first_instruction_ns, (ns) => `${duration(ns)}, ${duration(s.start_cpu_ns)} of CPU time`)],
		["init after", known(s.init_ns, duration)],
		["verdict after", known(s.verdict_ns, duration)],
		["memory in use", known(s.ram_resident_bytes, (size) => `${bytes(size)} of the guest, ${bytes(s.overhead_bytes)} beyond it`)],
		["exits", known(s.exits, (exits) => Object.entries(exits).map(([name, number]) => `${name} ${count(number)}`).join(", "))],
		["slowness", known(guest.slowness_permille, (value) => `${(Number(value) / 1000).toFixed(1)} times`)],
		["ended", end ? `${end.cause}${end.code ? ` (${end.code})` : ""} after ${duration(end.wall_ns)}, ` +
			`${duration(end.machine_cpu_ns)} of CPU time` : "not recorded: the recording is cut off"],
		["detail", end?.detail],
		["started", started],
		["recorded by", by],
	]));
}

function channelSection({evidence: {channel, last_phase: last}}) {
	const fault = channel.first_fault;
	return section("Channel", facts([
		["frames", `${count(channel.frames)} in ${bytes(channel.bytes)}`],
		["faults", `${count(channel.faults)}; ${plural(channel.gaps, "gap")}, ${count(channel.skipped_bytes)} bytes skipped`],
		["first fault", fault ? `at ${count(fault.offset)}: ${fault.detail}` : null], ["last phase", last]]));
}
