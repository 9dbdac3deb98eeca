// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// Which cells are shown: facets and a search, kept in the page's fragment.

const outcomeOf = (index) => kinds[index] === "notrun" ? "UNCONFIRMED" : kinds[index];

const payloads = numbered((cell) => cell.payload ?? "none");
const codes = numbered((cell) => cell.result_code ?? "none");
const facet = (key, title, {values, at}, label = (value) => clip(value, 200)) =>
	({key, title, values, at, label, chosen: new Set(), counts: [], all: false, find: ""});
const ordered = (map, ofIndex) => {
	const keys = [...map.keys()];
	return {values: keys, at: cells.map((cell, index) => keys.indexOf(ofIndex(index)))};
};
const outcomes = new Map([...KINDS].filter(([key]) => key !== "notrun" && (!DOUBTFUL.includes(key) || kinds.includes(key))).map(([key, kind]) => [key, kind.label]));

const FACETS = [
	facet("is", "Result", ordered(STATES, (index) => states[index]), (value) => STATES.get(value)),
	facet("outcome", "Outcome", ordered(outcomes, outcomeOf), (value) => outcomes.get(value)),
	facet("code", "Reason", codes),
	facet("kernel", "Kernel", kernels),
	facet("scheduler", "Scheduler", numbered((cell) => cell.scheduler)),
	facet("topology", "Topology", numbered((cell) => cell.topology)),
	facet("payload", "Payload", payloads),
].filter((each) => each.key === "is" || each.values.length > 1);

const filter = {query: "", matches: new Uint8Array(cells.length), count: cells.length};

let haystacks;

/** Whether every word of the query is in the cell's id, sign, reasons, expectation or command. */
function matcher(query) {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	if (!words.length)
		return () => true;
	haystacks ??= cells.map((cell, index) => [cell.id, KINDS.get(kinds[index]).label, cell.outcome, cell.result_code, cell.reason_code,
		cell.result_reason, cell.command, cell.end_cause, cell.expected].join("\n").toLowerCase());
	return (index) => words.every((word) => haystacks[index].includes(word));
}

/**
 * A facet's counts are of the cells that all the others let through: a cell that misses one facet
 * only still counts there, for it is what another choice of that facet would bring.
 */
function applyFilter() {
	const found = matcher(filter.query);
	const wanted = FACETS.map((each) => each.chosen.size ? each.values.map((value) => each.chosen.has(value)) : null);
	for (const each of FACETS)
		each.counts = new Array(each.values.length).fill(0);
	filter.count = 0;
	for (let index = 0; index < cells.length; index++) {
		let misses = 0, missed = -1;
		filter.matches[index] = 0;
		if (!found(index))
			continue;
		for (let f = 0; f < FACETS.length; f++)
			if (wanted[f] && !wanted[f][FACETS[f].at[index]]) {
				misses++;
				missed = f;
			}
		if (misses === 0) {
			filter.matches[index] = 1;
			filter.count++;
			for (const each of FACETS)
				each.counts[each.at[index]]++;
		} else if (misses === 1) {
			FACETS[missed].counts[FACETS[missed].at[index]]++;
		}
	}
}

const filtering = () => Boolean(filter.query.trim()) || FACETS.some((each) => each.chosen.size);

function clearFilter() {
	filter.query = "";
	for (const each of FACETS)
		each.chosen.clear();
}

// The fragment: is, outcome, ... (repeated), q, view, cell. A link with it shows the same.

function readFragment() {
	const fragment = new URLSearchParams(location.hash.slice(1));
	for (const each of FACETS)
		each.chosen = new Set(fragment.getAll(each.key).filter((value) => each.values.includes(value)));
	filter.query = fragment.get("q") ?? "";
	return {view: fragment.get("view"), cell: fragment.get("cell")};
}

function fragmentOf({view, cell}) {
	const fragment = new URLSearchParams();
	for (const each of FACETS)
		for (const value of each.chosen)
			fragment.append(each.key, value);
	if (filter.query.trim())
		fragment.set("q", filter.query);
	if (view)
		fragment.set("view", view);
	if (cell)
		fragment.set("cell", cell);
	return fragment.toString();
}

// A link that is longer is of no use in a mail, and browsers leave a page whose address is too long.
const FRAGMENT_LIMIT = 16384;

/** Some viewers of artifacts sandbox the page: there the history can't be written. */
function writeFragment(text, push) {
	if (text === location.hash.slice(1) || text.length > FRAGMENT_LIMIT)
		return;
	try {
		history[push ? "pushState" : "replaceState"](null, "", "#" + text);
	} catch {
		location.replace("#" + text);
	}
}

// Values of a facet that are listed; more on demand, and what is beyond that by its own search.
const FACET_SHORT = 8, FACET_LONG = 100;

/** Fills a facet's list anew; `changed` is called when the reader chooses. */
function drawFacet(each, changed) {
	const limit = each.all || each.find ? FACET_LONG : FACET_SHORT, find = each.find.toLowerCase();
	const order = each.values.map((value, number) => number)
		.filter((number) => !find || String(each.values[number]).toLowerCase().includes(find));
	const first = (number) => each.chosen.has(each.values[number]) ? 0 : each.counts[number] ? 1 : 2;
	if (order.length > FACET_SHORT)
		order.sort((a, b) => first(a) - first(b) || a - b);
	each.list.replaceChildren(...order.slice(0, limit).map((number) => {
		const value = each.values[number], chosen = each.chosen.has(value);
		const box = el("input", {type: "checkbox", checked: chosen, value: String(number), on: {change: () => {
			if (box.checked)
				each.chosen.add(value);
			else
				each.chosen.delete(value);
			changed();
			// The list was made anew: the reader stays where he was.
			each.list.querySelector(`input[value="${number}"]`)?.focus();
		}}});
		return el("label", {class: each.counts[number] || chosen ? "choice" : "choice empty", title: each.label(value)},
			box, each.key === "outcome" ? el("i", {class: `k-${value}`}, glyph(KINDS.get(value).path)) : null,
			el("bdi", {}, each.label(value)), el("span", {class: "count"}, count(each.counts[number])));
	}));
	const left = order.length - Math.min(order.length, limit);
	each.more.hidden = !(left || (each.all && !each.find)) || order.length <= FACET_SHORT;
	each.more.textContent = !each.all && !each.find ? `${count(left)} more` :
		left ? `${count(left)} more: search for them` : "fewer";
}

function makeFacets(changed) {
	return FACETS.map((each) => {
		each.list = el("div", {class: "choices"});
		each.more = button("", () => {
			each.all = !each.all;
			drawFacet(each, changed);
		}, {class: "more"});
		const find = each.values.length <= FACET_SHORT ? null : el("input", {type: "search", class: "find",
			placeholder: `find in ${count(each.values.length)}`, "aria-label": `find a ${each.title.toLowerCase()}`,
			on: {input: (event) => {
				each.find = event.target.value;
				drawFacet(each, changed);
			}}});
		return el("fieldset", {"data-facet": each.key}, el("legend", {}, each.title), find, each.list, each.more);
	});
}
