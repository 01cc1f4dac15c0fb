// SPDX-License-Identifier: BSD-2-Clause
// The proxy and streams for a long time: servers that do everything wrong,
// clients that leave at any stage, changes by hand, reloads and workers that
// are killed.  Every byte that a client gets is right, and nothing is left.
//
// HOSTD_SOAK_SECONDS: how long, for more than some minutes by node alone, as
// the runner of tests does not wait; HOSTD_SOAK_SEED: again as it was.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startDns } from './lib/dns.mjs';
import { Faulty } from './lib/faulty.mjs';
import { freePort, startHostd, tempDir, until } from './lib/hostd.mjs';
import { blackHole } from './lib/net.mjs';
import { serversSatisfy } from './lib/servers.mjs';
import { Soak } from './lib/soak.mjs';
import { streamServer } from './lib/streams.mjs';
import { Unrest } from './lib/unrest.mjs';
import { groups as groupsOf } from './lib/upstream.mjs';

const SECONDS = Number(process.env.HOSTD_SOAK_SECONDS ?? 7);
const SEED = Number(process.env.HOSTD_SOAK_SEED ?? Date.now() % 1e6);
const CLIENTS = 24;
const ROUND = 60;	// seconds
const NAMES = ['127.0.0.2', '127.0.0.3'];

const next = (more = '') =>
	`next_upstream = {"error", "timeout", "invalid", "http_503"${more}}`;
const plugins = {
	plain: next(),
	buffered: `${next()} buffering = on  request_buffering = on
		buffer_size = 4k  buffer_dir = "@DIR@/spool"`,
	gzip: `${next()} gzip = on`,
	unsafe: next(', "non_idempotent"'),
	quick: `${next()} read_timeout = 150ms  send_timeout = 150ms`,
	cachedmemory: `${next()} cache = memory  cache_size = 512k  gzip = on
		cache_use_stale = {"error", "updating"}
		cache_purge_from = {"127.0.0.1"}`,
	cacheddisk: `${next()} cache = disk  cache_dir = "@DIR@/cache"
		cache_size = 1m  cache_use_stale = {"timeout", "http_500"}
		cache_purge_from = {"127.0.0.1"}`,
};
const groups = ['health', 'hole', 'nobody'];

const server = (s) => `server "${typeof s === 'string' ? s :
    `127.0.0.1:${s.port ?? s}`}" { }`;

// Nobody listens there.
const dead = (s) => `server "127.0.0.1:${s.dead}" {
	max_fails = 1  fail_timeout = 50ms }`;

const conf = (s) => `
	pool "web" { workers = 2  max_restarts = 0 }
	drain_timeout = 1m
	http { max_body = 4m }
	listen "main" { address = "127.0.0.1:@PORT@" }
	listen "proxied" { address = "127.0.0.1:${s.ports[0]}"
		proxy_protocol = on }
	listen "tcp" { address = "127.0.0.1:${s.ports[1]}"  mode = stream
		upstream = "streams" }
	listen "tcp proxied" { address = "127.0.0.1:${s.ports[2]}"
		mode = stream  upstream = "proxied"  proxy_protocol = on }
	upstream "app" {
		max_fails = 0
		${s.app.map(server).join('\n')}
		${dead(s)}
		server "app.test:${s.named}" { }
		resolvers = {"${s.dns.address}"}
		resolve_min = 100ms
		resolve_timeout = 200ms
	}
	upstream "health" {
		balancer = "least_conn"
		fail_timeout = 50ms
		${s.checked.map(server).join('\n')}
		health { path = "/healthz"  interval = 50ms  jitter = 10ms
			rise = 1  fall = 1  body = "ok" }
	}
	upstream "hole" {
		max_fails = 0
		connect_timeout = 100ms
		${[s.hole, s.app[0]].map(server).join('\n')}
	}
	upstream "nobody" { server "127.0.0.1:${s.dead}" { down = on } }
	upstream "streams" {
		balancer = "least_conn"
		max_fails = 0
		${s.streams.map(server).join('\n')}
		${dead(s)}
	}
	upstream "proxied" {
		balancer = "random_two"
		max_fails = 0
		proxy_protocol = v2
		${s.proxied.map(server).join('\n')}
	}
	${Object.entries(plugins).map(([name, keys]) => `
		plugin "${name}" { module = "http_proxy.so"  ${keys} }
		route "/${name}/" { plugin = "${name}"  upstream = "app" }`)
	    .join('')}
	${groups.map((name) => `
		route "/${name}/" { plugin = "plain"  upstream = "${name}" }`)
	    .join('')}
`;

// Two addresses, one port.
async function serveNames(t, faulty, tries = 20) {
	const { port } = await faulty.serve(t, { host: NAMES[0] });

	try {
		await faulty.serve(t, { host: NAMES[1], port });
	} catch (e) {
		if (e.code !== 'EADDRINUSE' || tries === 0)
			throw e;
		return serveNames(t, faulty, tries - 1);
	}
	return port;
}

async function servers(t, faulty, dir) {
	const all = async (n, make) => {
		const list = [];

		while (list.length < n)
			list.push(await make());
		return list;
	};
	const one = () => faulty.serve(t);

	await faulty.serve(t, { path: `${dir}/b.sock` });
	return {
		app: [...await all(2, one), `unix:${dir}/b.sock`],
		checked: await all(2, one),
		guests: await all(2, one),
		named: await serveNames(t, faulty),
		streams: await all(2, () => streamServer(t, faulty)),
		proxied: await all(2, () => streamServer(t, faulty,
		    { proxy: true })),
		hole: await blackHole(t),
		dead: await freePort(),
		ports: await all(3, freePort),
		dns: await startDns(t, { 'app.test': { ttl: 1,
			addresses: NAMES } }),
	};
}

/* -- what is left -- */

const PIPES = 8;	// that a worker keeps for the next stream (net/pipes.h)
// How much more a worker may have after the calm rounds than after the first of
// them: its cache (512k), the files' index (64k and more), gzip's windows and
// buffers for as many clients as there were at the worst time, and what malloc
// keeps of bodies.  It does not depend on how many requests there were, so in a
// long run it is less than 50 bytes for each.
const GROWTH = 6 << 20;

// Descriptors of a process, but its pipes; and these.
function descriptors(pid) {
	const all = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
		try {
			return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
		} catch {
			return '';
		}
	});
	const pipes = all.filter((f) => f.startsWith('pipe:')).length;

	return { others: all.length - pipes, pipes, all };
}

const memory = (pid) => 1024 * Number(/^Pss:\s+(\d+)/m.exec(
    fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);

const files = (dir) => fs.readdirSync(dir, { recursive: true })
    .filter((f) => fs.statSync(path.join(dir, f),
	{ throwIfNoEntry: false })?.isFile());

// What there is that should not be; ''.
async function leftovers(h, base) {
	const { connections, stale_handles: stale, plugin_errors: mistakes } =
	    await h.status();
	const workers = await h.workers();
	const left = [];

	if (stale !== 0 || mistakes !== 0)
		left.push(`${stale} stale handles, ${mistakes} mistakes`);
	if (connections.active !== 0)
		left.push(`${connections.active} connections`);
	for (const group of await groupsOf(h))
		for (const s of group.servers)
			if (s.inflight !== 0 || s.upgraded !== 0)
				left.push(`${s.inflight} requests and ` +
				    `${s.upgraded} tunnels at ${s.server}`);
	for (const pid of [h.child.pid, ...workers.map((w) => w.pid)]) {
		const is = descriptors(pid);
		const was = pid === h.child.pid ? base.master : base.worker;

		if (is.others > was.others ||
		    is.pipes > was.pipes + 2 * PIPES)
			left.push(`${is.others} descriptors and ${is.pipes} ` +
			    `pipes of ${pid}, not ${was.others} and ` +
			    `${was.pipes}: ${is.all}`);
	}
	left.push(...files(`${h.dir}/spool`),
	    ...files(`${h.dir}/cache`).filter((f) => f.endsWith('.part')));
	return left.join('\n');
}

// Until nothing is.
async function settled(h, base, what) {
	let left;

	await until(async () => {
		left = await leftovers(h, base);
		return left === '';
	}, what).catch((e) => {
		e.message += `\n${left}`;
		throw e;
	});
}

// Of level error there is nothing but workers that were killed.
function checkLog(h) {
	h.checkSanitizers();
	const bad = h.log.split('\n').filter((l) => /^\S+Z error /.test(l) &&
	    !/SIGKILL/.test(l));

	assert.deepEqual(bad.slice(0, 5), [], `seed ${SEED}`);
}

const base = async (h) => {
	const all = (await h.workers()).map((w) => descriptors(w.pid));

	return { master: descriptors(h.child.pid), worker: {
		others: Math.max(...all.map((d) => d.others)),
		pipes: Math.max(...all.map((d) => d.pipes)) } };
};

/* -- the soak -- */

async function start(t) {
	const faulty = new Faulty(SEED);
	const s = await servers(t, faulty, tempDir(t));

	for (const b of s.checked)
		faulty.healthy.add(b);
	const h = await startHostd(t, { conf: conf(s),
		files: { 'spool/.keep': '' } });

	fs.rmSync(`${h.dir}/spool/.keep`);
	await serversSatisfy(h, 'health', (all) => all.every((x) =>
	    x.state === 'up'), 'servers that are up');
	const soak = new Soak({ seed: SEED, port: h.port, proxyPort: s.ports[0],
		streamPorts: s.ports.slice(1),
		routes: [...Object.keys(plugins), 'plain', ...groups] });
	const unrest = new Unrest({ h, soak, faulty, dns: s.dns,
		names: [[NAMES[0]], [NAMES[1]], NAMES],
		guests: s.guests.map((b) => `127.0.0.1:${b.port}`),
		member: `127.0.0.1:${s.app[1].port}`, checked: s.checked,
		caches: ['cachedmemory', 'cacheddisk'], seed: SEED });

	return { h, s, soak, faulty, unrest };
}

// So many seconds of it, and then nothing is left.
async function round({ h, soak, faulty, unrest }, before, seconds, rough) {
	const ends = setTimeout(() => soak.stop(), seconds * 1000);

	try {
		await Promise.all([soak.run(CLIENTS), unrest.run(rough)]);
	} finally {
		clearTimeout(ends);
		soak.stop();
	}
	// Who has died may be why.
	checkLog(h);
	assert.deepEqual([...soak.wrong, ...faulty.wrong, ...unrest.wrong], [],
	    `seed ${SEED}`);
	await unrest.end();
	faulty.hangUp();
	faulty.seen.clear();
	await settled(h, before, `end of all (seed ${SEED})`);
	checkLog(h);
	h.log = '';
}

const megabytes = (n) => `${(n / (1 << 20)).toFixed(1)} MiB`;

test('nothing leaks, nothing is wrong', async (t) => {
	console.log(`HOSTD_SOAK_SEED=${SEED}`);
	const all = await start(t);
	const { h, soak, unrest } = all;
	const before = await base(h);
	const began = Date.now();
	const rounds = Math.max(3, Math.ceil(SECONDS / ROUND));
	const calm = Math.floor(rounds / 2);	// from here on
	const used = [];

	for (let i = 0; i < rounds; i++) {
		await round(all, before, SECONDS / rounds, i < calm);
		used.push((await h.workers()).map((w) => memory(w.pid)));
		// At once: it may be long until the end.
		console.log(`${soak.total} exchanges, ` +
		    `${Math.round((Date.now() - began) / 1000)} s, workers ` +
		    `${used.at(-1).map(megabytes)}, master ` +
		    megabytes(memory(h.child.pid)));
	}
	for (const kind of Object.keys(soak.counts).sort())
		t.diagnostic(`${kind}: ${JSON.stringify(soak.counts[kind])}`);
	t.diagnostic(`meanwhile: ${JSON.stringify(unrest.done)}`);
	// The same workers, with nothing but requests between.
	if (process.env.HOSTD_BUILD !== 'asan')
		for (const [i, n] of used.at(-1).entries())
			assert.ok(n - used[calm][i] < GROWTH, `${megabytes(
			    used[calm][i])} became ${megabytes(n)}`);
});
