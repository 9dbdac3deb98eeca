// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// The documents in the page (results.schema.json; a report.schema.json for each cell; which results
// their recordings don't prove), and the grid that they make. Names are keys of Maps only: a cell may be called __proto__.

const results = JSON.parse($("results").textContent);
const cells = results.cells;
const doubts = JSON.parse($("doubts").textContent);

/** How a cell is drawn and named; each has a shape of its own, so that no colour is needed. */
const KINDS = new Map([
	["passed", {label: "passed", told: "ATTACHED, passed", path: "M3 8.5 6.5 12 13 4.5"}],
	["failed", {label: "ATTACHED, failed", told: "ATTACHED, but failed", path: "M8 2.5 14 13H2ZM8 6.5V9.5M8 11V11.6"}],
	["DIED", {label: "DIED", told: "DIED", path: "M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5"}],
	["NOT_ATTACHED", {label: "NOT_ATTACHED", told: "NOT_ATTACHED", path: "M8 2A6 6 0 1 0 8 14 6 6 0 1 0 8 2M4 12 12 4"}],
	["UNCONFIRMED", {label: "UNCONFIRMED", told: "UNCONFIRMED", path: "M5 5.8A3 3 0 1 1 8 8.6V10.2M8 12.6V13.2"}],
	["contradicted", {label: "contradicted", told: "its recording contradicts these results", path: "M3 6H13M3 10H13M11 2.5 5 13.5"}],
	["unreadable", {label: "unreadable", told: "its recording can\u2019t be read", path: "M4 2H9.5L12 4.5V14H4ZM6.5 7.5 9.5 11M9.5 7.5 6.5 11"}],
	["notrun", {label: "not run", told: "UNCONFIRMED, not run", path: "M3 8H5M7 8H9M11 8H13"}],
]);

/** What nobody proved is not shown as what it claims to be. */
const kindOf = (cell, index) => !cell.ran ? "notrun" :
	Object.hasOwn(doubts.contradicted, index) ? "contradicted" :
	Object.hasOwn(doubts.unreadable, index) ? "unreadable" :
	cell.outcome !== "ATTACHED" ? (KINDS.has(cell.outcome) ? cell.outcome : "UNCONFIRMED") :
	cell.result === "passed" ? "passed" : "failed";

const DOUBTFUL = ["contradicted", "unreadable"];
const kinds = cells.map(kindOf);
const states = cells.map((cell, index) => !cell.ran ? "notrun" : DOUBTFUL.includes(kinds[index]) ? "doubted" : cell.met ? "met" : "unmet");
const STATES = new Map([["met", "as expected"], ["unmet", "not as expected"], ["doubted", "not proved"], ["notrun", "not run"]]
	.filter(([key]) => key !== "doubted" || states.includes(key))); // seldom: else nobody asks for it

/** What the results say of a cell, proved or not. */
const claimOf = (cell) => cell.result === "passed" ? "passed" : clip(cell.outcome + (cell.result_code ? `/${cell.result_code}` : ""), 100);

/** What stands below the outcome: why, or what was wanted instead, or how long it took. */
function noteOf(index) {
	const cell = cells[index];
	if (states[index] === "doubted")
		return `results: ${claimOf(cell)}`;
	return cell.result_code ?? (states[index] === "unmet" ? `\u2260 ${cell.expected}` : duration(cell.wall_ns));
}

/** In words, for readers of screens and for a pointer that rests. */
const toldOf = (index) => [KINDS.get(kinds[index]).told,
	states[index] === "doubted" ? `the results say ${claimOf(cells[index])}` : clip(cells[index].result_code ?? "", 80),
	kinds[index] === "notrun" ? "" : STATES.get(states[index])].filter(Boolean).join(", ");

/** Numbers the values of `of(cell)` in the order in which they come. */
function numbered(of) {
	const number = new Map();
	const at = cells.map((cell) => {
		const value = of(cell);
		if (!number.has(value))
			number.set(value, number.size);
		return number.get(value);
	});
	return {values: [...number.keys()], at};
}

const kernels = numbered((cell) => cell.kernel);

/** Rows in the plan's order: {first: a cell of it, at: [cell of each kernel, or none]}. */
const rows = (() => {
	const found = new Map(), list = [];
	cells.forEach((cell, index) => {
		const kernel = kernels.at[index];
		// Two cells for one place should not be; the second then gets a row of its own.
		for (let again = 0; ; again++) {
			const key = JSON.stringify([cell.scheduler, cell.topology, cell.payload, again]);
			const row = found.get(key) ?? {first: index, at: []};
			if (row.at[kernel] !== undefined)
				continue;
			if (!found.has(key)) {
				found.set(key, row);
				list.push(row);
			}
			row.at[kernel] = index;
			return;
		}
	});
	return list;
})();

const indexOfId = new Map(cells.map((cell, index) => [cell.id, index]));

// The details can be tens of megabytes: they are read when the first cell is opened, or when the
// browser has nothing else to do.
let detailsRead;

function details() {
	detailsRead ??= JSON.parse($("details").textContent);
	return detailsRead;
}

const of = (object, key) => object && Object.hasOwn(object, key) ? object[key] : undefined;

// No report comes near this: the library keeps the last 16 KiB of each stream. What does was not
// written by it, and must not fill the memory of who looks at it.
const REPORT_LIMIT = 64 << 20;

/** The report of a cell: {report}, or {why} there is none. With {note}: it could be read, but is not
 *  what the results say of the cell. */
async function reportOf(index) {
	const cell = cells[index], packed = of(details().cells, String(index));
	// The words of a doubt may be missing, for want of room.
	const [contradicted, unreadable] = DOUBTFUL.map((kind) => {
		const why = of(doubts[kind], String(index));
		return why === null ? "the page had no room for why; attachverdict show --verify tells it" : why;
	});
	if (unreadable !== undefined)
		return {why: "Its recording can't be read: " + unreadable};
	if (contradicted !== undefined && packed === undefined)
		return {why: `Its recording does not fit the results above: ${contradicted}. It has the details, which are not in this page.`};
	if (packed === undefined && !cell.ran)
		return {why: "This cell has no result, so there is nothing to show of it."};
	if (packed === undefined && !cell.recording) // of a page that looked at none
		return {why: "No recording was kept of this cell."};
	if (packed === undefined)
		return {why: "Its details are not in this page" +
			(details().why ? `: ${details().why}.` : ".") + " The recording has them."};
	if (typeof DecompressionStream === "undefined")
		return {why: "This browser can't unpack the details (it has no DecompressionStream); a newer one can."};
	try {
		return {report: JSON.parse(await unpack(packed)), note: contradicted};
	} catch (error) {
		return {why: `Its details in this page are damaged: ${error.message}`};
	}
}

async function unpack(base64) {
	const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
	const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
	const decoder = new TextDecoder(), parts = [];
	for (let size = 0; ; ) {
		const {done, value} = await reader.read();
		if (done)
			return parts.join("") + decoder.decode();
		size += value.length;
		if (size > REPORT_LIMIT)
			throw new Error(`more than ${bytes(REPORT_LIMIT)}`);
		parts.push(decoder.decode(value, {stream: true}));
	}
}
