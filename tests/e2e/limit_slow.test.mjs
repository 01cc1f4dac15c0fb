// SPDX-License-Identifier: BSD-2-Clause
// Clients that come in drops are cut off, those that are only slow are not; and
// answers that are sent no faster than they may be.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { makeClock } from './lib/clock.mjs';
import { atEnd, command, startHostd, until } from './lib/hostd.mjs';

const LARGE = 32 << 20, SMALL = 150_000;
const FILES = 'plugin "files" { module = "http_static.so"  root = "@DIR@/www" }';

const start = (t, http, routes, { env } = {}) => startHostd(t, { env,
	files: { 'www/large': Buffer.alloc(LARGE, 'x'),
		'www/small': Buffer.alloc(SMALL, 'x') },
	conf: `
	pool "web" { workers = 1  ${env ? 'watchdog = 0' : ''} }
	http { ${http} }
	${routes}` });

// Says a byte each so many ms until the peer has answered or closed.
function trickle(t, h, head, ms) {
	const s = net.connect(h.port, '127.0.0.1');
	let text = '';

	atEnd(t, () => s.destroy());
	s.setNoDelay(true);
	s.write(head);
	const timer = setInterval(() => s.write('x'), ms);

	return new Promise((resolve) => {
		s.on('data', (d) => { text += d.toString('latin1'); });
		s.on('error', () => {});
		s.on('close', () => {
			clearInterval(timer);
			resolve(Number(text.slice(9, 12)));
		});
	});
}

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';

// Its requests' bodies are swallowed.
async function startSwallow(t, http, route = '', options = {}) {
	const backend = net.createServer((s) => s.resume());

	await new Promise((r) => backend.listen(0, '127.0.0.1', r));
	atEnd(t, () => backend.close());
	return start(t, http, `
		plugin "show" { module = "http_proxy.so" }
		plugin "ok" { module = "http_respond.so" }
		upstream "b" { server "127.0.0.1:${backend.address().port}" { } }
		route "/" { plugin = "show"  upstream = "b"  ${route} }
		route "/ok" { plugin = "ok" }`, options);
}

test('a body in drops', async (t) => {
	const h = await startSwallow(t,
	    'body_timeout = 300ms  min_body_rate = 1k');

	assert.equal(await trickle(t, h, POST, 50), 408);
});

test('a body in drops, where a route lets it', async (t) => {
	const clock = await makeClock(t);
	const h = await startSwallow(t,
	    'body_timeout = 1000s  min_body_rate = 1k',
	    'min_body_rate = 0  body_timeout = 600s', { env: clock.env });
	const s = net.connect(h.port, '127.0.0.1');
	// What was said before has been read, and so much time goes by.
	const asks = () => fetch(`${h.url}/ok`,
	    { headers: { connection: 'close' } });
	const pass = async (seconds) => {
		await asks();
		clock.pass(seconds);
		await asks();
	};
	let text = '';

	atEnd(t, () => s.destroy());
	s.write(POST);
	s.on('error', () => {});
	s.on('data', (d) => { text += d; });
	// Three times what others would have had.
	for (let i = 0; i < 10; i++) {
		await new Promise((r) => s.write('x', r));
		await pass(300);
	}
	assert.equal(text, '');
	const closed = new Promise((r) => s.on('close', r));

	await pass(601);
	await closed;
	assert.match(text, /^HTTP\/1.1 408 /);
});

test('an answer that is read in drops', async (t) => {
	const h = await start(t, 'send_timeout = 400ms  min_send_rate = 10m',
	    `${FILES} route "/" { plugin = "files" }
	    route "/patient/" { plugin = "files"  send_timeout = 30s }`);
	const s = net.connect(h.port, '127.0.0.1');
	let n = 0;

	atEnd(t, () => s.destroy());
	s.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
	s.on('error', () => {});
	s.on('data', (d) => {
		n += d.length;
		s.pause();
		setTimeout(() => s.resume(), 20);
	});
	await new Promise((r) => s.on('close', r));
	assert.ok(n < LARGE, `${n} bytes came`);
	// Who reads is not.
	const r = await command('curl', ['-s', '-o', '/dev/null', '-w',
		'%{size_download}', `${h.url}/patient/large`]);

	assert.equal(Number(r.stdout), LARGE);
});

// Who is slowed down is overtaken by those who are not: by another connection,
// and by its own, when that answer has ended.
test('limit_rate', async (t) => {
	const h = await start(t, '', `
		${FILES}
		route "/" { plugin = "files" }
		route "/slower/" {
			plugin = "files"
			limit_rate = 20k  send_timeout = 600ms
		}
		route "/slow/" { plugin = "files"  limit_rate = 100k }`);
	const s = net.connect(h.port, '127.0.0.1');
	let got = 0, closed = false;

	atEnd(t, () => s.destroy());
	s.on('error', () => {});
	s.on('data', (d) => { got += d.length; });
	s.on('close', () => { closed = true; });
	s.write('GET /slower/large HTTP/1.1\r\nHost: a\r\n\r\n');
	await until(() => got > 0, 'the begin of it');
	const r = await command('curl', ['-s', '-w',
		'%{http_code} %{size_download} %{num_connects}\n',
		'-o', '/dev/null', `${h.url}/slow/small`,
		'-o', '/dev/null', `${h.url}/large`]);

	assert.deepEqual(r.stdout.trim().split('\n'),
	    [`200 ${SMALL} 1`, `200 ${LARGE} 0`]);
	assert.ok(!closed && got < LARGE / 2, `${got} bytes`);
	// It goes on, later than send_timeout.
	const before = got;

	await until(() => got > before, 'more of it');
	assert.equal(closed, false);
});
