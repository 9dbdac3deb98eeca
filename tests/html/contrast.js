// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
// The texts on the screen whose contrast with what is behind them is under 4.5 to 1 (WCAG 2, 1.4.3),
// and how many were looked at: {looked, bad: [...]}.
(() => {
	const parse = (color) => {
		const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
		return {r, g, b, a};
	};
	const over = (top, below) => Object.fromEntries(["r", "g", "b"].map((key) => [key, top[key] * top.a + below[key] * (1 - top.a)]));
	const light = ({r, g, b}) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
	const behind = (node) => {
		const color = node ? parse(getComputedStyle(node).backgroundColor) : {r: 255, g: 0, b: 255, a: 1};
		return color.a === 1 ? color : {...over(color, behind(node.parentElement)), a: 1};
	};
	const root = document.querySelector("dialog[open]") ?? document.body;
	const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), bad = [];
	let looked = 0;
	while (walker.nextNode()) {
		const node = walker.currentNode, holder = node.parentElement;
		if (!node.data.trim() || holder.closest(".sr, script, style") || !holder.checkVisibility())
			continue;
		looked++;
		const back = behind(holder), ink = over(parse(getComputedStyle(holder).color), back);
		const [high, low] = [light(ink), light(back)].sort((a, b) => b - a), ratio = (high + 0.05) / (low + 0.05);
		if (!(ratio >= 4.5))
			bad.push(`${ratio.toFixed(2)}: "${node.data.slice(0, 40)}" in ${holder.tagName}.${holder.className}`);
	}
	return {looked, bad};
})()
