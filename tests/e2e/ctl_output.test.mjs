// SPDX-License-Identifier: BSD-2-Clause
// hostctl, when its output can't be written, or nobody reads it; and when too
// many of it are there.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { atEnd, bin, command, within } from './lib/hostd.mjs';
import { startLife } from './lib/life.mjs';

const sh = (h, text) => command('bash', ['-c', text],
    { env: { ...process.env, HOSTCTL: bin('hostctl'),
	HOSTD_CONTROL: h.socket } });

test('a disk that is full', async (t) => {
	const h = await startLife(t);

	for (const args of ['list', 'status --json', 'generations', 'events',
		'version']) {
		const r = await sh(h, `$HOSTCTL ${args} 2>&1 >/dev/full`);

		assert.equal(r.code, 1, args);
		assert.match(r.stdout,
		    /^hostctl: the output could not be written: .*(full|space)/m);
	}
});

test('a change is made all the same', async (t) => {
	const h = await startLife(t);
	const r = await sh(h, '$HOSTCTL reload 2>&1 >/dev/full');

	assert.equal(r.code, 1);
	assert.equal((await h.status()).generation, 2);
});

// Services are started without SIGPIPE: this went on until hostd ended.
test('a reader who leaves', async (t) => {
	const h = await startLife(t);
	const end = sh(h, 'trap "" PIPE; ' +
	    '($HOSTCTL events -f; echo $? >&2) | head -n 1');
	let ended = false;
	const happen = async () => {
		while (!ended)
			await h.hostctl('logs', 'reopen');
	};

	end.then(() => { ended = true; });
	await within(happen(), 'end of hostctl').finally(() => {
		ended = true;
	});
	const r = await end;

	assert.match(r.stdout, /node\.started/);
	assert.match(r.stderr, /^hostctl: the output could not be written: .*\n1\n$/);
});

test('too many that follow', async (t) => {
	const h = await startLife(t);
	const all = await Promise.all(Array.from({ length: 32 }, () =>
		new Promise((resolve, reject) => {
			const s = net.connect(h.socket);

			atEnd(t, () => s.destroy());
			s.on('error', reject);
			s.once('data', () => resolve(s));
			s.write('{"cmd":"events","follow":true}\n');
		})));
	const r = await h.hostctl('list');

	assert.equal(r.code, 1);
	assert.match(r.stderr,
	    /^hostctl: hostd has 32 hostctl to answer already; end some/);
	all[0].destroy();
	const again = async () => {
		while ((await h.hostctl('list')).code !== 0)
			;
	};

	await within(again(), 'room for another');
});
