// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// The head of the page, its keys, and what holds the other files together.

const state = {cell: null, viewAsked: null};

const startView = () => kernels.values.length > MANY_COLUMNS ? "compact" : "full";

/** The whole page by what the fragment says. */
function fromFragment() {
	const {view, cell} = readFragment();
	state.viewAsked = Object.hasOwn(VIEWS, view ?? "") ? view : null;
	grid.view = state.viewAsked ?? startView();
	$("search").value = filter.query;
	refresh();
	const index = cell === null ? undefined : indexOfId.get(cell);
	if (index !== undefined)
		showCell(index);
	else if ($("cell").open)
		$("cell").close();
	if (cell !== null && index === undefined)
		tell(`No cell of this plan is called \u201c${clip(cell, 200)}\u201d.`);
}

function keepFragment(push = false) {
	writeFragment(fragmentOf({view: state.viewAsked, cell: state.cell === null ? null : cells[state.cell].id}), push);
}

/** After any change of the filter. */
function refresh() {
	applyFilter();
	for (const each of FACETS)
		drawFacet(each, filterChanged);
	drawGrid();
	const none = cells.length === 0 ? "The plan has no cells." :
		filter.count === 0 ? "No cell matches." : "";
	$("nothing").hidden = !none;
	$("nothing").replaceChildren(el("p", {}, none),
		...(cells.length && none ? [button("clear the filter (x)", clearAll, {class: "primary"})] : []));
	$("count").textContent = !cells.length ? "" : filtering() ?
		`${count(filter.count)} of ${plural(cells.length, "cell")}` : `all ${plural(cells.length, "cell")}`;
	$("clear").hidden = !filtering();
	$("view").textContent = grid.view === "full" ? "compact" : "with labels";
}

function filterChanged() {
	grid.at = {row: 0, column: 0};
	grid.box.scrollTop = 0;
	refresh();
	keepFragment();
	say(filter.count ? $("count").textContent : "No cell matches. Press x to clear the filter.");
}

function clearAll() {
	clearFilter();
	$("search").value = "";
	filterChanged();
	$("search").focus();
}

const tell = (text) => { $("note").append(el("p", {class: "note"}, text)); };

function onlyState(key) {
	clearFilter();
	$("search").value = "";
	FACETS[0].chosen.add(key);
	filterChanged();
}

/** The verdict of the whole, and the totals as a bar whose parts filter. */
function makeHead() {
	const counts = [...STATES.keys()].map((key) => [key, states.reduce((sum, state) => sum + (state === key), 0)]);
	const bad = counts.filter(([key, number]) => key !== "met" && number);
	const told = !cells.length ? "nothing was planned" : !bad.length ? "all as expected" :
		bad.map(([key, number]) => `${count(number)} ${STATES.get(key)}`).join(", ");
	const good = cells.length && !bad.length;
	const bar = el("div", {class: "totals-bar", "aria-hidden": "true"});
	const legend = el("div", {class: "legend"});
	for (const [key, number] of counts) {
		const part = el("i", {class: key});
		part.style.flexGrow = number;
		if (number)
			bar.append(part);
		legend.append(button("", () => onlyState(key), {class: key, "data-state": key}));
		legend.lastChild.append(el("i", {class: `swatch ${key}`}), el("b", {}, count(number)), ` ${STATES.get(key)}`);
	}
	$("headline").className = good ? "headline good" : cells.length ? "headline bad" : "headline";
	$("headline").replaceChildren(cells.length ? glyph(good ? KINDS.get("passed").path : "M8 3V9M8 12.4V12.6") : "",
		el("span", {}, el("strong", {}, told), cells.length ? ` of ${plural(results.cell_count, "cell")}` : ""));
	$("top").append(el("div", {class: "totals"}, bar, legend),
		el("p", {class: "made"}, el("span", {}, "plan ", el("code", {}, clip(results.plan, 40))), " ",
			el("span", {}, "version ", el("code", {}, clip(results.version, 40)))),
		el("div", {class: "tools"}, button("theme", nextTheme, {id: "theme"}), button("keys (?)", showKeys)));
	document.title = `${told} \u2013 attachverdict`;
}

function makeBar() {
	$("bar").append(
		el("input", {type: "search", id: "search", placeholder: "search ids, reasons, commands ( / )",
			autocomplete: "off", spellcheck: "false",
			"aria-label": "search in ids, reasons and commands", on: {input: (event) => {
				filter.query = event.target.value;
				filterChanged();
			}}}),
		el("span", {id: "count"}),
		button("clear (x)", clearAll, {id: "clear"}),
		button("", () => {
			grid.view = state.viewAsked = grid.view === "full" ? "compact" : "full";
			refresh();
			keepFragment();
		}, {id: "view", title: "cells with their outcome in words, or signs only"}));
	const signs = el("ul", {class: "signs", "aria-label": "signs"});
	for (const [key, kind] of KINDS)
		if (kinds.includes(key))
			signs.append(el("li", {}, el("i", {class: `k-${key}`}, glyph(kind.path)), kind.label));
	if (states.includes("unmet"))
		signs.append(el("li", {}, el("i", {class: "sample met"}), "pale: as expected"),
			el("li", {}, el("i", {class: "sample unmet"}), "solid, with a corner: not as expected"));
	$("bar").append(signs);
	const wide = matchMedia("(min-width: 701px)");
	const fold = el("details", {class: "fold", open: wide.matches}, el("summary", {}, "Filter"), ...makeFacets(filterChanged));
	wide.addEventListener("change", () => { fold.open = wide.matches; });
	$("filters").append(fold);
}

// The theme: the system's, unless the reader chose; kept where the browser allows that.

const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
	if (theme === "system")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	$("theme").textContent = `theme: ${theme}`;
}

function nextTheme() {
	const now = document.documentElement.dataset.theme ?? "system";
	const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
	setTheme(next);
	try {
		localStorage.setItem("attachverdict-theme", next);
	} catch {
		// A sandboxed page, or a browser that keeps nothing: the choice lasts as long as the page.
	}
}

function storedTheme() {
	try {
		const theme = localStorage.getItem("attachverdict-theme");
		return THEMES.includes(theme) ? theme : "system";
	} catch {
		return "system";
	}
}

const KEYS = [
	["/", "search"], ["x", "clear the filter"], ["v", "with labels or compact"], ["?", "these keys"],
	["\u2190 \u2191 \u2192 \u2193", "from cell to cell"], ["Home, End", "first and last cell of the row; with Ctrl of the grid"],
	["PageUp, PageDown", "a screen up or down"], ["Enter", "open the cell"],
	["n, p", "next and previous cell that matches, while one is open"], ["Esc", "close; back to the grid"],
];

function showKeys() {
	const dialog = $("keys");
	if (!dialog.firstChild)
		dialog.append(el("h2", {id: "keys-title"}, "Keys"),
			el("dl", {}, ...KEYS.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)))),
			button("close", () => dialog.close()));
	dialog.showModal();
}

function pageKey(event) {
	const typing = event.target.matches("input[type=search], textarea, select");
	if (event.ctrlKey || event.altKey || event.metaKey)
		return;
	if (event.key === "Escape" && event.target === $("search")) {
		moveTo(grid.at.row, grid.at.column);
		return event.preventDefault();
	}
	if (typing || $("keys").open)
		return;
	const act = $("cell").open ? {"?": showKeys, n: () => step(1), p: () => step(-1)} :
		{"/": () => { $("search").focus(); $("search").select(); }, "?": showKeys, x: clearAll, v: () => $("view").click()};
	if (Object.hasOwn(act, event.key)) {
		act[event.key]();
		event.preventDefault();
	}
}

/** On paper: the open cell, or the grid as a plain table and what is not as expected below it. */
// A thousand rows are some twenty pages.
const PRINTED = 1000;

function toPrint() {
	if ($("cell").open) {
		$("print").replaceChildren(...$("cell").childNodes);
		return;
	}
	const list = shownCells(), bad = list.filter((index) => states[index] !== "met");
	const table = el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "scheduler"), ...grid.columns.map((column) =>
		el("th", {}, clip(kernels.values[column], 60))))), el("tbody", {}, ...grid.rows.slice(0, PRINTED).map((row) =>
		el("tr", {}, el("th", {}, clip(Object.values(rowLabel(row)).join(" \u00b7 "), 100)), ...grid.columns.map((column) => {
			const index = row.at[column];
			return index === undefined || !filter.matches[index] ? el("td") :
				el("td", {class: `k-${kinds[index]} ${states[index]}`}, glyph(KINDS.get(kinds[index]).path),
					KINDS.get(kinds[index]).label, states[index] === "unmet" ? " (!)" : "");
		})))));
	const cut = (length) => length > PRINTED ? el("p", {}, `and ${count(length - PRINTED)} more`) : "";
	$("print").replaceChildren(table, cut(grid.rows.length), bad.length ? el("h2", {}, "Not as expected, not proved, or not run") : "",
		...bad.slice(0, PRINTED).map((index) => el("div", {class: "printed"}, el("h3", {}, clip(cells[index].id, 300)),
			el("p", {}, `${toldOf(index)}; expected ${clip(cells[index].expected, 100)}`),
			el("p", {}, clip(cells[index].result_reason ?? "", 1000)),
			el("code", {}, clip(cells[index].command, 1000)))), cut(bad.length));
}

function afterPrint() {
	if ($("cell").open)
		$("cell").replaceChildren(...$("print").childNodes);
	$("print").replaceChildren();
}

makeHead();
makeBar();
makeGrid(openCell);
makeCell();
setTheme(storedTheme());
$("app").hidden = false;
$("skip").addEventListener("click", () => moveTo(grid.at.row, grid.at.column));
document.addEventListener("keydown", pageKey);
addEventListener("hashchange", fromFragment);
addEventListener("beforeprint", toPrint);
addEventListener("afterprint", afterPrint);
fromFragment();

// Of many the first ones are enough to start with.
const NAMED_LIMIT = 5;

const namedCells = (list) =>
	list.slice(0, NAMED_LIMIT).map((index) => clip(cells[index]?.id ?? index, 100)).join(", ") +
	(list.length > NAMED_LIMIT ? ", \u2026" : "");

/** What recordings don't say, or say otherwise; the grid shows it, too. */
function tellDoubts() {
	const [otherwise, lost] = DOUBTFUL.map((kind) => Object.keys(doubts[kind]));
	if (otherwise.length)
		tell(`The recordings of ${plural(otherwise.length, "cell")} don\u2019t fit these results: ` +
			`${namedCells(otherwise)}. Run these cells again.`);
	if (lost.length)
		tell(`The recordings of ${plural(lost.length, "cell")} can\u2019t be read: ${namedCells(lost)}.`);
	if (doubts.unchecked)
		tell(`The recordings of ${plural(doubts.unchecked, "cell")} were not looked at: what stands here is what the index says.`);
}

(window.requestIdleCallback ?? setTimeout)(() => {
	const {left_out: left, why} = details();
	tellDoubts();
	if (left)
		tell(`The details of ${plural(left, "cell")} are not in this page${why ? ": " + clip(why, 500) : ""}. ` +
			"Their recordings have them.");
}, {timeout: 1000});
