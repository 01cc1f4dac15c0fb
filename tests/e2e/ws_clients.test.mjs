// SPDX-License-Identifier: BSD-2-Clause
// Clients that people use: npm's ws, the one of node, and Chromium.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { exchange } from './lib/exchange.mjs';
import { atEnd, command, top, WAIT_MS, within } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { startBrowser } from './lib/page.mjs';
import { serveEcho, untilWebsockets } from './lib/websocket.mjs';

const { WebSocket } = npm('ws');
const module = path.join(top, 'tests/e2e/lib/exchange.mjs');

const MAX = 64 << 10;
const limit = 'max_message = 64k';
const kept = 'deflate_server_takeover = on  deflate_client_takeover = on';
const routes = {
	'/echo': limit,
	'/deflate': `${limit}  deflate = on  deflate_min = 0`,
	'/kept': `${limit}  deflate = on  deflate_min = 50  ${kept}`,
	'/same': `${limit}  deflate = on  origins = {"same"}`,
	'/others': 'origins = {"https://other.example"}',
};
const url = (h, path) => `ws://127.0.0.1:${h.port}${path}`;

// Name, route, and what ws is told of permessage-deflate.
const flavours = [
	['without compression', '/echo', false, ''],
	['offering what is not taken', '/echo', true, ''],
	['compressed', '/deflate', { threshold: 0 }, 'permessage-deflate'],
	['compressed, windows kept', '/kept', { threshold: 50 },
		'permessage-deflate'],
	['compressed, small windows kept', '/kept', { threshold: 0,
		serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
		'permessage-deflate'],
	['compressed, windows not kept though they might be', '/kept',
		{ threshold: 0, serverNoContextTakeover: true,
		clientNoContextTakeover: true }, 'permessage-deflate'],
];

const CONNECTIONS = 5;
const MESSAGES = 10_000;

test('npm\'s ws', async (t) => {
	const h = await serveEcho(t, { routes,
		echo: 'subprotocols = {"chat"}' });

	for (const [name, path, perMessageDeflate, extensions] of flavours)
		await t.test(`${MESSAGES} messages ${name}`, async () => {
			const count = MESSAGES / CONNECTIONS;
			const seeds = Array.from(Array(CONNECTIONS).keys());
			const all = seeds.map((seed) => exchange({ seed, count,
				url: url(h, path), max: MAX }, WebSocket,
				[['x', 'chat'], { perMessageDeflate }]));

			for (const r of await Promise.all(all))
				assert.deepEqual(r, { back: count,
					bytes: r.bytes, code: 4001, clean: true,
					protocol: 'chat', extensions });
		});
	await t.test('messages in fragments', async (t) => {
		for (const [path, perMessageDeflate] of [['/echo', false],
			['/kept', { threshold: 0 }]]) {
			const ws = new WebSocket(url(h, path),
			    { perMessageDeflate });

			atEnd(t, () => ws.terminate());
			await within(once(ws, 'open'), 'open');
			for (let i = 0; i < 100; i++) {
				for (let k = 0; k < i; k++)
					ws.send(`part ${k} `, { fin: false });
				ws.send('end');
				const [data, isBinary] = await within(
				    once(ws, 'message'), 'message');

				assert.equal(isBinary, false);
				assert.equal(data.toString(), Array.from(
				    { length: i }, (_, k) => `part ${k} `)
				    .join('') + 'end');
			}
		}
	});
	await t.test('pings and pongs', async (t) => {
		const ws = new WebSocket(url(h, '/echo'));

		atEnd(t, () => ws.terminate());
		await within(once(ws, 'open'), 'open');
		ws.pong('not asked for');
		ws.ping('marco');
		const [data] = await within(once(ws, 'pong'), 'pong');

		assert.equal(data.toString(), 'marco');
	});
	await t.test('too large a message: 1009', async (t) => {
		const ws = new WebSocket(url(h, '/echo'));

		atEnd(t, () => ws.terminate());
		await within(once(ws, 'open'), 'open');
		ws.send(Buffer.alloc(MAX + 1));
		const [code] = await within(once(ws, 'close'), 'close');

		assert.equal(code, 1009);
	});
	await t.test('a page from elsewhere: 403', async () => {
		const ws = new WebSocket(url(h, '/others'),
		    { origin: 'https://evil.example' });
		const [e] = await within(once(ws, 'error'), 'error');

		assert.match(e.message, /403/);
	});
	await t.test('nothing is left of them', () => untilWebsockets(h, 0));
});

// Node has one since 22, and before that for those who ask.
const flag = '--experimental-websocket';
const args = typeof globalThis.WebSocket === 'function' ? [] :
    process.allowedNodeEnvironmentFlags.has(flag) ? [flag] : undefined;

test('node\'s own', { skip: args ? false : 'this node has none' },
    async (t) => {
	const h = await serveEcho(t, { routes });

	for (const name of ['/echo', '/deflate', '/kept'])
		await t.test(name, async () => {
			const r = await command(process.execPath, [...args,
				'--no-warnings', '--input-type=module', '-e', `
				import { exchange } from '${module}';
				console.log(JSON.stringify(await exchange({
					url: '${url(h, name)}',
					seed: 7, count: 1000, max: ${MAX}
				})));`]);

			assert.equal(r.code, 0, r.stderr);
			const end = JSON.parse(r.stdout);

			assert.equal(end.back, 1000);
			assert.equal(end.code, 4001);
			assert.equal(end.clean, true);
		});
});

test('Chromium', async (t) => {
	const h = await serveEcho(t, { routes, echo: 'subprotocols = {"chat"}',
		conf: `plugin "page" { module = "http_respond.so"
			body = "<title>page</title>"
			headers = {"Content-Type: text/html"} }
		route "/" { plugin = "page" }` });
	const browser = await startBrowser(t);
	const page = await browser.newPage();
	const run = (path, more = []) => page.evaluate(
	    ([options, ...rest]) => (0, eval)(options.code)(options,
		WebSocket, rest), [{ url: url(h, path), seed: 3, count: 1000,
		max: MAX, code: `(${exchange})` }, ...more]);

	page.setDefaultTimeout(WAIT_MS);
	await page.goto(`${h.url}/`);
	const fresh = 'permessage-deflate; server_no_context_takeover; ' +
	    'client_no_context_takeover';

	for (const [path, extensions] of [['/echo', ''], ['/deflate', fresh],
		['/kept', 'permessage-deflate'], ['/same', fresh]])
		await t.test(path, async () => {
			const r = await run(path, [['other', 'chat']]);

			assert.deepEqual(r, { back: 1000, bytes: r.bytes,
				code: 4001, clean: true, protocol: 'chat',
				extensions });
		});
	await t.test('a route that is for other pages', () =>
		assert.rejects(run('/others'), /an error: 0 sent/));
	await t.test('one that leaves the page', async () => {
		await page.evaluate((to) => new Promise((resolve) => {
			globalThis.left = new WebSocket(to);
			globalThis.left.onopen = resolve;
		}), url(h, '/echo'));
		await untilWebsockets(h, 1);
		await page.goto('about:blank');
		await untilWebsockets(h, 0);
	});
});
