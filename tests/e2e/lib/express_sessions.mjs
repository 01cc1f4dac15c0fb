// SPDX-License-Identifier: BSD-2-Clause
// An Express application whose sessions are in a Redis, as its authors would
// write it: express-session, connect-redis and redis.
import { once } from 'node:events';
import { atEnd } from './hostd.mjs';
import { npm } from './npm.mjs';
import { SECRET } from './session.mjs';

const express = npm('express');
const session = npm('express-session');
const { RedisStore } = npm('connect-redis');
const { createClient } = npm('redis');

const done = (f) => new Promise((resolve, reject) =>
    f((e) => e ? reject(e) : resolve()));

/*
 * "/e" does what the query says, in that order, like session_route, and answers
 * with the value of the last step: get=K, set=K:JSON, del=K, keys, id,
 * regenerate (and keep what there is), destroy.
 */
const steps = {
	get: (q, key) => q.session[key],
	set: (q, key, value) => { q.session[key] = JSON.parse(value); },
	del: (q, key) => { delete q.session[key]; },
	keys: (q) => Object.keys(q.session).filter((k) => k !== 'cookie'),
	id: (q) => q.sessionID,
	regenerate: async (q) => {
		const { cookie, ...kept } = q.session;

		await done((f) => q.session.regenerate(f));
		Object.assign(q.session, kept);
	},
	destroy: (q) => done((f) => q.session.destroy(f)),
};

async function answer(q, r) {
	let value;

	for (const step of new URL(q.url,
	    'http://a').search.slice(1).split('&')) {
		const [, name, key = '', text] =
		    /^([a-z]+)(?:=([^:]*)(?::(.*))?)?$/.exec(step);

		value = await steps[name](q, decodeURIComponent(key),
		    text && decodeURIComponent(text));
	}
	r.json({ value });
}

// options: of express-session; prefix: of connect-redis.
export async function serveExpress(t, redis, { prefix, ...options } = {}) {
	const client = createClient({ socket: { path: redis.socket } });
	const app = express();

	client.on('error', () => {});
	await client.connect();
	atEnd(t, () => client.destroy());
	app.use(session({ secret: SECRET, resave: false,
		saveUninitialized: false, ...options,
		cookie: { sameSite: 'lax', ...options.cookie },
		store: new RedisStore({ client,
		    ...(prefix && { prefix }) }) }));
	app.get('/e', answer);
	const server = app.listen(0, '127.0.0.1');

	await once(server, 'listening');
	atEnd(t, () => {
		server.closeAllConnections();
		server.close();
	});
	return { port: server.address().port };
}
