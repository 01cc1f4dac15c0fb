// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: clients that come, what they are told and what is known of them.
import assert from 'node:assert/strict';
import { call, client, connect, connected, eachMode, heard, modes, onServers,
    onWebSocket, watch } from './lib/sio.mjs';

const ID = /^[A-Za-z0-9_-]{16,}$/;

onServers('who comes', (t, where) => eachMode(t, async (st, mode) => {
	const w = await watch(st, where);
	const s = await connect(st, where, mode, { query: { name: 'ädä &+' },
		extraHeaders: { 'x-test': 'hello' },
		    auth: { token: 'ü', n: 1 } });
	const me = await call(s, 'whoami');

	assert.match(s.id, ID);
	assert.notEqual(s.id, s.io.engine.id);
	assert.ok(!s.recovered);
	assert.deepEqual(me, { id: s.id, nsp: '/', recovered: false,
		auth: { token: 'ü', n: 1 }, data: {}, header: 'hello',
		query: { EIO: '4', transport: modes[mode][0], name: 'ädä &+' },
		xdomain: false, secure: false });
	assert.deepEqual(await call(s, 'rooms'), [s.id]);
	assert.deepEqual(await w.came(s.id),
	    { id: s.id, nsp: '/', recovered: false });
	assert.equal(s.io.engine.transport.name, modes[mode].at(-1));
}));

onServers('no auth, words of welcome, a foreign page', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode,
	    { extraHeaders: { origin: 'http://a.example' } });
	const me = await call(s, 'whoami');

	assert.deepEqual(me.auth, {});
	assert.equal(me.xdomain, true);

	// What the handler of connections emits comes behind the acceptance.
	const greeted = client(st, where, mode,
	    { auth: { welcome: ['hi', { to: 'you' }, 'there €'] } });
	const order = [];

	greeted.on('connect', () => order.push('connect'));
	greeted.on('welcome', () => order.push('welcome'));
	await connected(greeted);
	await call(greeted, 'back');
	assert.deepEqual(heard(greeted, 'welcome'),
	    [[['hi', { to: 'you' }, 'there €']]]);
	assert.deepEqual(order, ['connect', 'welcome']);
}));

onServers('many at once', async (t, where) => {
	const all = await Promise.all(Array.from({ length: 45 }, (_, i) =>
	    connect(t, where, Object.keys(modes)[i % 3])));
	const answers = await Promise.all(all.map((s, i) =>
	    call(s, 'back', i)));

	assert.equal(new Set(all.map((s) => s.id)).size, all.length);
	assert.equal(new Set(all.map((s) => s.io.engine.id)).size, all.length);
	assert.deepEqual(answers, all.map((_, i) => i));
});

onServers('it goes and comes again', (t, where) =>
    eachMode(t, async (st, mode) => {
	const w = await watch(st, where);
	const s = await connect(st, where, mode);
	const was = s.id;

	await call(s, 'join', 'room');
	s.disconnect();
	assert.deepEqual(await w.gone(was), { id: was, nsp: '/',
		reason: 'client namespace disconnect', rooms: ['room'] });
	s.connect();
	await connected(s);
	assert.notEqual(s.id, was);
	assert.deepEqual(await call(s, 'rooms'), [s.id]);
}));

onServers('what is emitted before it is connected', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = client(st, where, mode);
	const acks = ['a', 'b', 'c'].map((v) => call(s, 'back', v));

	s.volatile.emit('echo', 'dropped');
	s.emit('echo', 'kept');
	await connected(s);
	assert.deepEqual(await Promise.all(acks), ['a', 'b', 'c']);
	await call(s, 'back');
	assert.deepEqual(heard(s, 'echo'), [['kept']]);
}));

onServers('no upgrade', async (t, where) => {
	const s = await connected(client(t, where, 'upgrade'));

	assert.deepEqual(await call(s, 'back', 1), 1);
	assert.equal(s.io.engine.transport.name, 'polling');
	assert.equal(await call(await connect(t, where, 'websocket'), 'back',
	    2), 2);
}, { allowUpgrades: false });

for (const [has, hasNot] of [['polling', 'websocket'],
    ['websocket', 'polling']])
	onServers(`only ${has}`, async (t, where) => {
		await assert.rejects(connected(client(t, where, hasNot)),
		    hasNot === 'polling' ? /xhr poll error/ :
		    /websocket error/);

		const s = await connected(client(t, where, has));

		assert.equal(await call(s, 'back', 1), 1);
	}, { transports: [has] });

onServers('the second transport, if the first is not there',
    async (t, where) => {
	const s = await connected(client(t, where, 'upgrade',
	    { tryAllTransports: true }));

	await onWebSocket(s);
	assert.equal(await call(s, 'back', 1), 1);
}, { transports: ['websocket'] });
