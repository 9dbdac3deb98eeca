// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"use strict";

const results = JSON.parse(document.getElementById("results").textContent);

function add(parent, name, text) {
  const element = parent.appendChild(document.createElement(name));
  element.textContent = text;
  return element;
}

document.getElementById("summary").textContent =
  `${results.cell_count} cells: ${results.met_count} as expected, ` +
  `${results.unmet_count} not, ${results.not_run_count} without a result`;
const table = document.getElementById("cells");
const head = add(table, "tr", "");
for (const title of ["cell", "as expected", "outcome", "reason"]) add(head, "th", title);
for (const cell of results.cells) {
  const row = add(table, "tr", "");
  add(row, "td", cell.id);
  add(row, "td", cell.met ? "yes" : "no");
  add(row, "td", cell.outcome);
  add(row, "td", cell.result_reason || "");
}
