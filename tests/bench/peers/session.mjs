// SPDX-License-Identifier: BSD-2-Clause
// Express with express-session and connect-redis: `session.mjs REDIS-PORT
// SECRET` does what the last part of the path says, as plugins/session.c does.
// Prints its port.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.HOSTD_NPM, 'package.json'));
const express = require('express');
const session = require('express-session');
const { RedisStore } = require('connect-redis');
const { createClient } = require('redis');

const [port, secret] = process.argv.slice(2);
const client = createClient({ url: `redis://127.0.0.1:${port}` });
// Requests that fail for it are seen by the load.
client.on('error', () => {});
await client.connect();

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(session({
	store: new RedisStore({ client }),
	secret,
	resave: false,
	saveUninitialized: false,
}));

function greet(req, res) {
	// Nobody's session would be measured.
	if (!req.session.name)
		return res.status(403).type('text').send('no session\n');
	res.type('text').send(`hello, ${req.session.name}\n`);
}

app.get('/start', (req, res) => {
	req.session.name = 'somebody';
	greet(req, res);
});
app.get('/read', greet);
app.get('/write', (req, res) => {
	req.session.views = (req.session.views ?? 0) + 1;
	greet(req, res);
});

const server = app.listen(0, '127.0.0.1',
    () => console.log(server.address().port));
server.keepAliveTimeout = 3_600_000;
