// SPDX-License-Identifier: BSD-2-Clause
// Regression: what a plugin sent from on_open had "not moved" since the machine
// was started, so when the clock ticked just then the socket was cut.
import test from 'node:test';
import { Person, startChat } from './lib/chat.mjs';

test('whoever opens hears the first words', async (t) => {
	const h = await startChat(t);

	for (let i = 0; i < 2000; i++)
		(await Person.open(t, h)).socket.terminate();
});
