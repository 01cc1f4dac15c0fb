// SPDX-License-Identifier: BSD-2-Clause
// Numbers that look like chance, and are the same each time for a seed.
export function dice(seed) {
	let s = seed | 0;

	// 0 to n - 1
	return (n) => {
		s = s + 0x9e3779b9 | 0;
		let z = Math.imul(s ^ s >>> 16, 0x21f0aaad);

		z = Math.imul(z ^ z >>> 15, 0x735a2d97);
		return ((z ^ z >>> 15) >>> 0) % n;
	};
}

export const oneOf = (roll, list) => list[roll(list.length)];
