// SPDX-License-Identifier: BSD-2-Clause
// Engine.IO: how a session begins, and what does not begin one.
import assert from 'node:assert/strict';
import { ask, ask101, failed, packet, Polling,
    webSocket } from './lib/eio.mjs';
import { hour, onServers } from './lib/sio.mjs';

const NEW = { EIO: 4, transport: 'polling' };
const opened = { pingInterval: 25_000, pingTimeout: 20_000,
	maxPayload: 1_000_000 };

onServers('polling', async (t, where) => {
	const r = await ask(t, where, { query: { ...NEW, t: 'abc', b64: 1 } });
	const { sid, ...rest } = JSON.parse(r.text.slice(1));

	assert.equal(r.status, 200);
	assert.equal(r.text[0], '0');
	assert.match(sid, /^[\w-]{16,}$/);
	assert.deepEqual(rest, { upgrades: ['websocket'], ...opened });
	assert.deepEqual(r.headers['content-type'],
	    ['text/plain; charset=UTF-8']);
	assert.deepEqual(r.headers['cache-control'], ['no-store']);
	for (const name of ['set-cookie', 'access-control-allow-origin'])
		assert.equal(r.headers[name], undefined);

	// Nothing is remembered of the query: anything else may be in it.
	for (const query of ['?transport=polling&x=%zz&EIO=4', '?&&EIO=4&=&' +
	    'transport=polling', '?EIO=3&transport=polling&EIO=4',
	    '?EIO=4&transport=polling&sid=',
	    'more/path?EIO=4&transport=polling',
	    '?EIO=%34&transport=pol%6Cing'])
		assert.equal((await ask(t, where, { query })).text[0], '0',
		    query);
});

onServers('WebSocket', async (t, where) => {
	const { s, r } = await ask101(t, where, { EIO: 4,
		transport: 'websocket' });

	assert.equal(r.status, 101);
	const open = await packet(s);
	const { sid, ...rest } = JSON.parse(open.slice(1));

	assert.equal(open[0], '0');
	assert.match(sid, /^[\w-]{16,}$/);
	assert.deepEqual(rest, { upgrades: [], ...opened });
	assert.equal(r.headers['sec-websocket-extensions'], undefined);

	// Nothing is said to who has said nothing.
	await s.roundtrip();
	assert.equal(s.unread, 0);
});

onServers('mistakes', async (t, where) => {
	const { sid } = await Polling.open(t, where);
	const transport = ['Transport unknown', 0], bad = ['Bad request', 3];
	const version = ['Unsupported protocol version', 5];
	const cases = [
		['?EIO=4', ...transport],
		['?EIO=4&transport=', ...transport],
		['?EIO=4&transport=tcp', ...transport],
		['?EIO=4&transport=webtransport', ...transport],
		['?EIO=4&transport=__proto__', ...transport],
		['?EIO=4&transport=Polling', ...transport],
		['', ...transport],
		['?EIO=4&transport=websocket', ...bad],
		['?EIO=3&transport=polling', ...version],
		['?transport=polling', ...version],
		['?EIO=5&transport=polling', ...version],
		['?EIO=&transport=polling', ...version],
		['?EIO=4&transport=polling&sid=nobody', 'Session ID unknown',
		    1],
		[`?EIO=4&transport=polling&sid=${'x'.repeat(2000)}`,
		    'Session ID unknown', 1],
		[`?EIO=4&transport=polling&sid=${sid}x`, 'Session ID unknown',
		    1],
		[`?EIO=4&transport=websocket&sid=${sid}`, ...bad],
		[`?EIO=3&transport=polling&sid=${sid}`, ...bad],
	];

	for (const [query, message, code] of cases)
		failed(await ask(t, where, { query }), code, message);
	for (const method of ['POST', 'OPTIONS', 'PUT', 'DELETE'])
		failed(await ask(t, where, { method, query: NEW, body: '40' }),
		    2, 'Bad handshake method');
	assert.equal((await ask(t, where,
	    { method: 'HEAD', query: NEW })).status, 400);
});

onServers('mistakes of a handshake of WebSocket', async (t, where) => {
	const NEW = { EIO: 4, transport: 'websocket' };
	const p = await Polling.connect(t, where);
	const refused = async (query, message) => {
		const { s, r } = await ask101(t, where, query);

		assert.deepEqual([r.status, r.body], [400, message]);
		s.destroy();
	};

	await refused({ ...NEW, sid: 'nobody' }, 'Session ID unknown');
	await refused({ EIO: 4, transport: 'tcp' }, 'Transport unknown');
	await refused({ EIO: 4 }, 'Transport unknown');
	// Node says yes first.
	if (!where.node) {
		await refused({ EIO: 3, transport: 'websocket' },
		    'Unsupported protocol version');
		await refused({ transport: 'websocket' },
		    'Unsupported protocol version');
	}
	await refused({ EIO: 3, transport: 'websocket', sid: p.sid },
	    'Bad request');
	await p.works();
});

onServers('other paths', async (t, where) => {
	for (const path of ['/socket.io', '/engine.io/', '/', '/Socket.io/'])
		assert.notEqual((await ask(t, where, { query: NEW, path })
		    .catch(() => ({ status: 404 }))).status, 200, path);
});

onServers('a cookie', async (t, where) => {
	const r = await ask(t, where, { query: NEW });
	const { sid } = JSON.parse(r.text.slice(1));

	assert.deepEqual(r.headers['set-cookie'],
	    [`io=${sid}; Path=/; HttpOnly; SameSite=Lax`]);
	const again = await ask(t, where, { method: 'POST',
		query: { ...NEW, sid }, body: '40' });

	assert.equal(again.headers['set-cookie'], undefined);
	const s = await webSocket(t, where);

	assert.equal(s.answered.headers['set-cookie'], undefined);
}, { cookie: true });

onServers('who is in no namespace by then is sent away', async (t, where) => {
	const p = await Polling.open(t, where);
	const refused = await Polling.open(t, where);
	const s = await webSocket(t, where);
	const stays = await Polling.connect(t, where);

	await refused.post('40/nope,');
	assert.deepEqual(await refused.get(),
	    ['44/nope,{"message":"Invalid namespace"}']);
	const last = await hour(where, null, () => p.request());

	assert.equal((await last.answer).text, '1');
	await s.closing();
	assert.deepEqual((await refused.ask()).status === 200 ? ['1'] :
	    await refused.isOver() ?? ['1'], ['1']);
	await p.isOver();

	// One that was accepted stays, when it has left all, too.
	await stays.post('41');
	await stays.join('/chat');
}, { connectTimeout: 3_600_000, pingInterval: 86_400_000 }, { clock: true });

