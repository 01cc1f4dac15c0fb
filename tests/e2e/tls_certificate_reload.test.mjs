// SPDX-License-Identifier: BSD-2-Clause
// A renewed certificate is there after a reload, without a restart; one that
// will not do is refused, and the one before stays.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:https';
import test from 'node:test';
import { startHostd, tempDir } from './lib/hostd.mjs';
import { certificate } from './lib/tls.mjs';
import { ask, block, hello, listen } from './lib/tls_ask.mjs';

test('new, mismatched, expired', async (t) => {
	const dir = tempDir(t);
	const here = { cert: `${dir}/cert.pem`, key: `${dir}/key.pem` };
	const put = (what) => {
		for (const name of Object.keys(what)) {
			// As clients of ACME do: the old one is there until the
			// new one is.
			fs.copyFileSync(what[name], `${here[name]}.new`);
			fs.renameSync(`${here[name]}.new`, here[name]);
		}
	};
	const names = ['a.test'];
	const one = await certificate(t, { cn: 'one', names });
	const two = await certificate(t, { cn: 'two', names, kind: 'rsa' });
	const over = await certificate(t, { cn: 'over', names, days: -1 });

	put(one);
	const h = await startHostd(t, { conf: `${listen}${hello}${block('main',
	    here)}tls "main" { }` });
	const subject = async () => (await ask(h.port)).subject;
	// A connection that is open stays.
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const get = () => new Promise((resolve, reject) => http.get({ agent,
		port: h.port, rejectUnauthorized: false }, (res) => {
			res.resume().on('end', () => resolve(res.socket));
		}).on('error', reject));

	t.after(() => agent.destroy());
	const socket = await get();

	assert.equal(await subject(), 'CN = one');
	for (const [what, why] of [
		[{ cert: two.cert }, /is not that of the first certificate/],
		[over, /has expired on/],
		[{ cert: '/dev/null' }, /there is none in PEM/]]) {
		put(what);
		const r = await h.hostctl('reload');

		assert.notEqual(r.code, 0);
		assert.match(r.stderr, why);
		assert.match(r.stderr, /hostd\.conf:\d+: /);
		assert.equal(await subject(), 'CN = one');
	}
	put(two);
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	assert.equal(await subject(), 'CN = two');
	assert.equal(await get(), socket);
});

test('watch: a file that changes is enough', async (t) => {
	const here = await certificate(t, { cn: 'one' });
	const two = await certificate(t, { cn: 'two' });
	const h = await startHostd(t, { conf: `watch = on\n${listen}${hello}` +
		`${block('main', here)}tls "main" { }` });

	fs.copyFileSync(two.key, here.key);
	fs.copyFileSync(two.cert, here.cert);
	await h.logged(/serving generation ([2-9])/);
	assert.equal((await ask(h.port)).subject, 'CN = two');
});

test('those that end soon are told of', async (t) => {
	const soon = await certificate(t, { cn: 'soon', days: 13 });
	const later = await certificate(t, { cn: 'later', days: 15 });
	const over = await certificate(t, { cn: 'over', days: -1 });
	const h = await startHostd(t, { conf: `${listen}${hello}` +
		block('soon', soon) + block('later', later) +
		block('over', over, 'allow_expired = on') + 'tls "main" { }' });

	assert.match(h.log, /warn .*certificate "soon" .* ends in 1[23] days/);
	assert.match(h.log, /warn .*certificate "over" .* has ended/);
	assert.doesNotMatch(h.log, /certificate "later"/);
	const { certificates } = await h.status();

	assert.deepEqual(certificates.map((c) => c.name),
	    ['soon', 'later', 'over']);
	for (const c of certificates)
		assert.equal(c.ends_soon, c.name !== 'later');
	assert.equal(new Date(certificates[0].not_after).getTime() > Date.now(),
	    true);
	const text = (await h.hostctl('status')).stdout;

	assert.match(text, /certificate soon ends in 1[23] days/);
	assert.match(text, /certificate over has ended/);
	assert.doesNotMatch(text, /later/);
});
