// SPDX-License-Identifier: BSD-2-Clause
// One message to many sockets: framed once, and judged for each of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { atEnd, startHostd, tempDir, within } from './lib/hostd.mjs';
import { npm } from './lib/npm.mjs';
import { buildPlugin } from './lib/plugin.mjs';

const { WebSocket } = npm('ws');

/*
 * Every socket is in one list.  Messages: "T..." to all as text, "B..." as
 * binary, "V..." as text, volatile; "100" a hundred messages in one turn, each
 * to all and then to the one who asked.  Answered by the codes, "= OK 0 0 -3".
 */
const source = `
#include <hostd/easy.h>

struct hostd_inst {
	HOSTD_EASY_HEAD;
	hostd_ws all[16];
	uint32_t n;
};

static int32_t
create(const struct hostd_host *host, const struct hostd_conf *conf,
    struct hostd_inst **out, struct hostd_err *err)
{
	(void)conf;
	return hostd_easy_create(sizeof(struct hostd_inst), host, out, err);
}

static void
destroy(struct hostd_inst *in)
{
	free(in);
}

/* Those that have left stay in the list. */
static void
on_open(struct hostd_inst *in, hostd_ws ws, void *d)
{
	(void)d;
	in->all[in->n++] = ws;
}

static void
hundred(struct hostd_inst *in, hostd_ws ws)
{
	char text[32];
	int i;

	for (i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "all %d", i);
		(void)in->easy.ws->send_many(in->easy.host, in->all, in->n,
		    hostd_str(text), HOSTD_WS_TEXT, NULL);
		(void)snprintf(text, sizeof(text), "own %d", i);
		(void)in->easy.ws->send(in->easy.host, ws, hostd_str(text),
		    HOSTD_WS_TEXT);
	}
}

static int32_t
on_message(struct hostd_inst *in, hostd_ws ws, void *d, hostd_buf msg,
    uint32_t flags)
{
	const char *p = msg.p;
	hostd_buf rest = { p + 1, msg.n - 1 };
	int32_t rc, codes[16];
	char text[256];
	uint32_t i;

	(void)d;
	if (*p == '1') {
		hundred(in, ws);
		return HOSTD_OK;
	}
	for (i = 0; i < 16; i++)
		codes[i] = 99;
	flags = *p == 'B' ? HOSTD_WS_BINARY : HOSTD_WS_TEXT;
	if (*p == 'V')
		flags |= HOSTD_WS_VOLATILE;
	rc = in->easy.ws->send_many(in->easy.host, in->all, in->n, rest, flags,
	    codes);
	(void)snprintf(text, sizeof(text), "= %d", rc);
	for (i = 0; i < in->n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) -
		    strlen(text), " %d", codes[i]);
	return in->easy.ws->send(in->easy.host, ws, hostd_str(text),
	    HOSTD_WS_TEXT);
}

static const struct hostd_ws_ops ops = { .struct_size = sizeof(ops),
    .on_open = on_open, .on_message = on_message };
static const struct hostd_provide provide = { .struct_size = sizeof(provide),
    .kind = HOSTD_KIND_WS_HANDLER, .ops = &ops };
static const struct hostd_provide *const provides[] = { &provide, NULL };

HOSTD_PLUGIN_ENTRY = { HOSTD_PREFIX(5), .id = "many", .version = "1.0",
    .built_with = HOSTD_SDK_VERSION, .provides = provides, .create = create,
    .destroy = destroy };
`;

async function serve(t, keys = '') {
	const so = await buildPlugin(tempDir(t), 'many', source);

	return startHostd(t, { conf: `pool "web" { workers = 1 }
		plugin "many" { module = "${so}" }
		route "/many" { plugin = "many"  websocket { ${keys} } }` });
}

// A socket whose messages are taken one by one.
async function open(t, h, perMessageDeflate = false) {
	const s = new WebSocket(`ws://127.0.0.1:${h.port}/many`,
	    { perMessageDeflate });
	const messages = [];
	let look = () => {};

	atEnd(t, () => s.terminate());
	s.on('message', (data, isBinary) => {
		messages.push(isBinary ? data : data.toString());
		look();
	});
	s.next = () => within(new Promise((resolve) => {
		look = () => {
			if (messages.length === 0)
				return;
			look = () => {};
			resolve(messages.shift());
		};
		look();
	}), 'a message');
	await within(new Promise((resolve, reject) => {
		s.once('open', resolve);
		s.once('error', reject);
	}), 'a WebSocket');
	return s;
}

test('each gets it as it wants it, and the codes say who does not',
    async (t) => {
	const h = await serve(t, 'deflate = on  deflate_server_takeover = on  deflate_min = 1');
	const plain = await open(t, h);
	const packed = await open(t, h, { serverNoContextTakeover: true });
	const taken = await open(t, h, true);
	const gone = await open(t, h);
	const last = await open(t, h, { serverNoContextTakeover: true });
	const there = [plain, packed, taken, last];
	const words = 'to all of you, to all of you '.repeat(50);

	assert.match(packed.extensions, /permessage-deflate/);
	assert.match(taken.extensions, /permessage-deflate/);
	gone.terminate();
	// Until the host has noticed.
	for (let code = '0'; code === '0';) {
		plain.send('Tare you there?');
		for (const s of there)
			assert.equal(await s.next(), 'are you there?');
		[,,,,, code] = (await plain.next()).split(' ');
	}
	plain.send(`T${words}`);
	for (const s of there)
		assert.equal(await s.next(), words);
	assert.equal(await plain.next(), '= 0 0 0 0 -3 0');
	plain.send('B\xff\x00');
	for (const s of there)
		assert.deepEqual(await s.next(), Buffer.from('\xff\x00'));
	assert.equal(await plain.next(), '= 0 0 0 0 -3 0');
	// Text that is none: nobody gets anything, and no code is touched.
	plain.send(Buffer.from('T\xff', 'latin1'));
	assert.equal(await plain.next(), '= -1 99 99 99 99 99');
});

test('a hundred in one turn, in order with what is sent besides', async (t) => {
	const h = await serve(t);
	const one = await open(t, h), other = await open(t, h, true);

	one.send('100');
	for (let i = 0; i < 100; i++) {
		assert.equal(await one.next(), `all ${i}`);
		assert.equal(await one.next(), `own ${i}`);
		assert.equal(await other.next(), `all ${i}`);
	}
});

test('who does not read is the only one who misses something', async (t) => {
	const h = await serve(t, 'high_water = 32k  max_output = 256k  slow_peer = drop');
	const slow = await open(t, h), fast = await open(t, h);
	const text = 'x'.repeat(100_000);
	const codes = new Set();
	let n = 0, full = 0;

	slow.pause();
	// Until the kernel takes no more, either.
	for (let i = 0; full < 10; i++) {
		assert.ok(i < 500, 'there is an end to what is kept');
		fast.send(`T${text}`);
		assert.equal(await fast.next(), text);
		const [, rc, of, mine] = (await fast.next()).split(' ');

		assert.equal(rc, '0');
		assert.ok(mine === '0' || mine === '1', mine);
		codes.add(of);
		n += of !== '-4';
		full = of === '-4' ? full + 1 : 0;
	}
	fast.send('Va bit');
	assert.equal(await fast.next(), 'a bit');
	assert.equal((await fast.next()).split(' ')[2], '-4');
	// All that was taken comes.
	slow.resume();
	for (let i = 0; i < n; i++)
		assert.equal(await slow.next(), text);
	assert.deepEqual([...codes].sort(), ['-4', '0', '1']);
});
