// SPDX-License-Identifier: BSD-2-Clause
// Virtual hosts: a name, all below a name, and the rest.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { command } from './lib/hostd.mjs';
import { connect, serve } from './lib/http1.mjs';

const conf = (so) => `
	plugin "exact" { module = "${so}"  label = "exact" }
	plugin "below" { module = "${so}"  label = "below" }
	plugin "deeper" { module = "${so}"  label = "deeper" }
	plugin "any" { module = "${so}"  label = "any" }
	plugin "api" { module = "${so}"  label = "api" }
	route "/" { plugin = "exact"  host = {"www.example.com", "Example.COM"} }
	route "/" { plugin = "below"  host = {"*.example.com"} }
	route "/" { plugin = "deeper"  host = "*.deep.example.com" }
	route "/" { plugin = "any" }
	route "/api/" { plugin = "api" }
	route "/only" { plugin = "api"  host = "only.example.org" }`;

test('the most specific host wins', async (t) => {
	const h = await serve(t, 'show_route', conf);
	const c = await connect(t, h.port);

	for (const [host, path, label] of [
		['www.example.com', '/', 'exact'],
		['WWW.Example.Com', '/x', 'exact'],
		['www.example.com:8080', '/', 'exact'],
		['example.com', '/', 'exact'],
		['a.example.com', '/', 'below'],
		['a.b.example.com', '/', 'below'],
		['x.www.example.com', '/', 'below'],
		['deep.example.com', '/', 'below'],
		['a.deep.example.com', '/', 'deeper'],
		['a.b.deep.example.com', '/', 'deeper'],
		['notexample.com', '/', 'any'],
		['example.com.evil', '/', 'any'],
		['127.0.0.1', '/', 'any'],
		['[::1]', '/', 'any'],
		// The host is looked at before the path.
		['www.example.com', '/api/x', 'exact'],
		['other', '/api/x', 'api'],
		// A host without a route for the path leaves it to the rest.
		['only.example.org', '/only', 'api'],
		['only.example.org', '/else', 'any'],
	]) {
		await c.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
		const r = await c.next();

		assert.equal(r.status, 200);
		assert.equal(JSON.parse(r.body).label, label, `${host}${path}`);
	}
});

test('HTTP/1.0 without a host is any host', async (t) => {
	const h = await serve(t, 'show_route', conf);
	const c = await connect(t, h.port);

	await c.send('GET /x HTTP/1.0\r\n\r\n');
	assert.equal(JSON.parse((await c.next()).body).label, 'any');
});

test('a host that is nobody\'s', async (t) => {
	const h = await serve(t, 'show_route', (so) => `
		plugin "a" { module = "${so}" }
		route "/" { plugin = "a"  host = "a.example" }`);
	const c = await connect(t, h.port);

	for (const [host, status] of [['a.example', 200], ['b.example', 404]]) {
		await c.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
		assert.equal((await c.next()).status, status);
	}
});

test('curl --connect-to', async (t) => {
	const h = await serve(t, 'show_route', conf);

	for (const [host, label] of [['www.example.com', 'exact'],
		['z.example.com', 'below'], ['elsewhere.test', 'any']]) {
		const r = await command('curl', ['-sS', '--connect-to',
			`::127.0.0.1:${h.port}`, `http://${host}/p`]);

		assert.equal(r.code, 0, r.stderr);
		assert.equal(JSON.parse(r.stdout).label, label);
	}
});

test('two plugins that claim one place are refused by name', async (t) => {
	const h = await serve(t, 'show_route', conf);

	fs.appendFileSync(h.confFile, `
		plugin "thief" { module = "http_respond.so" }
		route "/" { plugin = "thief"  host = "WWW.EXAMPLE.COM" }\n`);
	const r = await h.hostctl('reload');

	assert.notEqual(r.code, 0);
	assert.match(r.stdout + r.stderr,
	    /hostd\.conf:\d+: .*"thief".*"exact"/);
});
