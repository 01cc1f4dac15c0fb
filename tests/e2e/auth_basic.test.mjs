// SPDX-License-Identifier: BSD-2-Clause
// Names and passwords: by clients of others, many at once, and without telling
// which names there are.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, raw, startHostd, statusOf, until, within } from
    './lib/hostd.mjs';
import { get } from './lib/http1.mjs';

// Of crypt(3), as cheap as they may be.
const SECRET = '$2y$05$c4WoMPo3SXsafkva.HHa6u7b1XOWKqA7XZANDrnv4IVny/8ABNR66';
const HELLO = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5';
const HELLO512 = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBn' +
	'IFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1';
const YESCRYPT = '$y$j75$saltsaltsalt$jyf/lxrpdyAIshWRo1x5DRC6KIE7sNRRtjcomR3PgHA';
const users = `# of the dashboard
alice:${SECRET}
bob:${HELLO}
carol:${HELLO512}:and more
dora:${YESCRYPT}
zo\u00e9:${HELLO}
`;

const start = (t, more = '', options = {}) => startHostd(t, { conf: `
	pool "web" { workers = 1  watchdog = 0 }
	auth "staff" { type = basic  users_file = "users"
		realm = "Staff only"  ${more} }
	plugin "yes" { module = "http_respond.so"  body = "yes" }
	route "/" { plugin = "yes"  auth = "staff" }
	access_log "a" { path = "access.log"  format = "$remote_user $status" }`,
	files: { users }, ...options });

const encode = (s) => `Basic ${Buffer.from(s).toString('base64')}`;

async function status(h, authorization) {
	const r = await fetch(h.url, authorization === undefined ? {} :
	    { headers: { Authorization: authorization } });

	await r.arrayBuffer();
	return r.status;
}

const write = (h, text) => {
	fs.writeFileSync(path.join(h.dir, 'users.new'), text);
	fs.renameSync(path.join(h.dir, 'users.new'), path.join(h.dir, 'users'));
};

// Until that is what a request gets: a change is seen within a second.
const becomes = (h, authorization, want) => until(async () =>
	await status(h, authorization) === want, `status ${want}`);

test('curl', async (t) => {
	const h = await start(t);
	const curl = async (...args) => (await command('curl', ['-s', '-o',
		'/dev/null', '-w', '%{http_code} %header{www-authenticate}',
		...args, h.url])).stdout;

	assert.equal(await curl(),
	    '401 Basic realm="Staff only", charset="UTF-8"');
	for (const [user, password] of [['alice', 'secret'],
		['bob', 'Hello world!'], ['carol', 'Hello world!'],
		['dora', 'secret'], ['zo\u00e9', 'Hello world!']])
		for (let i = 0; i < 2; i++)
			assert.equal(await curl('-u', `${user}:${password}`),
			    '200 ');
	for (const u of ['alice:Secret', 'alice:', ':', ':secret', 'eve:secret',
		'Alice:secret', 'alice:secret ', 'bob:secret',
		'alice :secret', '# of the dashboard:x'])
		assert.match(await curl('-u', u), /^401 Basic/, u);
	const log = () => fs.readFileSync(path.join(h.dir, 'access.log'),
	    'latin1');

	await until(() => log().split('\n').length >= 22, 'its lines');
	assert.deepEqual(log().split('\n').slice(0, 5), ['- 401', 'alice 200',
		'alice 200', 'bob 200', 'bob 200']);
	assert.match(log(), /zo\\xC3\\xA9 200/);
	// Nothing secret anywhere.
	assert.doesNotMatch(h.log + log(), /secret|Hello|\$2y|\$5/);
});

test('what is no name and password', async (t) => {
	const h = await start(t);
	// Eleven bytes: it is padded.
	const good = encode('dora:secret');

	assert.equal(await status(h, good), 200);
	assert.equal(await status(h, good.replace('Basic', 'bAsIc')), 200);
	for (const bad of ['Basic', 'Basic ', 'Basic =', 'Basic ====',
		good.slice(0, -1), `${good}=`, `${good}AAAA`,
		    good.replace('=', ''),
		good.replace(' ', ''), good.replace('Basic', 'Bearer'),
		good.replace('Basic ', ''), encode('alice'), encode(''),
		encode('alice:secret\0'), encode('alice\0:secret'),
		encode('alice:secret\0x'), encode(`alice:${'x'.repeat(600)}`),
		encode(`alice:${'x'.repeat(6000)}`),
		encode(`${'a'.repeat(6000)}:x`)])
		assert.equal(await status(h, bad), 401, bad.slice(0, 60));
	const { text } = await raw(h.port, 'GET / HTTP/1.1\r\nHost: a\r\n' +
	    `Authorization: ${good}\r\nAuthorization: ${good}\r\n` +
	    'Connection: close\r\n\r\n');

	assert.equal(statusOf(text), 400);
});

test('again over a connection, and pipelined', async (t) => {
	const h = await start(t);
	const line = (s) => `Authorization: ${encode(s)}`;
	const { text } = await raw(h.port, get('/', line('alice:secret')) +
	    get('/', line('alice:no')) + get('/') +
	    get('/', line('dora:secret')) +
	    get('/', line('alice:secret'), 'Connection: close'));
	const all = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]);

	assert.deepEqual(all, ['200', '401', '401', '200', '200']);
});

test('a body waits for the verdict', async (t) => {
	const h = await start(t);

	for (const [password, want] of [['secret', 200], ['no', 401]]) {
		const r = await fetch(h.url, { method: 'POST',
			body: 'x'.repeat(200_000),
			headers: { Authorization: encode(
			    `alice:${password}`) } });

		await r.arrayBuffer();
		assert.equal(r.status, want);
	}
});

// One hash for all who say the same; what is too much is told so, at once.
test('many at once', async (t) => {
	const h = await start(t);
	const same = await Promise.all(Array.from({ length: 200 }, () =>
	    status(h, encode('alice:secret'))));

	assert.deepEqual(new Set(same), new Set([200]));
	const agent = new http.Agent({ maxSockets: 200 });
	let said = 0;

	atEnd(t, () => agent.destroy());
	const guess = (i) => new Promise((resolve, reject) => http.get(h.url,
	    { agent, headers: { Authorization: encode(`alice:${i}`) } },
	    (r) => {
		    r.resume().on('end', () => resolve([r.statusCode,
			    r.headers['retry-after']]));
	    }).on('finish', () => { said++; }).on('error', reject));
	const [{ pid }] = await h.workers();

	// However slow we are, it hears of all of them at the same time.
	process.kill(pid, 'SIGSTOP');
	atEnd(t, () => process.kill(pid, 'SIGCONT'));
	const guesses = Promise.all(Array.from({ length: 200 }, (_, i) =>
	    guess(i)));

	await until(() => said === 200, 'what they say');
	process.kill(pid, 'SIGCONT');
	// Who was let in before is not kept waiting by who is not.
	assert.equal(await status(h, encode('alice:secret')), 200);
	const all = await guesses;

	assert.ok(all.some(([s]) => s === 401));
	assert.ok(all.some(([s, retry]) => s === 503 && retry === '1'));
	assert.deepEqual(new Set(all.map(([s]) => s)), new Set([401, 503]));
	assert.equal(await status(h, encode('dora:secret')), 200);
});

test('clients that leave', async (t) => {
	const h = await start(t);

	for (let round = 0; round < 10; round++)
		await Promise.all(Array.from({ length: 20 }, async (_, i) => {
			const abort = new AbortController();
			const asked = fetch(h.url, { signal: abort.signal,
				headers: { Authorization:
				    encode(`alice:${round} ${i % 3}`) } });

			setImmediate(() => abort.abort());
			await asked.then((r) => r.arrayBuffer()).catch(() =>
			    {});
		}));
	await becomes(h, encode('alice:secret'), 200);
});

test('a file that changes', async (t) => {
	const h = await start(t);
	const alice = encode('alice:secret');
	const eve = encode('eve:Hello world!');

	assert.equal(await status(h, alice), 200);
	assert.equal(await status(h, eve), 401);
	write(h, `alice:${HELLO}\neve:${HELLO}\n`);
	// What was remembered is not any more.
	await becomes(h, alice, 401);
	assert.equal(await status(h, eve), 200);
	// One that will not do is told of once; the one before counts on.
	write(h, 'alice:secret\n');
	await until(async () => {
		assert.equal(await status(h, eve), 200);
		return /users: line 1 is plain text/.test(h.log);
	}, 'that it will not do');
	assert.equal(await status(h, eve), 200);
	assert.equal(await status(h, alice), 401);
	fs.rmSync(path.join(h.dir, 'users'));
	await until(async () => {
		assert.equal(await status(h, eve), 200);
		return /users: No such file/.test(h.log);
	}, 'that it has gone');
	write(h, users);
	await becomes(h, alice, 200);
	assert.equal(await status(h, eve), 401);
	assert.equal(h.log.match(/what it had before/g).length, 2);
});

test('never remembered', async (t) => {
	const h = await start(t, 'remember = 0');

	for (let i = 0; i < 3; i++)
		assert.equal(await status(h, encode('bob:Hello world!')), 200);
});

test('stopped while hashes are computed', async (t) => {
	const h = await start(t);
	const asked = Array.from({ length: 20 }, (_, i) =>
	    status(h, encode(`alice:${i}`)).catch(() => 0));

	await h.stop('SIGTERM');
	await Promise.all(asked);
	assert.doesNotMatch(h.log, /still open|killed/);
});

// Those who wait for a verdict get it from whom they have asked.
test('a reload while hashes are computed', async (t) => {
	const h = await start(t);
	const asked = ['alice:secret', ...Array.from({ length: 20 }, (_, i) =>
	    `alice:${i}`)].map((s) => status(h, encode(s)));
	const r = await h.hostctl('reload');

	assert.equal(r.code, 0, r.stderr);
	const all = await Promise.all(asked);

	assert.equal(all[0], 200);
	assert.deepEqual(new Set(all.slice(1)), new Set([401]));
});

test('refused at start', async (t) => {
	for (const [text, why] of [
		['alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
		    /line 1 is one of LDAP's/],
		[`a:${HELLO}\nb:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/`,
			/line 2 is Apache's MD5 \(\$apr1\$\), .*htpasswd -B/],
		['alice:secret', /line 1 is plain text or of a weak kind/],
		['alice', /line 1 is not "name:hash"/],
		['', /it has no user/]]) {
		const h = await start(t, '', { files: { users: text },
			ready: false });
		const { code } = await within(h.ended, 'its end');

		assert.notEqual(code, 0);
		assert.match(h.log, why);
		assert.match(h.log,
		    /hostd\.conf:\d+: auth "staff": .*\/users: /);
		assert.doesNotMatch(h.log, /5en6G6|HqJZ|secret/);
	}
});
