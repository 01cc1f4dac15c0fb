// SPDX-License-Identifier: BSD-2-Clause
// socketio_rules: Socket.IO applications that are said in the configuration.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHostd } from './lib/hostd.mjs';
import { also, call, callAll, connect, connected, heard, next } from
    './lib/sio.mjs';

const CHAT = `
	event "joinRoom" { action = join  room = "room:$0" }
	event "joinRoom" { action = broadcast  room = "room:$0"  as = "joined"
		args = {"$id", "$0"}  ack = "{\\"room\\":$0}" }
	event "leaveRoom" { action = leave  room = "room:$0" }
	event "sendMessage" { action = emit  room = "room:$0"  require = room
		as = "message"  args = "{\\"from\\":$id,\\"text\\":$1,\\"in\\":\\"<$0>\\"}" }
	event "typing" { action = broadcast  room = "room:$0"  volatile = on }
	event "whoami" { ack = {"$id", "$user", "$auth.name", "$data.likes.0",
		"$data.likes", "$nsp"} }
	event "likes" { action = set  args = "{\\"likes\\":$0}" }
	event "likes" { action = reply  as = "set"  args = "$data.likes" }
	event "kick" { action = disconnect }
	on_connect { action = reply  as = "welcome"  args = "\\"hello $id\\"" }
	on_disconnect { action = emit  room = "$rooms"  as = "left"  args = "$id" }
`;

const serve = async (t, rules, more = '') => {
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 2 }
		plugin "io" { module = "socketio.so" }
		plugin "rules" { module = "socketio_rules.so"  ${rules} }
		route "/socket.io/" { plugin = "io" }
		${more}` });

	return Object.assign(h, { url: `http://127.0.0.1:${h.port}` });
};

test('a chat', async (t) => {
	const h = await serve(t, CHAT);
	const ada = await connect(t, h, 'websocket', { auth: { name: 'Ada' } });
	const bob = await connect(t, h, 'polling');
	const eve = await connect(t, h, 'upgrade');

	assert.deepEqual(await callAll(ada, 'joinRoom', 'tea'),
	    [{ room: 'tea' }]);
	const joined = next(ada, 'joined');

	assert.deepEqual(await call(bob, 'joinRoom', 'tea'), { room: 'tea' });
	assert.deepEqual(await joined, [bob.id, 'tea']);
	// Who is not in the room can't speak there, nor hear.
	assert.deepEqual(await call(eve, 'sendMessage', 'tea', 'psst'),
	    { error: 'not in the room' });
	const messages = [next(ada, 'message'), next(bob, 'message')];
	const text = 'a "quoted" \\ text, €';

	assert.deepEqual(await call(ada, 'sendMessage', 'tea', text),
	    { ok: true });
	for (const m of await Promise.all(messages))
		assert.deepEqual(m, [{ from: ada.id, text, in: '<tea>' }]);
	const typing = next(ada, 'typing');

	await call(bob, 'typing', 'tea', { x: [1, null] });
	assert.deepEqual(await typing, ['tea', { x: [1, null] }]);
	const left = next(ada, 'left');

	bob.disconnect();
	assert.equal((await left).length, 1);
	assert.deepEqual(heard(eve, 'message').concat(heard(eve, 'joined'),
	    heard(bob, 'typing'), heard(eve, 'left')), []);
	assert.deepEqual(await call(ada, 'leaveRoom', 'tea'), { ok: true });
	assert.deepEqual(await call(ada, 'sendMessage', 'tea', 'x'),
	    { error: 'not in the room' });
});

test('what is known of a socket', async (t) => {
	const h = await serve(t, CHAT);
	const ada = await connect(t, h, 'websocket', { auth: { name: 'Ada' } });

	assert.deepEqual(await callAll(ada, 'whoami'),
	    [ada.id, null, 'Ada', null, null, '/']);
	const set = next(ada, 'set');

	await call(ada, 'likes', ['tea', '€']);
	assert.deepEqual(await set, [['tea', '€']]);
	assert.deepEqual((await callAll(ada, 'whoami')).slice(3, 5),
	    ['tea', ['tea', '€']]);
	const gone = next(ada, 'disconnect');

	ada.emit('kick');
	assert.deepEqual((await gone)[0], 'io server disconnect');
});

test('a client stays within its places', async (t) => {
	const h = await serve(t, CHAT);
	const s = await connect(t, h, 'websocket');
	const bad = [[], [null], [{}], [['a']], [true], ['x'.repeat(251)]];

	for (const args of bad)
		assert.deepEqual(await call(s, 'joinRoom', ...args),
		    { error: 'bad room' });
	assert.deepEqual(await call(s, 'joinRoom', 7), { room: 7 });
	assert.deepEqual(await call(s, 'joinRoom', '","evil":"'),
	    { room: '","evil":"' });
	const heardIt = next(s, 'message');

	await call(s, 'sendMessage', '","evil":"', { $id: '$user' });
	assert.deepEqual((await heardIt)[0], { from: s.id,
		text: { $id: '$user' }, in: '<","evil":">' });
	// Binary data goes along.
	const typing = next(await joins(t, h, 'bin'), 'typing');

	await call(s, 'typing', 'bin', Buffer.from([0, 255]));
	assert.deepEqual((await typing)[1], Buffer.from([0, 255]));
});

async function joins(t, h, room) {
	const s = await connect(t, h, 'websocket');

	await call(s, 'joinRoom', room);
	return s;
}

test('namespaces, anything, and who may not', async (t) => {
	const h = await serve(t, `namespaces = {"/", "/room-*"}
		event "echo" { action = reply  as = "$0"  args = "$@" }
		event "*" { action = reply  as = "any"  args = {"$event", "$@"} }`,
	    `plugin "members" { module = "socketio_rules.so"
		namespaces = "/members"  require_user = on  offered_by = "io" }`);
	const s = await connect(t, h, 'websocket');
	const room = also(t, s, '/room-7');
	const any = next(room, 'any');

	await connected(room);
	room.emit('what', 1, { a: 2 });
	assert.deepEqual(await any, ['what', [1, { a: 2 }]]);
	const echo = next(s, 'other');

	s.emit('echo', 'other', 2);
	assert.deepEqual(await echo, [['other', 2]]);
	await assert.rejects(connected(also(t, s, '/members')),
	    /^Error: not authorized$/);
	await assert.rejects(connected(also(t, s, '/nowhere')),
	    /^Error: Invalid namespace$/);
});

test('to and from back-ends', async (t) => {
	const h = await serve(t, `
		event "order" { action = publish  channel = "shop/$0" }
		event "ring" { action = publish  channel = "bell"  message = "{\\"by\\":$1}" }
		event "watch" { action = join  room = "shop:$0" }
		channel "orders" { room = "shop:$0.shop"  as = "order"  args = {"$0.id", "$0"} }
		channel "shop/7" { as = "heard" }
		channel "bell" { as = "$event" }
		channel "news" { as = "news" }`, `
		plugin "publish" { module = "http_publish.so"  token = "0123456789abcdef" }
		route "/publish" { plugin = "publish" }`);
	const all = [await connect(t, h, 'websocket'),
	    await connect(t, h, 'polling'),
		await connect(t, h, 'websocket')];
	const publish = async (channel, message) => assert.equal((await fetch(
	    `${h.url}/publish`, { method: 'POST',
		body: JSON.stringify({ channel, message }), headers:
		{ authorization: 'Bearer 0123456789abcdef' } })).status, 202);
	const news = all.map((s) => next(s, 'news'));

	await call(all[1], 'watch', 'tea');
	const order = next(all[1], 'order');

	await publish('orders', { shop: 'tea', id: 4, what: 'green' });
	assert.deepEqual(await order,
	    [4, { shop: 'tea', id: 4, what: 'green' }]);
	await publish('orders', 'no JSON, so of no shop');
	await publish('news', 'it is "noon"');
	for (const n of news)
		assert.deepEqual(await n, ['it is "noon"']);
	assert.deepEqual(heard(all[0], 'order'), []);
	const told = all.map((s) => next(s, 'heard'));

	await call(all[0], 'order', 7, { tea: 1 });
	for (const n of told)
		assert.deepEqual(await n, [{ nsp: '/', event: 'order',
			id: all[0].id, args: [7, { tea: 1 }] }]);
	const bell = next(all[2], 'bell');

	await call(all[0], 'ring', 1, 'Ada');
	assert.deepEqual(await bell, [{ by: 'Ada' }]);
});

test('mistakes have a place', async (t) => {
	const wrong = async (rules, why) => {
		await assert.rejects(serve(t, rules), why);
	};

	await wrong('event "a" { action = joyn }', /"action" must be one of/);
	await wrong('event "a" { rom = "x" }',
	    /unknown key "rom"; did you mean "room"/);
	await wrong('event { }', /"event" must have a title/);
	await wrong('evnt "a" { }',
	    /unknown block "evnt"; did you mean "event"/);
	await wrong('event "a" { action = join }',
	    /hostd.conf:\d+: event "a": it needs the key "room"/);
	await wrong('event "a" { action = emit  args = "hello" }',
	    /event "a": args: it is no JSON/);
	await wrong('event "a" { action = join  room = "$what" }',
	    /"\$what" stands for nothing/);
	await wrong('channel "a" { }', /channel "a": it needs the key "as"/);
});

test('over a reload', async (t) => {
	const h = await serve(t, CHAT);
	const ada = await connect(t, h, 'websocket', { auth: { name: 'Ada' } });
	const bob = await connect(t, h, 'websocket');

	await call(ada, 'joinRoom', 'tea');
	await call(bob, 'joinRoom', 'tea');
	await call(ada, 'likes', 'tea');
	const { id } = ada;
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	const message = next(bob, 'message');

	await call(ada, 'sendMessage', 'tea', 'still here');
	assert.equal((await message)[0].text, 'still here');
	assert.deepEqual(await callAll(ada, 'whoami'),
	    [id, null, 'Ada', null, 'tea', '/']);
	const left = next(bob, 'left');

	ada.disconnect();
	assert.deepEqual(await left, [id]);
	assert.deepEqual(heard(bob, 'welcome').length, 1);
});
