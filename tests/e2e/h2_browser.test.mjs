// SPDX-License-Identifier: BSD-2-Clause
// Chromium opens a page over HTTP/2, and its WebSocket, too (RFC 8441).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { until } from './lib/hostd.mjs';
import { startBrowser, Visitor } from './lib/page.mjs';
import { startTls } from './lib/tls.mjs';

const page = `<!doctype html><title>wss</title><p id="said"></p><script>
const s = new WebSocket('wss://' + location.host + '/echo');
s.onopen = () => s.send('hello');
s.onmessage = (e) => {
	document.getElementById('said').textContent = e.data;
	s.close(1000);
};
s.onclose = (e) => { document.title = 'closed ' + e.code; };
s.onerror = () => { document.title = 'failed'; };
</script>`;

test('a page and its WebSocket', async (t) => {
	const h = await startTls(t, { files: { 'www/index.html': page }, conf: `
		pool "web" { workers = 1 }
		access_log "main" {
			path = "access.log"
			format = "$server_protocol $status $uri"
		}
		plugin "echo" { module = "ws_echo.so" }
		route "/echo" { plugin = "echo" }
		plugin "static" { module = "http_static.so"  root = "www" }
		route "/" { plugin = "static" }` });
	const v = await Visitor.open(await startBrowser(t), `${h.url}/`,
	    { ignoreHTTPSErrors: true });

	await v.page.waitForFunction(() => document.title !== 'wss');
	assert.equal(await v.page.title(), 'closed 1000');
	assert.equal(await v.page.locator('#said').textContent(), 'hello');
	const file = path.join(h.dir, 'access.log');

	await until(() => /echo/.test(fs.readFileSync(file, 'utf8')), 'a line');
	const lines = fs.readFileSync(file, 'utf8').trim().split('\n');

	assert.match(lines.find((l) => l.endsWith(' /')), /^HTTP\/2\.0 200 /);
	assert.match(lines.find((l) => l.endsWith(' /echo')),
	    /^HTTP\/2\.0 101 /);
});
