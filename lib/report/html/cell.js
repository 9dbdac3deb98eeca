// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// One cell: what it came to and why, how to run it again, and its report if the page has it.

function makeCell() {
	const dialog = $("cell");
	dialog.addEventListener("close", () => {
		if (dialog.open) // again, before the event came
			return;
		const last = state.cell;
		state.cell = null;
		keepFragment();
		dialog.replaceChildren();
		if (last !== null)
			focusCell(last);
	});
	// A click beside the panel closes it.
	dialog.addEventListener("mousedown", (event) => {
		if (event.target === dialog && event.offsetX < 0)
			dialog.close();
	});
}

function openCell(index) {
	showCell(index);
	keepFragment(true);
}

/** To the next cell that matches (or the one before). */
function step(by) {
	const list = shownCells(), at = list.indexOf(state.cell);
	const index = list[at < 0 ? 0 : at + by];
	if (index === undefined)
		return say(by > 0 ? "this is the last one" : "this is the first one");
	showCell(index);
	keepFragment();
}

function section(title, ...children) {
	const shown = children.flat().filter(Boolean);
	return shown.length ? el("section", {}, el("h3", {}, title), shown) : null;
}

/** Names and values; those that are not known are left out. */
function facts(list) {
	const known = list.filter(([, value]) => value !== null && value !== undefined && value !== "");
	return known.length ? el("dl", {class: "facts"}, ...known.map(([name, value]) =>
		el("div", {}, el("dt", {}, name), el("dd", {}, value instanceof Node ? value : long(value))))) : null;
}

function cellHead(index, list) {
	const at = list.indexOf(index), kind = kinds[index];
	const place = at < 0 ? "not in the filter" : `${count(at + 1)} of ${count(list.length)}`;
	return el("header", {class: "cell-head"},
		el("p", {class: "badges"},
			el("span", {class: `badge k-${kind} ${states[index]}`}, glyph(KINDS.get(kind).path), KINDS.get(kind).label),
			el("span", {class: `state ${states[index]}`}, STATES.get(states[index]))),
		el("h2", {id: "cell-title", tabindex: "-1"}, long(cells[index].id, 300)),
		el("nav", {"aria-label": "cells"},
			button("\u2190 previous", () => step(-1), {"data-step": "-1", title: "p", disabled: at === 0}),
			el("span", {class: "place"}, place),
			button("next \u2192", () => step(1), {"data-step": "1", title: "n", disabled: at === list.length - 1}),
			copyButton("copy link", () => location.href),
			button("close", () => $("cell").close(), {class: "close", title: "Esc"})));
}

/** The words of the results alone; the report adds to it. */
function cellWords(cell, index) {
	return el("section", {class: "words"},
		states[index] === "doubted" ? el("p", {class: "note doubt"}, `Not proved: ${KINDS.get(kinds[index]).told}. The results say:`) : null,
		el("p", {class: "reason"}, cell.result_reason ? long(cell.result_reason) :
			cell.result === "passed" ? "The scheduler turned on, and was still enabled at the end." :
				KINDS.get(kinds[index]).told),
		el("p", {id: "hint", class: "hint", hidden: true}),
		facts([
			["expected", cell.expected],
			["came to", cell.ran ? `${claimOf(cell)}: ${STATES.get(states[index])}` : null],
			["scheduler", cell.scheduler],
			["kernel", cell.kernel],
			["topology", cell.topology],
			["payload", cell.payload],
			["machine ended", cell.end_cause],
			["took", cell.ran ? `${duration(cell.wall_ns)}, ${duration(cell.machine_cpu_ns)} of the host\u2019s CPU time` : null],
			["recording", cell.recording ? el("code", {}, long(cell.recording)) : null],
			["digest", el("code", {}, clip(cell.digest, 40))],
		]));
}

// A command of more words is shown as any text.
const COMMAND_WORDS = 300;

/** A command, broken between its words rather than after a dash. */
function words(text) {
	const list = text.split(" ");
	return list.length > COMMAND_WORDS || text.length > LONG_TEXT ? long(text) :
		el("bdi", {}, ...list.flatMap((word, at) => [at ? " " : "", el("span", {class: "word"}, visible(word))]));
}

function cellCommand(cell) {
	return section("Run it again", el("div", {class: "command"},
		el("code", {tabindex: "0", role: "region", "aria-label": "command"}, words(cell.command)),
		copyButton("copy", () => cell.command)));
}

function showCell(index) {
	const dialog = $("cell"), cell = cells[index], within = document.activeElement?.dataset?.step;
	const report = el("div", {id: "report", "aria-busy": "true"}, el("p", {class: "hint"}, "Reading its details\u2026"));
	state.cell = index;
	dialog.replaceChildren(cellHead(index, shownCells()),
		el("div", {class: "cell-body"}, cellWords(cell, index), cellCommand(cell), report));
	if (!dialog.open)
		dialog.showModal();
	// Whoever goes from cell to cell by the button stays on it.
	const stay = within && dialog.querySelector(`[data-step="${within}"]:not([disabled])`);
	(stay || $("cell-title")).focus();
	fillReport(index, report);
}

async function fillReport(index, into) {
	const {report, why, note} = await reportOf(index);
	if (state.cell !== index || !into.isConnected)
		return;
	into.setAttribute("aria-busy", "false");
	if (why)
		return into.replaceChildren(section("Details", el("p", {class: "note"}, long(why))));
	try {
		if (report.hint && note === undefined) {
			$("hint").hidden = false;
			$("hint").replaceChildren(long(report.hint));
		}
		const doubt = note === undefined ? [] : [section("Not the same",
			el("p", {class: "note"}, "What follows is from the recording, and does not fit the results above: ", long(note)))];
		into.replaceChildren(...doubt, ...reportSections(report).filter(Boolean));
	} catch (error) {
		// Of another release than this page, or damaged: what the results say stands above.
		into.replaceChildren(section("Details", el("p", {class: "note"}, `They can't be shown: ${clip(error.message, 200)}`)));
	}
}

function reportSections(report) {
	const e = report.evidence;
	return [timeline(report), attachSection(report), cpuSection(report), exitSection(e.scheduler_exit), payloadSection(e.payload),
		programSection(e), logSection(report), machineSection(report), channelSection(report)];
}
