// SPDX-License-Identifier: BSD-2-Clause
// The files of the proxy's cache: they outlive workers, and whatever happens to
// them costs a request to the server at most.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { plain, recorder, upstreamConf } from './lib/backend.mjs';
import { command, freePort, startHostd, until } from './lib/hostd.mjs';
import { Client } from './lib/http1.mjs';
import { startUnprivileged } from './lib/unprivileged.mjs';

const body = (r) => `${r.target} `.repeat(2000);
const script = (r) => plain(body(r), 'Cache-Control: max-age=600');

async function start(t, keys = '', answer = script) {
	const backend = await recorder(t, answer);
	const h = await startHostd(t, { conf: `
		pool "web" { workers = 2 }
		${upstreamConf(backend, '', `cache = disk
		    cache_dir = "@DIR@/cache"  ${keys}`)}` });

	return { h, backend, dir: path.join(h.dir, 'cache') };
}

async function ask(h, target, port = h.port) {
	const c = await Client.connect(port);

	await c.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n` +
	    'Connection: close\r\n\r\n');
	const r = await c.next();

	c.destroy();
	assert.equal(r.status, 200);
	return { body: r.body, cache: r.headers['x-cache-status'][0] };
}

const files = (dir) => fs.readdirSync(dir, { recursive: true })
    .map((f) => path.join(dir, f))
    .filter((f) => /[0-9a-f]{48}|[0-9a-f]{32}-/.test(f));
const whole = (dir) => files(dir).filter((f) => !f.endsWith('.part'));

test('all workers have them, also those that come later', async (t) => {
	const { h, backend, dir } = await start(t);

	assert.equal((await ask(h, '/a')).cache, 'MISS');
	for (let i = 0; i < 8; i++)
		assert.equal((await ask(h, '/a')).cache, 'HIT');
	assert.equal((await h.hostctl('reload')).code, 0);
	const r = await ask(h, '/a');

	assert.equal(r.cache, 'HIT');
	assert.equal(r.body, body({ target: '/a' }));
	assert.equal(backend.requests.length, 1);
	assert.equal(whole(dir).length, 1);
	assert.deepEqual(files(dir), whole(dir));
});

// A worker that had met another one's request took it for under way for ever.
test('what another worker has asked for is asked for again when it is old',
    async (t) => {
	let release = () => {};
	const backend = await recorder(t, (r, s) => {
		const bytes = plain('x', 'Cache-Control: max-age=0, ' +
		    'stale-while-revalidate=3600');

		if (backend.requests.length !== 2)
			return bytes;
		release = () => s.write(bytes);
		return null;
	});
	const port = await freePort();
	const h = await startHostd(t, { conf: `
		pool "one" { workers = 1 }
		pool "two" { workers = 1 }
		listen "one" { address = "127.0.0.1:@PORT@"  pool = "one" }
		listen "two" { address = "127.0.0.1:${port}"  pool = "two" }
		${upstreamConf(backend, '', `cache = disk
		    cache_dir = "@DIR@/cache"`)}` });

	assert.equal((await ask(h, '/a')).cache, 'MISS');
	assert.equal((await ask(h, '/a')).cache, 'STALE');
	await backend.until((b) => b.requests.length === 2, 'refresh');
	assert.equal((await ask(h, '/a', port)).cache, 'UPDATING');
	release();
	await until(async () => (await ask(h, '/a', port)).cache === 'STALE',
	    'refresh by the other worker');
	await backend.until((b) => b.requests.length === 3, 'its request');
});

test('files that are not sound are no answers', async (t) => {
	const { h, backend, dir } = await start(t);
	let n = 1;

	await ask(h, '/a');
	const [file] = whole(dir);
	const good = fs.readFileSync(file);
	const garbage = Buffer.from(good);

	garbage[60] ^= 1;
	for (const bad of [good.subarray(0, 0), good.subarray(0, 20),
		good.subarray(0, 150), good.subarray(0, good.length - 1),
		Buffer.concat([good, Buffer.from('x')]), garbage,
		Buffer.alloc(good.length)]) {
		fs.writeFileSync(file, bad);
		const r = await ask(h, '/a');

		assert.equal(r.cache, 'MISS');
		assert.equal(r.body, body({ target: '/a' }));
		assert.equal(backend.requests.length, ++n);
		assert.equal((await ask(h, '/a')).cache, 'HIT');
	}
	// Another key's, by its name.
	await ask(h, '/b');
	const other = whole(dir).find((f) => f !== file);

	fs.copyFileSync(other, file);
	assert.equal((await ask(h, '/a')).body, body({ target: '/a' }));
	fs.rmSync(file);
	fs.symlinkSync('/etc/passwd', file);
	assert.equal((await ask(h, '/a')).body, body({ target: '/a' }));
});

test('a worker that is killed while it writes leaves nothing wrong',
    async (t) => {
	let hang = true;
	const { h, backend, dir } = await start(t, '', (r, s) => {
		const bytes = script(r);

		if (!hang)
			return bytes;
		s.write(bytes.slice(0, 4000));
		return null;
	});
	const c = await Client.connect(h.port);

	await c.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
	await c.bytes(1000);
	await until(() => files(dir).some((f) => f.endsWith('.part') &&
	    fs.statSync(f).size > 0), 'half a file');
	const before = await h.workers();

	for (const w of before)
		process.kill(w.pid, 'SIGKILL');
	await c.end();
	c.destroy();
	hang = false;
	await h.workersSatisfy((all) => all.length === 2 && all.every((w) =>
	    w.state === 'ready' && !before.some((b) => b.pid === w.pid)),
	    'new workers');
	const r = await ask(h, '/a');

	assert.equal(r.cache, 'MISS');
	assert.equal(r.body, body({ target: '/a' }));
	assert.equal((await ask(h, '/a')).cache, 'HIT');
	assert.equal(backend.requests.length, 2);
	assert.deepEqual(files(dir), whole(dir));
});

test('there is no more than was allowed', async (t) => {
	const { h, dir } = await start(t, 'cache_size = 512k');
	const used = () => files(dir).reduce((n, f) => {
		try {
			return n + fs.statSync(f).blocks * 512;
		} catch {
			return n;
		}
	}, 0);

	for (let i = 0; i < 100; i++) {
		await ask(h, `/${i}`);
		// Used all the time.
		if (i % 10 === 0)
			await ask(h, '/0');
	}
	await until(async () => {
		if (used() <= 512 << 10)
			return true;
		await ask(h, `/more${Math.random()}`);
		return false;
	}, 'room');
	assert.ok(whole(dir).length > 5);
	assert.equal((await ask(h, '/99')).body, body({ target: '/99' }));
});

test('a full disk: nothing is kept, and clients do not notice', async (t) => {
	const { h, backend, dir } = await start(t);
	const limit = async (what) => {
		for (const w of await h.workers()) {
			const r = await command('prlimit',
			    ['--pid', String(w.pid),
				`--fsize=${what}:`]);

			assert.equal(r.code, 0, r.stderr);
		}
	};

	await limit('2048');
	for (let i = 0; i < 6; i++) {
		const r = await ask(h, '/a');

		assert.equal(r.cache, 'MISS');
		assert.equal(r.body, body({ target: '/a' }));
	}
	await h.logged(/an answer is not kept, while writing below cache_dir/);
	assert.ok(h.log.match(/is not kept/g).length <= 2, 'a line per worker');
	assert.equal(backend.requests.length, 6);
	assert.deepEqual(files(dir), []);
	await limit('unlimited');
	// For some seconds it is known not to be kept; another one is.
	await ask(h, '/b');
	assert.equal((await ask(h, '/b')).cache, 'HIT');
});

test('a directory that cannot be written to is refused', async (t) => {
	const backend = await recorder(t, script);
	const conf = (dir) => upstreamConf(backend, '',
	    `cache = disk  cache_dir = "${dir}"`);
	const h = await startUnprivileged(t, { conf: conf('@DIR@/cache'),
		files: { 'no/.keep': '' } });

	assert.equal((await ask(h, '/a')).cache, 'MISS');
	fs.chmodSync(path.join(h.dir, 'no'), 0o555);
	const text = fs.readFileSync(h.confFile, 'utf8');

	fs.writeFileSync(h.confFile,
	    text.replace(`${h.dir}/cache`, `${h.dir}/no`));
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr,
	    /cache_dir .*\/no: no file can be made there: Permission denied/);
	assert.equal((await ask(h, '/a')).cache, 'HIT');
});
