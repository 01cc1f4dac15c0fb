// SPDX-License-Identifier: BSD-2-Clause
// What Socket.IO is tested with: the same application on Node's server and on
// hostd, and the real client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { after } from 'node:test';
import { makeClock, makeNodeClock } from './clock.mjs';
import { atEnd, startHostd, tempDir, until, within } from './hostd.mjs';
import { npm } from './npm.mjs';
import { buildSioApp } from './plugin.mjs';
import { startNode } from './sio_app.mjs';

const { io } = npm('socket.io-client');

/* -- servers -- */

// Options as Node has them, as keys of hostd's plugin.
const KEYS = {
	pingInterval: (v) => `ping_interval = ${v}ms`,
	pingTimeout: (v) => `ping_timeout = ${v}ms`,
	upgradeTimeout: (v) => `upgrade_timeout = ${v}ms`,
	requestsTimeout: (v) => `requests_timeout = ${v}ms`,
	connectTimeout: (v) => `connect_timeout = ${v}ms`,
	maxHttpBufferSize: (v) => `max_http_buffer_size = ${v}`,
	transports: (v) => `transports = {${v.map((s) => `"${s}"`)}}`,
	allowUpgrades: (v) => `allow_upgrades = ${v ? 'on' : 'off'}`,
	allowEIO3: (v) => `allow_eio3 = ${v ? 'on' : 'off'}`,
	cookie: () => 'cookie = "io"',
	cors: ({ origin, credentials = false }) =>
	    `cors_origin = {${[origin === true ? 'request' : origin].flat()
		.map((s) => `"${s}"`)}}
	    cors_credentials = ${credentials ? 'on' : 'off'}`,
	connectionStateRecovery: ({ maxDisconnectionDuration: ms,
	    skipMiddlewares = true }) => `
	    max_disconnection_duration = ${ms}ms
	    skip_middlewares = ${skipMiddlewares ? 'on' : 'off'}`,
};

// clock: of makeClock, which its time goes by.  Nothing that is not asked for
// in options is to happen when an hour passes.
const PATIENT = 'http { idle_timeout = 24h  head_timeout = 24h }';
const PATIENT_ROUTE = 'defer_timeout = 24h  websocket { ping_interval = 0 }';

export async function startOurs(t, options,
    { workers = 2, conf = '', more = '', clock } = {}) {
	const so = await buildSioApp(tempDir(t));
	const keys = Object.entries(options).map(([k, v]) => KEYS[k](v));
	const h = await startHostd(t, { env: clock?.env, conf: `
		pool "web" { workers = ${workers}
			${clock ? 'watchdog = 0' : ''} }
		plugin "io" { module = "socketio.so"
			${keys.join('\n')} ${more} }
		plugin "app" { module = "${so}" }
		${clock ? PATIENT : ''}
		route "/socket.io/" { plugin = "io"
			${clock ? PATIENT_ROUTE : ''} }
		${conf}` });

	return Object.assign(h, { name: 'hostd', node: false });
}

// HOSTD_SIO_ONLY=node or hostd: one of them.  Node is the same beside each
// build.
const only = process.env.HOSTD_SIO_ONLY ??
    (process.env.HOSTD_BUILD === 'asan' ? 'hostd' : undefined);
const starts = Object.entries({ node: startNode, hostd: startOurs })
    .filter(([name]) => [name, undefined].includes(only));

// Servers that tests of a file share: those that are to be the same.
const shared = new Map();
const endings = [];
const file = { after: (fn) => endings.push(fn) };

after(async () => {
	for (const fn of endings)
		await fn();
});

function share(name, start, options, ours) {
	const key = JSON.stringify([name, options, ours]);

	if (!shared.has(key))
		shared.set(key, start(file, options, ours));
	return shared.get(key);
}

// A server whose time passes when it is told: where.pass(seconds).
async function startTimed(t, start, options) {
	const clock = start === startNode ? makeNodeClock(t) :
	    await makeClock(t);
	const where = await start(t, options, { workers: 1, clock });

	return Object.assign(where, { pass: (s) => clock.passFor(where, s) });
}

/*
 * A test of each server: fn(t, where), where: { name, node: it is Node's, port,
 * url, stop }.  options are Node's; ours: { workers, conf }, of hostd, and
 * alone: it is for this test only; clock: and its time is the test's.
 */
export function onServers(title, fn, options = {},
    { alone, clock, ...ours } = {}) {
	for (const [name, start] of starts)
		test(`${title} (${name})`, async (t) => {
			const where = await (
			    clock ? startTimed(t, start, options) :
			    alone ? start(t, options, ours) :
			    share(name, start, options, ours));

			await fn(t, where);
			assert.doesNotMatch(where.log ?? '', / died: /);
		});
}

// The same of hostd only: what Node's server does not do.
export function onHostd(title, fn, options = {}, ours = {}) {
	test(title, async (t) => fn(t, await startOurs(t, options, ours)));
}

/* -- clients -- */

export const modes = {
	polling: ['polling'],
	websocket: ['websocket'],
	upgrade: ['polling', 'websocket'],
};

// The arguments of the next event of that name.
export const next = (s, name) => within(once(s, name), `event ${name}`);

// A client that was not told to wait for anything; nsp is its namespace.
export function client(t, where, mode, { nsp = '/', ...options } = {}) {
	// Its time is its own, whatever passes for a server of this process.
	const s = io(`${where.url}${nsp}`, { transports: modes[mode],
		forceNew: true, reconnection: false, useNativeTimers: true,
		...options });

	s.heard = [];
	s.onAny((...args) => s.heard.push(args));
	atEnd(t, () => s.io.engine?.close());
	return s;
}

// Until it has its namespace, or was refused, which is an error.
export const connected = (s) => within(new Promise((resolve, reject) => {
	if (s.connected)
		resolve(s);
	s.once('connect', () => resolve(s));
	s.once('connect_error', reject);
	s.once('disconnect', (why) => reject(new Error(why)));
}), 'connection').finally(() => {
	for (const name of ['connect', 'connect_error', 'disconnect'])
		s.off(name);
});

export const onWebSocket = (s) =>
	s.io.engine.transport.name === 'websocket' ? s :
	    next(s.io.engine, 'upgrade').then(() => s);

// One that is connected, and upgraded if it is to be.
export async function connect(t, where, mode, options) {
	const s = await connected(client(t, where, mode, options));

	return modes[mode].includes('websocket') ? onWebSocket(s) : s;
}

// Another namespace over the connection of s.
export function also(t, s, nsp, options) {
	const other = s.io.socket(nsp, options);

	other.heard = [];
	other.onAny((...args) => other.heard.push(args));
	return other;
}

// What it is acknowledged with: one value, or all of them.
export const call = (s, name, ...args) =>
	within(s.emitWithAck(name, ...args), `acknowledgement of ${name}`);
export const callAll = (s, name, ...args) => within(new Promise((resolve) =>
    s.emit(name, ...args, (...got) => resolve(got))),
    `acknowledgement of ${name}`);

// What came for an event name until now, when all has that was sent before.
export const heard = (s, name) => s.heard.filter(([n]) => n === name)
    .map(([, ...args]) => args);

/*
 * Each of them has heard all that was sent to it before: what is said to
 * everybody in a namespace has come.
 */
let marks = 0;

export async function settled(...sockets) {
	const mark = `mark ${marks++}`;
	const seen = (s) => until(() => heard(s, 'said')
	    .some(([m]) => m === mark), mark);

	await call(sockets[0], 'say', [], mark);
	await Promise.all(sockets.map(seen));
	for (const s of sockets)
		s.heard = s.heard.filter(([, m]) => m !== mark);
}

// All of them have heard what any of them has caused: what a worker or a node
// tells comes in its order, whatever others do.
export const settledAll = (all) => Promise.all(all.map((s) =>
    settled(s, ...all.filter((o) => o !== s))));

// The next reason of a disconnection.
export const gone = async (s) => (await next(s, 'disconnect'))[0];

/*
 * One who is told of all who come and go: w.came(id), w.gone(id) are what it was
 * told, or wait for it.  Nothing is told twice: who goes again is waited for.
 */
export async function watch(t, where) {
	const s = await connect(t, where, 'websocket', { nsp: '/watch' });
	const old = new Set();
	const told = (name) => async (id) => {
		const v = await until(() => heard(s, name).map(([m]) => m)
		    .find((m) => m.id === id && !old.has(m)), `${name} ${id}`);

		old.add(v);
		return v;
	};

	return { came: told('came'), gone: told('gone'), socket: s,
		all: (name) => heard(s, name).map(([v]) => v) };
}

// An hour passes, in which the server pings everybody, and has the answer of
// the watcher.  fn is called near its end: a poll does not wait for an hour.
export async function hour(where, w, fn = () => {}) {
	const ping = w && next(w.socket.io.engine, 'ping');

	await where.pass(3578);
	const result = await fn();

	await where.pass(23);
	await ping;
	if (w)
		await call(w.socket, 'back');
	return result;
}

// fn(t, mode) for each way to be connected.
export async function eachMode(t, fn, names = Object.keys(modes)) {
	for (const mode of names)
		await t.test(mode, (sub) => fn(sub, mode));
}

