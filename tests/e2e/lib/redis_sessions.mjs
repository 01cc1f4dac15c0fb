// SPDX-License-Identifier: BSD-2-Clause
// hostd with tests/plugins/session_route, whose sessions are in a Redis.
import { startHostd, until } from './hostd.mjs';
import { plugin } from './http1.mjs';
import { patient, SECRET } from './session.mjs';

/*
 *	store	keys of the plugin session_redis
 *	keys	of the block session
 *	conf	more; workers: of the pool
 *	secret	key of the block that says it
 */
export async function serveRedisSessions(t, redis, { store = '', keys = '',
	conf = '', workers = 2, secret = `secret = "${SECRET}"`,
	url = redis.url, ...options } = {}) {
	return startHostd(t, { ...options, conf: `
		pool "web" { workers = ${workers} }
		state_dir = "@DIR@/state"
		plugin "redis" { module = "session_redis.so" url = "${url}"
			retry_max = 100ms
			${patient(patient(store, 'answer_timeout'),
			    'ping_timeout')} }
		plugin "s" { module = "${await plugin('session_route')}" }
		session "main" { store = "redis"  ${secret}
			${patient(keys)} }
		route "/s" { plugin = "s" }
		${conf}` });
}

// What is there for a session.
export async function stored(redis, id, prefix = 'sess:') {
	const text = await redis.command('GET', prefix + id);

	return text === null ? null : { text, value: JSON.parse(text),
		ttl: await redis.command('PTTL', prefix + id) };
}

/*
 * What came of a visit: "OK"; "refused" by hostd, with 503; or the code that
 * session_route was told when it asked for the session.
 */
export async function outcome(v, ...steps) {
	const r = await v.visit(...steps);

	if (r.status === 503)
		return 'refused';
	if (r.status !== 200)
		throw new Error(`${r.status} ${r.text}`);
	return JSON.parse(r.text).map(([code]) => code)
	    .find((code) => code !== 'OK') ?? 'OK';
}

// Until Redis is there for who answers.
export const untilServed = (v, ...steps) => until(async () =>
    await outcome(v, ...steps) === 'OK', 'a session');

// How often a command was given, of INFO commandstats.
export const calls = (stats, name) => Number(new RegExp(
    `cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);

// A request that has its session, and waits.
export async function begin(redis, v, ...steps) {
	const gets = calls(await redis.command('INFO', 'commandstats'), 'get');
	const slow = v.begin(...steps, 'body');

	await redis.until((s) => calls(s, 'get') > gets, 'INFO',
	    'commandstats');
	return slow;
}
