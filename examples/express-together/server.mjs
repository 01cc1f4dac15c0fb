// SPDX-License-Identifier: BSD-2-Clause
// The application as it was, before hostd came in front of it: pages, a login
// and a logout of its own, and sessions in Redis.
import fs from 'node:fs';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';

const redis = createClient({ url: process.env.REDIS_URL });

redis.on('error', (e) => console.error(`Redis: ${e.message}`));
await redis.connect();

const app = express();

// hostd is in front, and says who asks, and whether by https.
app.set('trust proxy', 'loopback');
app.use(session({
	store: new RedisStore({ client: redis }),
	// The first line signs, all are taken: as hostd's secret_file.
	secret: fs.readFileSync(process.env.SECRET_FILE ?? 'session.secret',
	    'utf8').split('\n').filter(Boolean),
	resave: false,
	saveUninitialized: false,
	cookie: { sameSite: 'lax', secure: 'auto' },
}));
app.use(express.urlencoded({ extended: false }));

const escape = (s) => String(s).replace(/[&<>"']/g, (c) =>
    `&#${c.charCodeAt(0)};`);

app.get('/', (req, res) => {
	const { user } = req.session;

	// Who has not logged in gets no session for looking at a page.
	if (user)
		req.session.views = (req.session.views ?? 0) + 1;
	res.send(`<!DOCTYPE html>
		<html lang="en"><title>Express, and hostd</title>
		<h1>Hello ${escape(user ?? 'stranger')}</h1>
		<p>This page is Express's. ${user ? `You have seen it ${
			req.session.views} times.` : ''}
		<p><a href="/login">Log in or out, by hostd</a>, or
		<a href="/old/login">as it used to be</a>; then there is
		<a href="/members/">a page of hostd's for members</a>.`);
});

app.get('/me', (req, res) => {
	res.json({ user: req.session.user ?? null,
		views: req.session.views ?? 0 });
});

// What hostd does at /login, so that this may go.
app.get('/old/login', (req, res) => {
	res.send(`<!DOCTYPE html>
		<html lang="en"><title>The old login</title>
		<form method="post"><label>User <input name="user"></label>
		<label>Password <input name="password" type="password"></label>
		<button>Log in</button></form>
		<form method="post" action="/old/logout"><button>Log out</button>
		</form>`);
});

app.post('/old/login', (req, res, next) => {
	const { user, password } = req.body ?? {};

	if (user !== 'grace' || password !== 'hopper')
		return res.status(401).send('No.');
	req.session.regenerate((err) => {
		if (err)
			return next(err);
		req.session.user = user;
		res.redirect(303, '/');
	});
});

app.post('/old/logout', (req, res, next) => {
	req.session.destroy((err) => err ? next(err) : res.redirect(303, '/'));
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${server.address().port}/`));

process.on('SIGTERM', () => {
	server.close();
	server.closeAllConnections();
	redis.destroy();
});
