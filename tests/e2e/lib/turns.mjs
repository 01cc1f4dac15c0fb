// SPDX-License-Identifier: BSD-2-Clause
// hostd with turns_ws, whose sockets do in each callback what they are told to.
import { plugin } from './http1.mjs';
import { startHostd } from './hostd.mjs';

// One worker; keys: of the block websocket of the route; clock: of makeClock.
export async function serveTurns(t, keys = '', conf = '', clock = undefined) {
	const so = await plugin('turns_ws');

	return startHostd(t, { env: clock?.env, conf: `
		pool "web" { workers = 1  ${clock ? 'watchdog = 0' : ''} }
		plugin "turns" { module = "${so}" }
		route "/turns" { plugin = "turns"  websocket { ${keys} } }
		${conf}` });
}

// What came of what was done there.
export async function done(h, where) {
	const [, line] = await h.logged(new RegExp(`turns: ${where}: (.*)\\n`));

	return line;
}

// How often it was logged.
export const times = (h, what) => h.log.split(what).length - 1;
