// SPDX-License-Identifier: BSD-2-Clause
// Socket.IO: each packet that is none ends the session, all of its namespaces,
// without an answer; and what only looks like one does not.
import assert from 'node:assert/strict';
import { packet, Polling, webSocket, webSocketConnected, works } from
    './lib/eio.mjs';
import { onServers, watch } from './lib/sio.mjs';
import { binary, CLOSE, TEXT, text } from './lib/websocket.mjs';

const PLACE = '{"_placeholder":true,"num":0}';

// Before any namespace was joined.
const early = ['42["back"]', '420["back"]', '430[]', '41',
	'40null', '40[]', '40"x"', '40{', '40{}x', '401-', '42/chat,["back"]',
	'4', '47', '49', '4a', '43', '44{"message":"x"}'];

// In "/" and "/chat".
const late = ['40', '40/chat,', '44{"message":"x"}', '47', '48["x"]', '4a', '4',
	'42[]', '42{}', '42"x"', '42["back"', '42["back"]x', '42[null]',
	'42[true]', '42[{}]', '42[["back"]]', '42["connect"]',
	'42["connect_error"]', '42["disconnect"]', '42["disconnecting"]',
	'42["newListener"]', '42["removeListener"]', '42abc["back"]',
	'42-1["back"]', '421.5["back"]', '42/dyn-9,["back"]',
	'43/dyn-9,1[]', '41/dyn-9,',
	'41{}', '430{}', '430"x"', '430[', '42[,]', "42['back']",
	'42["back",]', '42["back",01]', '42["back",NaN]', '42["a\nb"]',
	'45["back",' + PLACE + ']', '451["back",' + PLACE + ']',
	'45-["back",' + PLACE + ']', '45-1-["back",' + PLACE + ']',
	'451.5-["back",' + PLACE + ']', '4511-["back",' + PLACE + ']',
	'451000000000-["back",' + PLACE + ']', '45a-["back"]', '45'];

// With what follows: an attachment, or something else in its place.
const bin = binary(Buffer.from([1]));
const attached = {
	'no event': [bin],
	'one too many': [text(`451-["nobody",${PLACE}]`), bin, bin],
	'a namespace that was not joined':
	    [text(`451-/dyn-9,["back",${PLACE}]`), bin],
	'text instead': [text(`451-["nobody",${PLACE}]`), text('42["back"]')],
	'a number that is none': [text('451-["nobody",{"_placeholder":true,' +
	    '"num":"0"}]'), bin],
	'a number too high': [text('451-["nobody",{"_placeholder":true,' +
	    '"num":1}]'), bin],
	'a negative one': [text('451-["nobody",{"_placeholder":true,' +
	    '"num":-1}]'), bin],
	'another connect between': [text(`451-["nobody",${PLACE}]`),
	    text('40/dyn-1,')],
};

// Nothing comes but the end.
async function endsIt(w, s, name) {
	const c = await s.closing().catch((e) => {
		throw new Error(`${name}: ${e.message}`);
	});

	// hostd's close has a code, Node's has none.
	assert.ok([1000, 1005].includes(c.code), name);
	if (!s.id)
		return;
	for (const id of [s.id, s.chat])
		assert.match((await w.gone(id)).reason,
		    /^forced (server )?close$/, name);
}

async function inTwo(t, where) {
	const s = await webSocketConnected(t, where);

	await s.say('40/chat,');
	s.chat = JSON.parse((await packet(s)).slice('40/chat,'.length)).sid;
	return s;
}

onServers('before it is connected', async (t, where) => {
	const cases = [...early.map((v) => [v, [text(v)]]), ['binary', [bin]],
		['a binary event', [text(`451-["back",${PLACE}]`), bin]]];

	await Promise.all(cases.map(async ([name, frames]) => {
		const s = await webSocket(t, where);

		await s.send(...frames);
		await endsIt(null, s, name);
	}));
});

onServers('behind that', async (t, where) => {
	const w = await watch(t, where);
	const cases = [...late.map((v) => [v, [text(v)]]),
		...Object.entries(attached)];

	await Promise.all(cases.map(async ([name, frames]) => {
		const s = await inTwo(t, where);

		await s.send(...frames);
		await endsIt(w, s, name);
	}));
});

onServers('over polling', async (t, where) => {
	const w = await watch(t, where);

	const bodies = ['42[]', '47', '40', `451-["x",${PLACE}]\x1e42["x"]`,
		'bAQ==', '42["echo",1]\x1e42{'];

	await Promise.all(bodies.map(async (body) => {
		const p = await Polling.connect(t, where);

		await p.send(body);
		assert.match((await w.gone(p.id)).reason,
		    /^forced (server )?close$/, body);
	}));
});

// What is odd and harmless.
const fine = ['42', '431', '43999[]', '437["nobody asked"]', '42["nobody"]',
	'42[7,1]', '42[""]', '420["nobody",1]', '42["error",1]',
	'42["nobody",{"_placeholder":true,"num":7}]', '42 ["nobody"]',
	'42[ "nobody" , 1 ]', '4299999999999["nobody"]',
	    '42["nobody","\\ud800"]',
	'42["nobody",{"a":1,"a":2}]', '42/,["nobody"]'];

onServers('what does no harm', async (t, where) => {
	for (const v of fine) {
		const s = await webSocketConnected(t, where);

		await s.say(v);
		await works(s).catch((e) => {
			throw new Error(`${v}: ${e.message}`);
		});
	}
	// A comma may be missing, and an id have zeros before it.
	const s = await webSocketConnected(t, where);

	await s.say('40/chat');
	assert.match(await packet(s), /^40\/chat,\{"sid":"[\w-]+"\}$/);
	await s.say('42007["back",1]', '42/chat,9007199254740991["back"]');
	assert.equal(await packet(s), '437[1]');
	assert.equal(await packet(s), '43/chat,9007199254740991[]');
	await s.say('41/chat');
	await s.roundtrip();
	await s.say('40/chat');
	assert.match(await packet(s), /^40\/chat,\{/);
	await works(s);
});

onServers('deep and long', async (t, where) => {
	const deep = (n) => '['.repeat(n) + ']'.repeat(n);

	// What is too deep ends it at worst; nothing else does.
	for (const n of [1000, 100_000]) {
		const s = await webSocketConnected(t, where);

		await s.say(`42["nobody",${deep(n)}]`);
		await s.say('42["echo",1]');
		assert.ok([TEXT, CLOSE].includes((await s.next()).opcode));
	}
	await works(await webSocketConnected(t, where));
});
