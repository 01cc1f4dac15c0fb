// SPDX-License-Identifier: BSD-2-Clause
// Traces (W3C Trace Context): taken up or begun, handed on, told to plugins and
// in logs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { command, prepareHostd, sbin, until } from './lib/hostd.mjs';
import { connect, get, plugin, serveShow } from './lib/http1.mjs';
import { reply, serveProxy, startBackend, tell } from './lib/proxied.mjs';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PARENT = `00-${ID}-${SPAN}-01`;
const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/;

const log = `access_log "a" { path = "access.log"  format =
	"$trace_id $span_id $parent_id $traceparent" }
access_log "j" { path = "access.json"  format = "json" }`;

function lines(h, n, name = 'access.log') {
	const file = path.join(h.dir, name);

	return until(() => {
		const all = fs.existsSync(file) ?
		    fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

		return all.length >= n && all;
	}, `${n} lines in ${name}`);
}

// What the plugin is told of each request, over one connection.
async function told(t, h, ...requests) {
	const c = await connect(t, h.port);
	const all = [];

	for (const headers of requests) {
		await c.send(get('/?trace', ...headers));
		all.push(JSON.parse((await c.next()).body));
	}
	c.destroy();
	return all;
}

test('a trace goes on: plugin, access log, error log', async (t) => {
	const h = await serveShow(t, 'trace = w3c', log);
	const [seen] = await told(t, h, [`Traceparent: ${PARENT}`,
		'tracestate: rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE',
		'TraceState: a@b=c']);

	assert.equal(seen.trace_id, ID);
	assert.equal(seen.parent_id, SPAN);
	assert.notEqual(seen.span_id, SPAN);
	assert.equal(seen.traceparent, `00-${ID}-${seen.span_id}-01`);
	assert.equal(seen.flags, 1);
	assert.equal(seen.tracestate,
	    'rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE,a@b=c');
	assert.deepEqual(await lines(h, 1),
	    [`${ID} ${seen.span_id} ${SPAN} ${seen.traceparent}`]);
	const json = JSON.parse((await lines(h, 1, 'access.json'))[0]);

	assert.equal(json.trace_id, ID);
	assert.equal(json.span_id, seen.span_id);
	await h.logged(new RegExp(`pid \\d+ trace ${ID}\\] show: asked for`));
});

test('one that is wrong, or twice there, begins a new one', async (t) => {
	const h = await serveShow(t, 'trace = w3c');
	const wrong = [`ff-${ID}-${SPAN}-01`,
	    `00-${ID.toUpperCase()}-${SPAN}-01`,
		`00-${'0'.repeat(32)}-${SPAN}-01`,
		    `00-${ID}-${'0'.repeat(16)}-01`,
		`${PARENT}-`, `${PARENT}-extra`, `00-${ID}-${SPAN}`,
		`cc-${ID}-${SPAN}-01.extra`, ''];
	const all = await told(t, h, ...wrong.map((p) =>
	    [`traceparent: ${p}`, 'tracestate: a=b']),
	[`traceparent: ${PARENT}`, `traceparent: ${PARENT}`], []);

	for (const seen of all) {
		assert.match(seen.traceparent, FORM);
		assert.notEqual(seen.trace_id, ID);
		assert.equal(seen.parent_id, null);
		assert.equal(seen.tracestate, null);
	}
	const ids = all.flatMap((s) => [s.trace_id, s.span_id]);

	assert.equal(new Set(ids).size, ids.length);
	const [later, bad] = await told(t, h,
	    [`traceparent: cc-${ID}-${SPAN}-01-what-will-be`],
	    [`traceparent: ${PARENT}`, 'tracestate: a=b', 'tracestate: A=b']);

	assert.equal(later.traceparent, `00-${ID}-${later.span_id}-01`);
	assert.equal(bad.trace_id, ID);
	assert.equal(bad.tracestate, null);
});

test('only whom the operator trusts; new ones are sampled', async (t) => {
	const h = await serveShow(t, `trace = w3c  trace_sample = 0
		trace_trust = {"192.0.2.0/24", "::1"}`);
	const [seen] = await told(t, h, [`traceparent: ${PARENT}`]);

	assert.notEqual(seen.trace_id, ID);
	assert.equal(seen.flags, 0);
	assert.match(seen.traceparent, /-00$/);
	const near = await serveShow(t, `trace = w3c  trace_sample = 0
		trace_trust = {"127.0.0.0/8"}`);
	const [own] = await told(t, near, [`traceparent: ${PARENT}`]);

	assert.equal(own.trace_id, ID);
	assert.equal(own.flags, 1);
});

test('by HTTP/2', async (t) => {
	const h = await serveShow(t, 'h2c = on  trace = w3c', log);
	const curl = async (...headers) =>
	    JSON.parse((await command('curl', ['-sS',
		'--http2-prior-knowledge', ...headers.flatMap((s) => ['-H', s]),
		`http://127.0.0.1:${h.port}/?trace`])).stdout);
	const own = await curl(`traceparent: ${PARENT}`, 'tracestate: a=b');

	assert.deepEqual([own.trace_id, own.parent_id, own.tracestate],
	    [ID, SPAN, 'a=b']);
	const next = await curl(`traceparent: ${PARENT}`,
	    `traceparent: ${PARENT}`);

	assert.notEqual(next.trace_id, ID);
	assert.deepEqual((await lines(h, 2)).map((l) => l.split(' ')[0]),
	    [ID, next.trace_id]);
});

test('servers get it, with our span', async (t) => {
	const b = await startBackend(t, (q) => q.headers.upgrade ?
	    'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n' :
	    tell(q));
	const h = await serveProxy(t, [b], '',
	    { http: 'trace = w3c', conf: log });
	const c = await connect(t, h.port);

	await c.send(get('/', `traceparent: ${PARENT}`, 'tracestate: a=b',
	    'tracestate: c=d') + get('/', 'tracestate: a=b'));
	const one = JSON.parse((await c.next()).body).headers;
	const two = JSON.parse((await c.next()).body).headers;
	const [first, second] = await lines(h, 2);

	assert.deepEqual(one.traceparent, [first.split(' ')[3]]);
	assert.equal(one.traceparent[0].slice(3, 35), ID);
	assert.notEqual(one.traceparent[0].slice(36, 52), SPAN);
	assert.deepEqual(one.tracestate, ['a=b', 'c=d']);
	assert.deepEqual(two.traceparent, [second.split(' ')[3]]);
	assert.equal(two.tracestate, undefined);
	await c.send(get('/ws', 'Connection: Upgrade', 'Upgrade: websocket',
	    `traceparent: ${PARENT}`));
	await until(() => b.requests.length === 3, 'the upgrade');
	assert.equal(b.requests[2].headers.traceparent[0].slice(3, 35), ID);
	assert.equal(b.requests[2].headers.traceparent.length, 1);
});

test('unless the operator says something else', async (t) => {
	const b = await startBackend(t, () => reply(200, 'ok'));
	const sent = async (keys, http) => {
		const h = await serveProxy(t, [b], keys, { http });
		const c = await connect(t, h.port);

		await c.send(get('/', `traceparent: ${PARENT}`,
		    'tracestate: a=b'));
		await c.next();
		return b.requests.at(-1).headers;
	};
	const off = await sent('', '');

	assert.deepEqual([off.traceparent, off.tracestate],
	    [[PARENT], ['a=b']]);
	const set = await sent('set_header = {"traceparent: mine"}',
	    'trace = w3c');

	assert.deepEqual([set.traceparent, set.tracestate],
	    [['mine'], undefined]);
	const none = await sent('remove_header = {"traceparent"}',
	    'trace = w3c');

	assert.deepEqual([none.traceparent, none.tracestate],
	    [undefined, undefined]);
});

test('off: no ids, and nobody is told any', async (t) => {
	const h = await serveShow(t, '', log);
	const [seen] = await told(t, h, [`traceparent: ${PARENT}`]);

	assert.equal(seen.trace, -5);
	assert.deepEqual(await lines(h, 1), ['- - - -']);
	const [json] = await lines(h, 1, 'access.json');

	assert.equal('trace_id' in JSON.parse(json), false);
});

test('mistakes are told, each with its line', async (t) => {
	const h = await prepareHostd(t, { conf: `http {
	trace = on
	trace_sample = 1.5
	trace_trust = {"10.0.0.0/33"}
}
plugin "show" { module = "${await plugin('show_route')}" }` });
	const { code, stderr } = await command(sbin('hostd'),
	    ['-t', '-c', h.confFile]);

	assert.equal(code, 1);
	assert.match(stderr, /:\d+: .*"trace".*w3c/);
	assert.match(stderr, /:\d+: "trace_sample": "1\.5" is not a share/);
	assert.match(stderr, /:\d+: "trace_trust": "10\.0\.0\.0\/33"/);
});
