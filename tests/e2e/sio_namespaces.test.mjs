// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: namespaces over one connection, those of a pattern, and those that
// do not let everybody in.
import assert from 'node:assert/strict';
import { also, call, client, connect, connected, eachMode, gone, heard, next,
    onServers, settled, watch } from './lib/sio.mjs';

// Who is refused, and why.
async function refused(s) {
	const [e] = await next(s, 'connect_error');

	assert.equal(s.connected, false);
	return { message: e.message, data: e.data };
}

const UNKNOWN = { message: 'Invalid namespace', data: undefined };

// One byte more than one that there is, or in its place.
onServers('names with bytes that end texts elsewhere', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode);

	for (const nsp of ['/\0', '/chat\0', '/chat\0/dyn-1', '/\0chat'])
		assert.deepEqual(await refused(also(st, s, nsp)), UNKNOWN);
	await connected(also(st, s, '/dyn-\0'));
	assert.equal(await call(s, 'back', 1), 1);
}, ['websocket', 'polling']));

onServers('several over one connection', (t, where) =>
    eachMode(t, async (st, mode) => {
	const a = await connect(st, where, mode, { auth: { who: 'a' } });
	const b = also(st, a, '/chat', { auth: { who: 'b' } });
	const c = also(st, a, '/dyn-1');

	await Promise.all([connected(b), connected(c)]);
	assert.equal(new Set([a.id, b.id, c.id]).size, 3);
	assert.equal(a.io.engine, b.io.engine);
	const seen = await Promise.all([a, b, c].map((s) => call(s, 'whoami')));

	assert.deepEqual(seen.map(({ id, nsp, auth }) => ({ id, nsp, auth })), [
		{ id: a.id, nsp: '/', auth: { who: 'a' } },
		{ id: b.id, nsp: '/chat', auth: { who: 'b' } },
		{ id: c.id, nsp: '/dyn-1', auth: {} }]);
	// Each has its own rooms and its own numbers of acknowledgements.
	await Promise.all([a, b, c].map((s) => call(s, 'join', 'r')));
	assert.deepEqual(await Promise.all([a, b, c].map((s) =>
	    call(s, 'rooms'))), [a, b, c].map((s) => ['r', s.id].sort()));
	for (const s of [a, b, c])
		s.emit('echo', s.nsp, Buffer.from(s.nsp));
	await Promise.all([a, b, c].map((s) => call(s, 'back')));
	for (const s of [a, b, c])
		assert.deepEqual(heard(s, 'echo'),
		    [[s.nsp, Buffer.from(s.nsp)]]);
	await call(b, 'say', [], 'chat only');
	await settled(b);
	assert.deepEqual([a, b, c].map((s) => heard(s, 'said').length),
	    [0, 1, 0]);
}));

onServers('one that is not there', (t, where) =>
    eachMode(t, async (st, mode) => {
	assert.deepEqual(await refused(client(st, where, mode,
	    { nsp: '/nope' })), UNKNOWN);

	const a = await connect(st, where, mode);

	for (const nsp of ['/nope', '/dyn', '/chat/', '/Chat', '/chat?token=1',
	    '/__proto__', `/${'x'.repeat(200)}`])
		assert.deepEqual(await refused(also(st, a, nsp)), UNKNOWN, nsp);
	assert.equal(await call(a, 'back', 1), 1);
	assert.equal(await call(await connected(also(st, a, '/chat')), 'back',
	    2), 2);
}));

onServers('a pattern', (t, where) => eachMode(t, async (st, mode) => {
	const a = await connect(st, where, mode);
	const names = ['/dyn-1', '/dyn-11', '/dyn-ä€', '/dyn-a/b?c=1',
	    '/dyn-[1]{"}', '/dyn-0 0', '/dyn-%20'];
	const all = [];

	for (const nsp of names) {
		const s = await connected(also(st, a, nsp));

		assert.equal((await call(s, 'whoami')).nsp, nsp);
		await call(s, 'join', 'r');
		all.push(s);
	}
	// Somebody else in the same one, and nobody of another.
	const other = await connect(st, where, mode, { nsp: '/dyn-11' });

	await call(other, 'say', 'r', 'hi');
	await settled(other, all[1]);
	assert.deepEqual(all.map((s) => heard(s, 'said').length),
	    all.map((_, i) => i === 1 ? 1 : 0));
}));

onServers('one that asks for a secret', (t, where) =>
    eachMode(t, async (st, mode) => {
	const no = { message: 'not authorized',
		data: { code: 'E1', hint: 'log in' } };
	const w = await watch(st, where);
	const s = client(st, where, mode, { nsp: '/private' });

	assert.deepEqual(await refused(s), no);
	s.auth = { token: 'wrong' };
	s.connect();
	assert.deepEqual(await refused(s), no);
	s.auth = { token: 'secret' };
	s.connect();
	await connected(s);
	assert.equal((await call(s, 'whoami')).nsp, '/private');
	await w.came(s.id);

	// Others of the connection do not mind.
	const a = await connect(st, where, mode);

	assert.deepEqual(await refused(also(st, a, '/private')), no);
	assert.equal(await call(a, 'back', 1), 1);
	await settled(w.socket);
	assert.deepEqual(w.all('came').filter((v) => v.nsp === '/private')
	    .map((v) => v.id).filter((id) => id !== s.id), []);
}));

onServers('one that takes its time', (t, where) =>
    eachMode(t, async (st, mode) => {
	const a = await connect(st, where, mode);
	const slow = also(st, a, '/slow');

	slow.emit('echo', 'waited');
	await connected(slow);
	await call(slow, 'back');
	assert.deepEqual(heard(slow, 'echo'), [['waited']]);
	// Others of the connection do not wait for it.
	const b = await connect(st, where, mode);
	const never = also(st, b, '/slow', { auth: { never: true } });

	assert.equal(await call(await connected(also(st, b, '/chat')), 'back',
	    1), 1);
	assert.equal(await call(b, 'back', 2), 2);
	assert.equal(never.connected, false);
	assert.deepEqual(await refused(also(st, await connect(st, where, mode),
	    '/slow', { auth: { late: true } })),
	    { message: 'too late', data: undefined });

	// Who does not wait for it.
	const gone = client(st, where, mode, { nsp: '/slow' });

	await next(gone.io, 'open');
	gone.io.engine.close();
	assert.equal(await call(a, 'back', 1), 1);
}));

onServers('one is left, the others stay', (t, where) =>
    eachMode(t, async (st, mode) => {
	const w = await watch(st, where);
	const a = await connect(st, where, mode);
	const b = await connected(also(st, a, '/chat'));
	const was = b.id;

	b.disconnect();
	assert.deepEqual(await w.gone(was), { id: was, nsp: '/chat',
		reason: 'client namespace disconnect', rooms: [] });
	assert.equal(await call(a, 'back', 1), 1);
	b.connect();
	await connected(b);
	assert.notEqual(b.id, was);
	assert.equal(await call(b, 'back', 2), 2);

	// The server ends one, which comes again.
	const end = gone(b);

	b.emit('bye', false);
	assert.equal(await end, 'io server disconnect');
	assert.equal(await call(a, 'back', 3), 3);
	b.connect();
	await connected(b);

	// The main namespace is one of them.
	const c = await connected(also(st, a, '/dyn-7'));

	a.disconnect();
	assert.equal((await w.gone(a.id ?? w.all('came').findLast((v) =>
	    v.nsp === '/').id)).reason, 'client namespace disconnect');
	assert.equal(await call(b, 'back', 4), 4);
	assert.equal(await call(c, 'back', 5), 5);
}));

onServers('only others than the main one', (t, where) =>
    eachMode(t, async (st, mode) => {
	const s = await connect(st, where, mode, { nsp: '/chat' });

	assert.deepEqual(await call(s, 'back', 'x'), 'x');
	assert.equal((await call(s, 'whoami')).nsp, '/chat');
}));
