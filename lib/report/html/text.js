// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// Making elements, and writing values for people. Every string that is shown comes from a guest or
// from a user: it becomes a text node or an attribute's value here, never markup.

const $ = (id) => document.getElementById(id);

/** el("p", {class: "x", on: {click: f}, hidden: true}, "text", node, ...); null children drop. */
function el(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name === "on")
			for (const [event, handler] of Object.entries(value))
				node.addEventListener(event, handler);
		else if (value === true)
			node.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined)
			node.setAttribute(name, value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined));
	return node;
}

const button = (label, handler, attributes = {}) =>
	el("button", {type: "button", ...attributes, on: {click: handler}}, label);

/** For readers of screens only. */
const spoken = (text) => el("span", {class: "sr"}, text);

// Characters that are not seen but change what is: controls, directions (a name with U+202E
// reads backwards), joiners, tags, halves of pairs. Line feeds and tabs stay.
const UNSEEN = new RegExp("[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u115f\\u1160\\u180e\\u200b-\\u200f" +
	"\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb\\ufffe\\uffff\\u{e0000}-\\u{e007f}]", "gu");

/** The text with what can't be seen written as \uNNNN. */
const visible = (text) =>
	String(text).replace(UNSEEN, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));

/** At most `limit` characters of it. */
function clip(text, limit) {
	text = String(text);
	return visible(text.length > limit ? text.slice(0, limit) + "\u2026" : text);
}

// The browser lays out a text of this length at once; a longer one (a line of a megabyte) is shown
// on demand.
const LONG_TEXT = 4000;

/** A text of any length, set apart from the direction of what is around it. */
function long(text, limit = LONG_TEXT) {
	text = String(text);
	const shown = el("bdi", {class: "text"}, clip(text, limit));
	if (text.length <= limit)
		return shown;
	const more = button(`show all ${count(text.length)} characters`, () => {
		shown.textContent = visible(text);
		more.remove();
	}, {class: "more"});
	return el("span", {}, shown, " ", more);
}

const NONE = "\u2013";

/** Digits in groups; numbers beyond 2^53 are strings and stay exact. */
const count = (value) =>
	value === null || value === undefined ? NONE : String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

function scaled(value, units, base) {
	if (value === null || value === undefined)
		return NONE;
	let number = Number(value), unit = 0;
	while (unit + 1 < units.length && Math.abs(number) >= base) {
		number /= base;
		unit++;
	}
	const digits = unit === 0 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
	return `${number.toFixed(digits)} ${units[unit]}`;
}

const duration = (ns) => scaled(ns, ["ns", "\u00b5s", "ms", "s"], 1000);
const bytes = (size) => scaled(size, ["B", "KiB", "MiB", "GiB", "TiB"], 1024);
const plural = (number, one, many = one + "s") => `${count(number)} ${number === 1 ? one : many}`;

const SVG = "http://www.w3.org/2000/svg";

const glyphs = new Map();

/** A sign of 16 x 16 that takes the colour of the text; copied, for there may be a thousand. */
function glyph(path) {
	if (!glyphs.has(path))
		glyphs.set(path, makeGlyph(path));
	return glyphs.get(path).cloneNode(true);
}

function makeGlyph(path) {
	const svg = document.createElementNS(SVG, "svg");
	for (const [name, value] of [["viewBox", "0 0 16 16"], ["class", "glyph"], ["aria-hidden", "true"]])
		svg.setAttribute(name, value);
	const shape = document.createElementNS(SVG, "path");
	shape.setAttribute("d", path);
	svg.append(shape);
	return svg;
}

/** Says something to readers of screens. */
function say(text) {
	$("live").textContent = text;
}

/** A button that copies `text()`, the true one, and says that it did. */
function copyButton(label, text) {
	const node = button(label, async () => {
		const done = await copy(text());
		node.textContent = done ? "copied" : "could not copy: select it by hand";
		say(node.textContent);
		setTimeout(() => { node.textContent = label; }, 2000);
	}, {class: "copy"});
	return node;
}

async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		// No permission, or a page that came over plain HTTP: the old way.
	}
	const area = el("textarea", {class: "sr", "aria-hidden": "true"});
	const back = document.activeElement;
	area.value = text;
	(back?.closest("dialog") ?? document.body).append(area);
	area.select();
	const done = document.execCommand("copy");
	area.remove();
	back?.focus();
	return done;
}
