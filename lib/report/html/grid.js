// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// The grid. Only what is on the screen (and the cell that has the focus) is in the document, so
// that it costs the same with 10 cells and with 100,000.

/** Sizes in CSS pixels; page.css knows them as --row, --column and so on. */
const VIEWS = {
	full: {row: 46, column: 164, label: 260, head: 44},
	compact: {row: 28, column: 36, label: 260, head: 168},
};
const NARROW = matchMedia("(max-width: 700px)");
// Rows above and below the screen that are made ready for a scroll.
const OVERSCAN = 6;
// More columns than this, and the grid begins compact.
const MANY_COLUMNS = 6;

const grid = {
	view: null, rows: [], columns: [], at: {row: 0, column: 0}, made: new Map(), size: null,
	box: null, head: null, body: null, open: null,
};

function makeGrid(open) {
	grid.open = open;
	grid.head = el("div", {class: "head", role: "row", "aria-rowindex": "1"});
	grid.body = el("div", {class: "body", role: "rowgroup"});
	grid.box = $("grid");
	for (const [name, value] of [["role", "grid"], ["aria-label", "cells: schedulers by kernels"], ["aria-readonly", "true"]])
		grid.box.setAttribute(name, value);
	grid.box.append(el("div", {role: "rowgroup", class: "heads"}, grid.head), grid.body);
	let asked = 0;
	const later = () => { asked ||= requestAnimationFrame(() => { asked = 0; drawRows(); }); };
	grid.box.addEventListener("scroll", later, {passive: true});
	grid.box.addEventListener("keydown", gridKey);
	grid.box.addEventListener("click", (event) => {
		const cell = event.target.closest("[role=gridcell]");
		if (cell)
			choose(Number(cell.dataset.row), Number(cell.dataset.column), true);
	});
	// Written when a pointer comes by, not for each of hundreds of cells.
	grid.box.addEventListener("pointerover", (event) => {
		const cell = event.target.closest("[data-cell]");
		if (cell && !cell.title)
			cell.title = `${clip(cells[cell.dataset.cell].id, 200)}\n${toldOf(Number(cell.dataset.cell))}`;
	});
	new ResizeObserver(later).observe(grid.box);
	NARROW.addEventListener("change", () => drawGrid());
}

/** Rows and columns with a cell that matches; of the filter's whole grid. */
function layOut() {
	const seen = new Uint8Array(kernels.values.length);
	grid.rows = rows.filter((row) => {
		let any = false;
		row.at.forEach((index, column) => {
			if (filter.matches[index])
				any = seen[column] = 1;
		});
		return any;
	});
	grid.columns = kernels.values.map((name, column) => column).filter((column) => seen[column]);
	grid.size = {...VIEWS[grid.view]};
	if (NARROW.matches) {
		grid.size.label = 128;
		grid.size.column = grid.view === "compact" ? 32 : 150;
	}
	if (grid.view === "compact") { // names stand upright: as high as the longest needs
		const longest = Math.max(0, ...grid.columns.map((column) => Math.min(100, kernels.values[column].length)));
		grid.size.head = Math.max(64, Math.min(grid.size.head, 20 + 8 * longest));
	}
	grid.at.row = Math.max(0, Math.min(grid.at.row, grid.rows.length - 1));
	grid.at.column = Math.max(0, Math.min(grid.at.column, grid.columns.length - 1));
}

/** All of it anew, after a change of the filter or of the view. */
function drawGrid() {
	layOut();
	const {size, box} = grid;
	box.hidden = !grid.rows.length;
	box.className = `grid ${grid.view}`;
	box.setAttribute("aria-rowcount", grid.rows.length + 1);
	box.setAttribute("aria-colcount", grid.columns.length + 1);
	for (const [name, pixels] of [["--row", size.row], ["--column", size.column], ["--label", size.label], ["--head", size.head],
		["--width", size.label + grid.columns.length * size.column], ["--height", grid.rows.length * size.row],
		["--bar", size.label + grid.columns.length * size.column > box.parentNode.clientWidth - 40 ? 16 : 2]])
		box.style.setProperty(name, `${pixels}px`);
	grid.made.clear();
	grid.drawn = null;
	grid.body.replaceChildren();
	drawRows();
}

/** The columns on the screen, and the one with the focus. */
function columnRange() {
	const {box, size, columns} = grid;
	const from = Math.max(0, Math.floor(box.scrollLeft / size.column) - 2);
	const to = Math.min(columns.length, Math.ceil((box.scrollLeft + box.clientWidth - size.label) / size.column) + 2);
	return {from, to: Math.max(from, to)};
}

function drawRows() {
	if (!grid.rows.length)
		return;
	const {box, size, made} = grid, range = columnRange(), key = `${range.from}-${range.to}`;
	if (grid.drawn !== key) {
		made.clear();
		grid.body.replaceChildren();
		grid.head.replaceChildren(...headCells(range));
		grid.drawn = key;
	}
	const from = Math.max(0, Math.floor(box.scrollTop / size.row) - OVERSCAN);
	const to = Math.min(grid.rows.length, Math.ceil((box.scrollTop + box.clientHeight) / size.row) + OVERSCAN);
	for (const [row, node] of made)
		if ((row < from || row >= to) && row !== grid.at.row) {
			node.remove();
			made.delete(row);
		}
	const wanted = [];
	for (let row = from; row < to; row++)
		wanted.push(row);
	if (grid.at.row < from || grid.at.row >= to)
		wanted.push(grid.at.row);
	// In the document's order, which readers of screens follow.
	for (const row of wanted.filter((each) => !made.has(each)).sort((a, b) => a - b)) {
		const node = rowNode(row, range);
		let after = null;
		for (const [other, otherNode] of made)
			if (other > row && (after === null || other < after.row))
				after = {row: other, node: otherNode};
		grid.body.insertBefore(node, after?.node ?? null);
		made.set(row, node);
	}
}

function headCells(range) {
	const corner = el("div", {class: "corner", role: "columnheader", "aria-colindex": "1"},
		el("span", {}, "scheduler"), el("small", {}, "topology \u00b7 payload"));
	const list = [corner];
	for (let column = range.from; column < range.to; column++) {
		const name = kernels.values[grid.columns[column]];
		const node = el("div", {class: "kernel", role: "columnheader", "aria-colindex": column + 2, title: clip(name, 500)},
			el("bdi", {}, clip(name, 100)));
		node.style.left = `${grid.size.label + column * grid.size.column}px`;
		list.push(node);
	}
	return list;
}

function rowLabel(row) {
	const {scheduler, topology, payload} = cells[row.first];
	return {name: scheduler, rest: payload === null ? topology : `${topology} \u00b7 ${payload}`};
}

function rowNode(number, range) {
	const row = grid.rows[number], label = rowLabel(row);
	const node = el("div", {class: number % 2 ? "row odd" : "row", role: "row", "aria-rowindex": number + 2},
		el("div", {class: "label", role: "rowheader", "aria-colindex": "1", title: clip(`${label.name} \u00b7 ${label.rest}`, 500)},
			el("bdi", {class: "name"}, clip(label.name, 100)), el("bdi", {class: "rest"}, clip(label.rest, 100))));
	node.style.top = `${number * grid.size.row}px`;
	for (let column = range.from; column < range.to; column++)
		node.append(cellNode(number, column));
	if (number === grid.at.row && (grid.at.column < range.from || grid.at.column >= range.to))
		node.append(cellNode(number, grid.at.column));
	return node;
}

function cellNode(rowNumber, column) {
	const index = grid.rows[rowNumber].at[grid.columns[column]];
	const here = rowNumber === grid.at.row && column === grid.at.column;
	const node = el("div", {role: "gridcell", "aria-colindex": column + 2, tabindex: here ? "0" : "-1",
		"data-row": rowNumber, "data-column": column});
	node.style.left = `${grid.size.label + column * grid.size.column}px`;
	if (index === undefined || !filter.matches[index]) {
		node.className = "cell none";
		node.setAttribute("aria-label", index === undefined ? "not in the plan" : "does not match the filter");
		return node;
	}
	const kind = KINDS.get(kinds[index]);
	node.className = `cell k-${kinds[index]} ${states[index]}`;
	node.dataset.cell = index;
	node.setAttribute("aria-label", toldOf(index));
	node.setAttribute("aria-haspopup", "dialog");
	node.append(el("span", {class: "fill"}, glyph(kind.path), ...grid.view === "compact" ? [] :
		[el("b", {}, kind.label), el("small", {}, clip(noteOf(index), 60))]));
	return node;
}

const nodeAt = (row, column) => grid.made.get(row)?.querySelector(`[data-column="${column}"]`);

/** Moves the one tab stop there, and scrolls it clear of the sticky heads. */
function moveTo(row, column) {
	if (!grid.rows.length)
		return;
	const {box, size, at} = grid;
	row = Math.max(0, Math.min(row, grid.rows.length - 1));
	column = Math.max(0, Math.min(column, grid.columns.length - 1));
	nodeAt(at.row, at.column)?.setAttribute("tabindex", "-1");
	grid.at = {row, column};
	const top = row * size.row, left = column * size.column;
	const roomHigh = box.clientHeight - size.head, roomWide = box.clientWidth - size.label;
	if (top < box.scrollTop)
		box.scrollTop = top;
	else if (top + size.row > box.scrollTop + roomHigh)
		box.scrollTop = top + size.row - roomHigh;
	if (left < box.scrollLeft)
		box.scrollLeft = left;
	else if (left + size.column > box.scrollLeft + roomWide)
		box.scrollLeft = left + size.column - roomWide;
	drawRows();
	const node = nodeAt(row, column);
	node?.setAttribute("tabindex", "0");
	node?.focus({preventScroll: true});
}

function choose(row, column, open) {
	moveTo(row, column);
	const index = grid.rows[row]?.at[grid.columns[column]];
	if (open && index !== undefined && filter.matches[index])
		grid.open(index);
}

/** Puts the focus on a cell of the plan, where the filter shows it. */
function focusCell(index) {
	const row = grid.rows.findIndex((each) => each.at.includes(index));
	if (row >= 0)
		moveTo(row, grid.columns.indexOf(grid.rows[row].at.indexOf(index)));
	else
		moveTo(grid.at.row, grid.at.column);
}

function gridKey(event) {
	if (event.altKey || event.metaKey || !event.target.closest("[role=gridcell]"))
		return;
	const {row, column} = grid.at, last = {row: grid.rows.length - 1, column: grid.columns.length - 1};
	const page = Math.max(1, Math.floor((grid.box.clientHeight - grid.size.head) / grid.size.row) - 1);
	const far = event.ctrlKey;
	const to = {
		ArrowUp: [far ? 0 : row - 1, column], ArrowDown: [far ? last.row : row + 1, column],
		ArrowLeft: [row, far ? 0 : column - 1], ArrowRight: [row, far ? last.column : column + 1],
		Home: [far ? 0 : row, 0], End: [far ? last.row : row, last.column],
		PageUp: [row - page, column], PageDown: [row + page, column],
	}[event.key];
	if (to)
		moveTo(...to);
	else if (event.key === "Enter" || event.key === " ")
		choose(row, column, true);
	else
		return;
	event.preventDefault();
}

/** The cells that match, in the order of the grid: what next and previous go through. */
function shownCells() {
	const list = [];
	for (const row of grid.rows)
		for (const column of grid.columns)
			if (row.at[column] !== undefined && filter.matches[row.at[column]])
				list.push(row.at[column]);
	return list;
}
