// SPDX-License-Identifier: BSD-2-Clause
// Which offers of permessage-deflate are taken, and how (RFC 7692 section 7.1).
import assert from 'node:assert/strict';
import test from 'node:test';
import { open, serveEcho, TEXT, upgrade } from './lib/websocket.mjs';

const routes = {
	'/off': '',
	'/plain': 'deflate = on',
	'/kept': `deflate = on  deflate_server_takeover = on
		deflate_client_takeover = on`,
	'/small': `deflate = on  deflate_server_takeover = on
		deflate_client_takeover = on
		deflate_server_bits = 10  deflate_client_bits = 11`,
};

const NAME = 'permessage-deflate';
const none = undefined;
const noServer = { server_no_context_takeover: true };
const noClient = { client_no_context_takeover: true };
const neither = { ...noServer, ...noClient };
const server = (n) => ({ server_max_window_bits: `${n}` });
const client = (n) => ({ client_max_window_bits: `${n}` });

// Route, what is offered behind the name, and the parameters of the answer.
const cases = [
	['/off', '', none],
	['/off', '; client_max_window_bits', none],

	['/plain', '', neither],
	['/plain', '; server_no_context_takeover', neither],
	['/plain', '; client_no_context_takeover', neither],
	['/plain', '; server_no_context_takeover; client_no_context_takeover',
		neither],
	['/plain', '; client_max_window_bits', neither],
	['/plain', '; server_max_window_bits=15',
		{ ...neither, ...server(15) }],

	['/kept', '', {}],
	['/kept', '; server_no_context_takeover', noServer],
	['/kept', '; client_no_context_takeover', noClient],
	['/kept', '; client_no_context_takeover; server_no_context_takeover',
		neither],
	['/kept', '; client_max_window_bits', {}],
	...[9, 10, 11, 12, 13, 14, 15].map((n) => ['/kept',
		`; server_max_window_bits=${n}`, server(n)]),
	...[8, 9, 10, 11, 12, 13, 14].map((n) => ['/kept',
		`; client_max_window_bits=${n}`, client(n)]),
	['/kept', '; client_max_window_bits=15', {}],
	['/kept', '; server_max_window_bits="12"', server(12)],
	['/kept', ';client_max_window_bits="9";server_max_window_bits=10',
		{ ...client(9), ...server(10) }],
	['/kept',
		' ;\tserver_max_window_bits = 12 ; client_max_window_bits =10 ',
		{ ...server(12), ...client(10) }],
	['/kept', '; server_no_context_takeover; server_max_window_bits=9; ' +
		'client_no_context_takeover; client_max_window_bits=9',
		{ ...neither, ...server(9), ...client(9) }],

	['/small', '', server(10)],
	['/small', '; client_max_window_bits',
		{ ...server(10), ...client(11) }],
	['/small', '; client_max_window_bits=15',
		{ ...server(10), ...client(11) }],
	['/small', '; client_max_window_bits=9',
		{ ...server(10), ...client(9) }],
	['/small', '; server_max_window_bits=15', server(10)],
	['/small', '; server_max_window_bits=11', server(10)],
	['/small', '; server_max_window_bits=9', server(9)],

	// Those that are passed over.
	...['; unknown', '; unknown=1', '; server_max_window_bits',
		'; server_max_window_bits=7', '; server_max_window_bits=8',
		'; server_max_window_bits=16', '; server_max_window_bits=0',
		'; server_max_window_bits=09', '; server_max_window_bits=012',
		'; server_max_window_bits=+9', '; server_max_window_bits=9.0',
		'; server_max_window_bits=1e1', '; server_max_window_bits=100',
		'; server_max_window_bits=nine', '; client_max_window_bits=7',
		'; client_max_window_bits=16', '; client_max_window_bits=010',
		'; client_max_window_bits=-9',
		'; client_max_window_bits=4294967305',
		'; server_no_context_takeover=1',
		'; client_no_context_takeover=true',
		'; server_no_context_takeover; server_no_context_takeover',
		'; client_no_context_takeover; client_no_context_takeover',
		'; server_max_window_bits=10; server_max_window_bits=10',
		'; client_max_window_bits; client_max_window_bits',
		'; client_max_window_bits=9; client_max_window_bits',
	].map((offer) => ['/kept', offer, none]),
];

// Whole headers: the first that can be served is taken.
const several = [
	['the first of two', `${NAME}; server_max_window_bits=10, ${NAME}`,
		server(10)],
	['the second, where the first can\'t be',
		`${NAME}; server_max_window_bits=8, ${NAME}`, {}],
	['the third, of two headers', [`${NAME}; unknown, x-other`,
		`${NAME}; client_max_window_bits=9`], client(9)],
	['one behind an extension nobody knows',
		`x-webkit-deflate-frame, mux; max-channels=4, ${NAME}`, {}],
	['one of a name that only looks like it',
		'permessage-deflat, xpermessage-deflate, permessage-deflate2',
		none],
	['empty elements', `, ,${NAME}; client_no_context_takeover,,`,
		noClient],
];

test('offers', async (t) => {
	const h = await serveEcho(t, { routes });
	const answers = async (t, path, extensions, params) => {
		const s = await open(t, h, path, { extensions });
		const value = s.answered.headers['sec-websocket-extensions'];

		assert.deepEqual(s.extension, params, value?.join());
		if (params)
			assert.equal(value.length, 1);
		await s.echo(TEXT, 'hello');
	};

	for (const [path, offer, params] of cases)
		await t.test(`${path}: ${NAME}${offer}`, (t) =>
		    answers(t, path, NAME + offer, params));
	for (const [name, value, params] of several)
		await t.test(name, (t) => answers(t, '/kept', value, params));
	await t.test('none', async (t) => {
		const s = await open(t, h, '/kept');

		assert.equal(s.extension, undefined);
	});
	await t.test('in the last of 16 headers', (t) => answers(t, '/kept',
	    [...Array(15).fill('x-unknown'), NAME], {}));
	for (const [path, last] of [['/kept', NAME], ['/kept', 'x-unknown'],
		['/off', 'x-unknown']])
		await t.test(`${path}: 17 headers, the last ${last}: 400`,
		    async (t) => {
			const { r } = await upgrade(t, h, path, { headers: {
				'Sec-WebSocket-Extensions': [
					...Array(16).fill('x-unknown'),
					    last] } });

			assert.equal(r.status, 400);
		});
	for (const bad of [`${NAME};`, `${NAME};;x`, `${NAME} x`, `${NAME}; =9`,
		`${NAME}; server_max_window_bits=`,
		`${NAME}; server_max_window_bits="`,
		`${NAME}; server_max_window_bits=""`,
		`${NAME}; server_max_window_bits="1 0"`, `=${NAME}`,
		`${NAME}, ;`, `"${NAME}"`, ','])
		await t.test(`malformed: ${bad}: 400`, async (t) => {
			const { r } = await upgrade(t, h, '/kept', { headers: {
				'Sec-WebSocket-Extensions': bad } });

			assert.equal(r.status, 400);
		});
});
