// SPDX-License-Identifier: BSD-2-Clause
// A client that reads used to be closed as a slow one when what it had sent at
// once was answered with more than max_output.
import test from 'node:test';
import { pattern } from './lib/static.mjs';
import { binary, open, same, serveEcho, TEXT } from
    './lib/websocket.mjs';

test('who reads is not slow, however much comes at once', async (t) => {
	const h = await serveEcho(t, { routes: {
		'/echo': 'high_water = 24k  max_output = 24k' } });
	const s = await open(t, h);
	const messages = Array.from({ length: 200 }, (_, i) =>
	    pattern(1000, i));

	await s.send(...messages.map((m) => binary(m)));
	for (const m of messages)
		same((await s.message()).data, m);
	await s.echo(TEXT, 'fine');
});
