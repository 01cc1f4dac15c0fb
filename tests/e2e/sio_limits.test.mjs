// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: what one client may have and send, and what it sent before it
// could know better.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { packet, webSocket, webSocketConnected, works } from './lib/eio.mjs';
import { call, connect, heard, onHostd, settled, startOurs } from
    './lib/sio.mjs';
import { binary, text } from './lib/websocket.mjs';

const endings = [];
const where = await startOurs({ after: (fn) => endings.push(fn) }, {},
    { workers: 1, more: `max_namespaces = 3
	max_attachments = 2  max_packet = 150000` });

after(async () => {
	for (const fn of endings)
		await fn();
});

const joins = async (s, nsp) => {
	await s.say(`40${nsp},`);
	assert.match(await packet(s), new RegExp(`^40${nsp},{"sid":"[^"]+"}$`));
};

const ends = async (s, ...packets) => {
	await s.say(...packets);
	await s.closing();
};

test('namespaces', async (t) => {
	const s = await webSocketConnected(t, where);

	await joins(s, '/dyn-1');
	await joins(s, '/dyn-2');
	await s.say('40/dyn-3,');
	assert.equal(await packet(s),
	    '44/dyn-3,{"message":"Too many namespaces"}');
	await works(s);
	await s.say('41/dyn-1,');
	await joins(s, '/dyn-3');
	await s.say('40/nowhere,', '40/nowhere-else,');
	for (const nsp of ['/nowhere', '/nowhere-else'])
		assert.equal(await packet(s),
		    `44${nsp},{"message":"Too many namespaces"}`);
	await s.say('41/dyn-3,', '40/nowhere,');
	assert.equal(await packet(s),
	    '44/nowhere,{"message":"Invalid namespace"}');
	await works(s);
});

test('names of namespaces', async (t) => {
	const s = await webSocketConnected(t, where);
	const long = '/dyn-' + 'x'.repeat(300);

	await s.say(`40${long},`);
	assert.equal(await packet(s),
	    `44${long},{"message":"Invalid namespace"}`);
	await works(s);
});

test('ids of acknowledgements', async (t) => {
	const s = await webSocketConnected(t, where);

	await s.say('429007199254740991["back",1]', '42007["back",2]',
	    '439007199254740991[]');
	assert.equal(await packet(s), '439007199254740991[1]');
	assert.equal(await packet(s), '437[2]');
	await ends(s, '429007199254740992["back",1]');
});

test('how deep JSON is', async (t) => {
	const s = await webSocketConnected(t, where);
	const deep = (n) => '['.repeat(n) + ']'.repeat(n);

	await s.say(`420["back",${deep(63)}]`);
	assert.equal(await packet(s), `430[${deep(63)}]`);
	await ends(s, `420["back",${deep(64)}]`);

	// As deep as a message is long, of each kind of packet.
	const cases = [`42${deep(200000)}`, `42["back",${deep(200000)}]`,
		`40/chat,{"a":${deep(200000)}}`, `430${deep(200000)}`,
		`451-["back",${deep(200000)}]`, `42${'['.repeat(500000)}`];

	await Promise.all(cases.map(async (v) =>
		ends(await webSocketConnected(t, where), v)));
});

test('attachments', async (t) => {
	const s = await webSocketConnected(t, where);
	const place = (n) => `{"_placeholder":true,"num":${n}}`;

	await s.send(text(`452-1["back",${place(1)},${place(0)},${place(1)}]`),
	    binary(Buffer.from('a')), binary(Buffer.alloc(100000, 'b')));
	assert.equal(await packet(s),
	    `462-1[${place(1)},${place(0)},${place(1)}]`);
	assert.equal((await s.expect(2)).toString(), 'a');
	assert.equal((await s.expect(2)).length, 100000);
	await ends(s, `453-["back",${place(0)}]`);

	// All that is kept of one that never is whole.
	const big = await webSocketConnected(t, where);
	const head = `452-2["back",${place(0)},${place(1)}]`;
	// The '4' is not of the packet.
	const second = 150000 - (head.length - 1) - 100000;

	await big.send(text(head), binary(Buffer.alloc(100000)),
	    binary(Buffer.alloc(second)));
	assert.match(await packet(big), /^462-2\[/);
	assert.equal((await big.expect(2)).length, 100000);
	assert.equal((await big.expect(2)).length, second);
	await big.send(text(head), binary(Buffer.alloc(100000)),
	    binary(Buffer.alloc(second + 1)));
	await big.closing();
});

test('many values in one packet', async (t) => {
	const s = await webSocketConnected(t, where);
	const many = Array(100000).fill(1);

	await s.say(`420${JSON.stringify(['back', ...many])}`);
	assert.equal(await packet(s), `430${JSON.stringify(many)}`);
	await works(s);
});

test('what was under way when the server put it out', async (t) => {
	const s = await webSocketConnected(t, where);
	const place = '{"_placeholder":true,"num":0}';

	await joins(s, '/dyn-1');
	await s.send(text('42/dyn-1,["bye",false]'),
	    text('42/dyn-1,0["back",1]'), text(`451-/dyn-1,["back",${place}]`),
	    binary(Buffer.from('a')), text('43/dyn-1,1[]'), text('41/dyn-1,'));
	assert.equal(await packet(s), '41/dyn-1,');
	await works(s);
	await joins(s, '/dyn-1');
	// Of a namespace that is not there it would not be so.
	await ends(s, '42/nowhere,["back",1]');
});

test('connect twice in one go', async (t) => {
	const s = await webSocket(t, where);

	await s.say('40', '40');
	assert.match(await packet(s), /^40{"sid":"/);
	await works(s);
	await ends(s, '40');
});

// Bug: it came to the sockets of one worker, and nobody was told.
onHostd('a broadcast that is over 16 MiB', async (t, h) => {
	const E_INVAL = -1, part = Buffer.alloc(900_000);
	const all = await Promise.all([...'abcd'].map(() =>
	    connect(t, h, 'websocket')));
	const say = (n) => call(all[0], 'saystatus', [], Array(n).fill(part));

	assert.equal(await say(19), E_INVAL);
	assert.equal(await say(2), 0);
	await settled(...all);
	for (const s of all)
		assert.deepEqual(heard(s, 'said').map(([v]) => v.length), [2]);
}, {}, { more: 'max_attachments = 20' });
