// SPDX-License-Identifier: BSD-2-Clause
// hostctl upstream: what it says of servers, and what it changes.
import assert from 'node:assert/strict';
import { until } from './hostd.mjs';
import { serversOf } from './servers.mjs';

export async function groups(h, ...group) {
	const r = await h.hostctl('upstream', 'list', '--json', ...group);

	assert.equal(r.code, 0, r.stderr);
	return JSON.parse(r.stdout);
}

// Of one group, in the order of its configuration.
export const servers = (h, group = 'app') => serversOf(h, group);

// { "192.0.2.1:80": server }
export const byName = async (h, group) => Object.fromEntries(
    (await servers(h, group)).map((s) => [s.server, s]));

export const states = async (h, group) => Object.fromEntries(
    (await servers(h, group)).map((s) => [s.server, s.state]));

// Until pred(servers) holds.
export function serversSatisfy(h, pred, what, group) {
	return until(async () => {
		const all = await servers(h, group);

		return pred(all) && all;
	}, what);
}

export async function change(h, ...args) {
	const r = await h.hostctl('upstream', ...args);

	assert.equal(r.code, 0, `${args}: ${r.stderr}`);
	return r.stdout;
}

export async function refused(h, why, ...args) {
	const before = JSON.stringify(await fixed(h));
	const r = await h.hostctl('upstream', ...args);

	assert.equal(r.code, 1, `${args}`);
	assert.match(r.stderr, why);
	assert.equal(JSON.stringify(await fixed(h)), before, 'unchanged');
}

// What does not change by itself.
const fixed = async (h) => (await groups(h)).map((u) => [u.name,
	u.servers.map((s) => [s.server, s.address, s.id, s.state, s.weight])]);
