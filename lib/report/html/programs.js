// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// What the verifier made of each BPF program, with bars against the largest of the cell.

const FIGURES = [
	["verified_insns", "verified", count, "instructions of the program"],
	["processed_insns", "processed", count, "instructions that the verifier went through"],
	["total_states", "states", count, "states in all"],
	["peak_states", "peak", count, "states at a time"],
	["max_states_per_insn", "per insn", count, "most states of one instruction"],
	["stack_depth", "stack", bytes, "of all its functions"],
	["verification_ns", "time", duration, "of the verification"],
	["jited_bytes", "jited", bytes, "machine code"],
];

function programRow(program, most) {
	const refused = program.error !== null && String(program.error) !== "0";
	return el("tr", {class: refused ? "refused" : ""},
		el("td", {class: "number"}, count(program.order)),
		el("th", {scope: "row"}, el("bdi", {class: "name"}, program.name ? clip(program.name, 100) : "(no name)"),
			el("small", {}, clip(program.type_name ?? (program.type === null ? "" : `type ${program.type}`), 60)),
			refused ? el("small", {class: "error"}, glyph(KINDS.get("DIED").path), `refused: errno ${clip(program.error, 20)}`) : null),
		...FIGURES.map(([key, , print]) => {
			const value = program[key], source = of(program.source, key);
			const cell = el("td", {class: "number", title: source ? `source: ${source}` : ""}, print(value));
			if (value !== null && most.get(key) > 0) {
				const bar = el("i", {class: "bar"});
				bar.style.width = `${Math.min(100, 100 * Number(value) / most.get(key))}%`;
				cell.append(el("span", {class: "bar-track"}, bar));
			}
			return cell;
		}));
}

function programSection({programs, programs_total: total}) {
	if (!programs.length)
		return null;
	const most = new Map(FIGURES.map(([key]) => [key, Math.max(...programs.map((program) => Number(program[key] ?? 0)))]));
	const body = el("tbody"), sort = {key: "order", down: false};
	const value = (program, key) => key === "name" ? program.name ?? "" : Number(program[key] ?? -1);
	const fill = () => body.replaceChildren(...[...programs].sort((a, b) => {
		const [x, y] = [value(a, sort.key), value(b, sort.key)];
		return (x < y ? -1 : x > y ? 1 : 0) * (sort.down ? -1 : 1);
	}).map((program) => programRow(program, most)));
	const columns = [["order", "#", "order of the loads"], ["name", "program", ""],
		...FIGURES.map(([key, name, , what]) => [key, name, what])];
	const heads = columns.map(([key, name, what]) => {
		const head = el("th", {scope: "col", title: what}, button(name, () => {
			sort.down = sort.key === key ? !sort.down : key !== "order" && key !== "name";
			sort.key = key;
			for (const each of head.parentNode.children)
				each.removeAttribute("aria-sort");
			head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
			fill();
		}));
		return head;
	});
	heads[0].setAttribute("aria-sort", "ascending");
	fill();
	return section("Verifier", el("div", {class: "wide", tabindex: "0", role: "region", "aria-label": "verifier statistics"},
		el("table", {class: "programs"}, el("thead", {}, el("tr", {}, heads)), body)),
	Number(total) > programs.length ?
		el("p", {class: "fine"}, `the first ${plural(programs.length, "program")} of ${count(total)}`) : null);
}
