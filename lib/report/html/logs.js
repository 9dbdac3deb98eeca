// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// The logs of a cell: what the scheduler, the verifier, the kernel and the payload said.

// Lines that are shown at once; the library keeps 16 KiB of a stream, so more is rare.
const LINES_SHOWN = 2000;

// What the library keeps of a stream (lib/verdict/evidence.h), and the kernel's priority of errors.
const TAIL = 16384, ERROR = 3;

const BEGIN = "-- BEGIN PROG LOAD LOG --", END = "-- END PROG LOAD LOG --";

/** libbpf prints the verifier's logs among the scheduler's output; the first may have lost its head. */
function verifierLogs(lines) {
	const logs = [];
	let from = 0, name = "", open = false;
	lines.forEach((line, at) => {
		if (line.includes(BEGIN)) {
			name = /prog '([^']*)'/.exec(line)?.[1] ?? "";
			[from, open] = [at + 1, true];
		} else if (line.includes(END) && (open || !logs.length)) {
			logs.push({name: `verifier${name ? ` of ${name}` : ""}`, tail: true, lines: lines.slice(from, at),
				note: open ? "" : "its beginning is not in the recording\u2019s report"});
			open = false;
		}
	});
	return logs;
}

function logsOf({evidence: e}) {
	const output = (name, stream) => stream && {name, lines: stream.lines, note: [
		Number(stream.dropped) ? `${bytes(stream.dropped)} were over the limit and thrown away in the guest` : "",
		Number(stream.bytes) > TAIL ? `the last lines of ${bytes(stream.bytes)}; the recording has them all` : "",
	].filter(Boolean).join("; ")};
	const kernel = {name: "kernel",
		lines: e.kernel_log.lines.map(({time_us, level, text}) => ({text, bad: Number(level) <= ERROR,
			head: `[${(Number(time_us) / 1e6).toFixed(6).padStart(12)}] `})),
		note: Number(e.kernel_log.telling_lines) > e.kernel_log.lines.length ?
			`the first and the last of ${count(e.kernel_log.telling_lines)} lines about sched_ext` : ""};
	return [...verifierLogs(e.scheduler.stderr.lines), ...verifierLogs(e.scheduler.stdout.lines), kernel,
		output("scheduler, stderr", e.scheduler.stderr), output("scheduler, stdout", e.scheduler.stdout),
		output("kernel\u2019s dump", e.scheduler_exit?.dump), output("payload, stdout", e.payload?.stdout),
		output("payload, stderr", e.payload?.stderr), output("console", e.console), output("init", e.guest.init_log)]
		.filter((log) => log && (log.lines.length || log.note));
}

const textOf = (line) => typeof line === "string" ? line : line.head + line.text;

/** The text with the places that match marked. */
function marked(text, query) {
	if (!query)
		return [text];
	const parts = [], low = text.toLowerCase();
	let from = 0;
	for (let at; (at = low.indexOf(query, from)) >= 0; from = at + query.length)
		parts.push(text.slice(from, at), el("mark", {}, text.slice(at, at + query.length)));
	return [...parts, text.slice(from)];
}

function logSection(report) {
	const logs = logsOf(report);
	if (!logs.length)
		return section("Logs", el("p", {class: "hint"},
			"Nothing was said: no output of the scheduler, no line of the kernel about it."));
	const view = {log: logs[0], query: "", hit: -1, all: false};
	const box = el("div", {class: "log wrap", tabindex: "0", role: "region", "aria-label": "log"});
	const found = el("span", {class: "place"}), note = el("p", {class: "fine"});
	const find = el("input", {type: "search", placeholder: "search in this log", "aria-label": "search in this log",
		autocomplete: "off", spellcheck: "false"});
	const wrap = el("input", {type: "checkbox", checked: true, on: {change: () => box.classList.toggle("wrap", wrap.checked)}});
	const tabs = el("div", {class: "tabs", role: "group", "aria-label": "logs"}, ...logs.map((log) =>
		button(`${clip(log.name, 60)} (${count(log.lines.length)})`, () => {
			Object.assign(view, {log, hit: -1, all: false});
			draw();
			begin();
		})));

	/** What a verifier refuses stands at the end of its log. */
	function begin() {
		box.scrollTop = view.log.tail ? box.scrollHeight : 0;
	}
	function draw() {
		const {log} = view, query = view.query.toLowerCase();
		const from = view.all ? 0 : Math.max(0, log.lines.length - LINES_SHOWN);
		logs.forEach((each, at) => tabs.children[at].setAttribute("aria-pressed", each === log));
		box.replaceChildren(...log.lines.slice(from).map((line) => {
			const text = textOf(line), bad = typeof line === "string" ? view.log.tail && /^\s*>>> /.test(line) : line.bad;
			const node = el("div", {class: bad ? "line bad" : "line"});
			node.append(...text.length > LONG_TEXT ? [long(text)] : marked(visible(text), query));
			if (query && node.querySelector("mark"))
				node.classList.add("hit");
			return node;
		}));
		if (from)
			box.prepend(button(`show ${plural(from, "line")} before these`, () => { view.all = true; draw(); }, {class: "more"}));
		note.textContent = log.note ? log.note[0].toUpperCase() + log.note.slice(1) + "." : "";
		const hits = box.querySelectorAll(".hit").length;
		const place = view.hit >= 0 ? `${count(view.hit + 1)} of ` : "";
		found.textContent = !query ? "" : hits ? place + plural(hits, "line") : "nothing";
	}
	function go(by) {
		const hits = box.querySelectorAll(".hit");
		if (!hits.length)
			return;
		view.hit = (view.hit + by + hits.length) % hits.length;
		box.querySelector(".now")?.classList.remove("now");
		hits[view.hit].classList.add("now");
		hits[view.hit].scrollIntoView({block: "nearest"});
		found.textContent = `${count(view.hit + 1)} of ${plural(hits.length, "line")}`;
	}
	find.addEventListener("input", () => { view.query = find.value; view.hit = -1; draw(); });
	find.addEventListener("keydown", (event) => {
		if (event.key !== "Enter")
			return;
		event.preventDefault();
		go(event.shiftKey ? -1 : 1);
	});
	draw();
	requestAnimationFrame(begin);
	return section("Logs", tabs, el("div", {class: "log-tools"}, find, found,
		button("\u2191", () => go(-1), {"aria-label": "line before that matches"}),
		button("\u2193", () => go(1), {"aria-label": "next line that matches"}),
		el("label", {}, wrap, "wrap"),
		copyButton("copy", () => view.log.lines.map(textOf).join("\n"))), box, note);
}
