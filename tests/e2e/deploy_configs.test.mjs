// SPDX-License-Identifier: BSD-2-Clause
// hostd with the configurations of examples/deploy does what its manifests
// count on: probes, preStop, and an end within the grace period.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { atEnd, command, Hostd, bin, freePort, tempDir, top, within,
	writeFiles } from './lib/hostd.mjs';
import { Client } from './lib/login.mjs';
import { documents } from './lib/manifest.mjs';
import { startRedis } from './lib/redis.mjs';

const at = (...p) => path.join(top, 'examples/deploy', ...p);
const [deployment] = documents(at('kubernetes/deployment.yaml'));
const pod = deployment.spec.template.spec;
const [container] = pod.containers;

// As the platform does: its own files and user, the rest by the environment.
async function start(t, name, env = {}, more = {}) {
	const dir = tempDir(t);
	const h = new Hostd(dir, await freePort());

	fs.chmodSync(dir, 0o755);
	writeFiles(dir, { 'www/index.html': 'here', 'conf.d/.keep': '',
		'hostd.conf': `user = "${os.userInfo().username}"\n` +
		    fs.readFileSync(at(name, 'hostd.conf'), 'utf8')
		    // A machine may be slower than those it is meant for.
			.replace('store = "sessions"', '$&  timeout = 60s'),
		...more });
	h.spawn([], { HOSTD_RUN: `${dir}/run`, HOSTD_STATE: `${dir}/state`,
		HOSTD_LISTEN: `127.0.0.1:${h.port}`, HOSTD_WWW: `${dir}/www`,
		...env });
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged(/serving generation/);
	await h.listening();
	return h;
}

const status = async (h, p) => (await fetch(`${h.url}${p}`)).status;

// "15s" in ms; what a container may be asked to do is in a manifest.
const ms = (text) => 1000 * Number(/^(\d+)s$/.exec(text)[1]);
const key = (text, name) => ms(new RegExp(`^${name} = (\\S+)`, 'm')
    .exec(text)[1]);

test('Kubernetes: probes, preStop and SIGTERM', async (t) => {
	const h = await start(t, 'kubernetes');

	for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
		assert.equal(await status(h, container[probe].httpGet.path),
		    200, probe);
	const [program, ...args] = container.lifecycle.preStop.exec.command;

	assert.equal(program, 'hostctl');
	const drained = command(bin('hostctl'), ['-s', h.socket, ...args]);

	// Nobody is connected, so that nothing is waited for.
	assert.equal((await within(drained, 'end of preStop')).code, 0);
	assert.equal(await status(h, container.readinessProbe.httpGet.path),
	    503);
	assert.equal(await status(h, container.livenessProbe.httpGet.path),
	    200);
	h.child.kill('SIGTERM');
	assert.equal((await within(h.ended, 'end')).code, 0);
});

test('grace periods are longer than what ending may take', () => {
	const conf = fs.readFileSync(at('kubernetes/hostd.conf'), 'utf8');
	const pre = container.lifecycle.preStop.exec.command;
	const needed = ms(pre[pre.indexOf('--wait') + 1]) +
	    key(conf, 'drain_delay') + key(conf, 'drain_timeout');

	assert.ok(pod.terminationGracePeriodSeconds * 1000 > needed,
	    `${needed}`);
	const [compose] = documents(at('compose/compose.yaml'));
	const two = fs.readFileSync(at('compose/hostd.conf'), 'utf8');

	assert.ok(ms(compose.services['hostd-1'].stop_grace_period) >
	    key(two, 'drain_delay') + key(two, 'drain_timeout'));
});

test('Compose: two are one chat with one login', async (t) => {
	const redis = await startRedis(t);
	const users = fs.readFileSync(at('compose/users'), 'utf8');
	const two = await Promise.all([1, 2].map(() => start(t, 'compose',
	    { REDIS_URL: redis.url }, { users })));
	const ada = new Client(two[0]);

	assert.equal((await ada.login('ada', 'lovelace')).status, 303);
	for (ada.h of two)
		assert.equal((await ada.whoami()).user, 'ada');
	for (const h of two)
		assert.equal(await status(h, '/health/readiness'), 200);
});

test('the image: files, and hostctl as its health', async (t) => {
	const dir = tempDir(t);
	const conf = fs.readFileSync(at('docker/hostd.conf'), 'utf8');
	const h = new Hostd(dir, await freePort());

	fs.chmodSync(dir, 0o755);
	writeFiles(dir, { 'www/index.html': 'here', 'conf.d/.keep': '',
		'hostd.conf': conf.replace('0.0.0.0:8080',
		    `127.0.0.1:${h.port}`)
		    .replaceAll('/srv/www', `${dir}/www`)
		    .concat(`run_dir = "${dir}/run"\nuser = "${
		    os.userInfo().username}"\n`) });
	h.spawn();
	atEnd(t, async () => {
		await h.stop('SIGQUIT');
		h.checkSanitizers();
	});
	await h.logged(/serving generation/);
	const text = fs.readFileSync(at('docker/Dockerfile'), 'utf8');
	const [, check] = /HEALTHCHECK[^]*?\n +CMD (.*)/.exec(text);
	const healthy = async () => (await command('sh', ['-c', check.replace(
	    'hostctl', `${bin('hostctl')} -s ${h.socket}`)])).code === 0;

	assert.ok(await healthy());
	assert.equal(await (await fetch(h.url)).text(), 'here');
	assert.equal(await status(h, '/metrics'), 200);
	assert.equal((await h.hostctl('stop', 'web')).code, 0);
	assert.ok(!await healthy());
	await h.stop();
	assert.ok(!await healthy());
});
