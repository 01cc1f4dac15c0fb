// SPDX-License-Identifier: BSD-2-Clause
// A client that had sent its close and its FIN used to be cut off in the middle
// of what it had not read yet.
import { once } from 'node:events';
import test from 'node:test';
import { within } from './lib/hostd.mjs';
import { pattern } from './lib/static.mjs';
import { binary, closing, open, same, serveEcho } from './lib/websocket.mjs';

const SIZE = 20_000;
const COUNT = 600;

test('a close and a FIN behind much that is not read yet', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': 'high_water = 64m  max_output = 64m' } });
	const pace = await open(t, h);
	const s = await open(t, h);
	const data = pattern(SIZE);

	// More than the kernel keeps for us: the server has to.
	s.socket.pause();
	for (let i = 0; i < COUNT; i++)
		await s.send(binary(data));
	await s.send(closing(1000));
	s.finish();
	await within(once(s.socket, 'finish'), 'end of what is sent');
	await pace.roundtrip();
	await pace.roundtrip();
	s.socket.resume();
	for (let i = 0; i < COUNT; i++)
		same((await s.message()).data, data);
	await s.closedWith(1000);
});
