// SPDX-License-Identifier: BSD-2-Clause
// hostd ends at once though a name server does not answer.
// Bug: a worker that ended waited for the lookup.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { atEnd, prepareHostd, within } from './lib/hostd.mjs';

const SERVER = '127.86.2.53';

// resolv.conf is another one in a mount namespace.
function whyNot() {
	if (process.getuid() !== 0)
		return 'needs root, for port 53 and a mount';
	if (spawnSync('unshare', ['-m', 'true']).status !== 0)
		return 'needs a mount namespace';
	return false;
}

// A name server that hears and says nothing.
async function silence(t) {
	const s = dgram.createSocket('udp4');

	s.bind(53, SERVER);
	atEnd(t, () => s.close());
	await within(once(s, 'listening'), 'name server');
	return s;
}

// hostd, started by what mounts another resolv.conf.
async function start(t, conf) {
	const h = await prepareHostd(t, { conf, files: { 'resolv.conf':
		`nameserver ${SERVER}\noptions timeout:30 attempts:5\n` } });

	h.through = ['unshare', '-m', 'sh', '-c',
		'mount --bind "$0" /etc/resolv.conf && exec "$@"',
		path.join(h.dir, 'resolv.conf')];
	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged(/serving generation/);
	return h;
}

for (const how of ['hostctl stop', 'SIGQUIT'])
	test(how, { skip: whyNot() }, async (t) => {
		const s = await silence(t);
		const asked = once(s, 'message');
		const h = await start(t, `
			pool "web" { workers = 1 }
			plugin "redis" { module = "pubsub_redis.so"
				url = "redis://cache.example:6379" }`);

		await within(asked, 'lookup');
		if (how === 'SIGQUIT')
			h.child.kill('SIGQUIT');
		else
			assert.equal((await h.hostctl('stop')).code, 0);
		assert.deepEqual(await within(h.ended, 'end of hostd'),
		    { code: 0, signal: null });
		// Nobody had to end it.
		assert.doesNotMatch(h.log,
		    /sending SIGKILL|killed|died|exited with/);
		assert.match(h.log, /web\.0.* ending/);
	});
