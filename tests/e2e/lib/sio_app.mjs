// SPDX-License-Identifier: BSD-2-Clause
/*
 * The application that Socket.IO is tested with, on Node's server.  hostd has
 * the same in tests/plugins/sio_app.
 *
 * Namespaces: "/", "/chat", "/slow", "/private", "/watch", and "/dyn-" with
 * anything behind it.
 *
 *   /private   refuses who has no auth.token "secret": "not authorized", with the
 *              data { code: "E1", hint: "log in" }
 *   /slow      decides 300 ms later, and refuses who has auth.late: "too late",
 *              without data; never, for who has auth.never
 *   /watch     is told of all the others: "came" { id, nsp, recovered } when the
 *              connection handler runs, "gone" { id, nsp, reason, rooms } behind
 *              the disconnect handler; rooms: those it was in when the
 *              disconnecting handler ran, sorted, without that of its id
 *
 * A socket that comes with auth.welcome gets "welcome"(auth.welcome) from the
 * connection handler.  Events of all namespaces, where ack is what the client's
 * acknowledgement is called with, if it wants one (it is called with nothing
 * where nothing is said), and "room" is a name or a list of names, whose union is
 * meant; the whole namespace if the list is empty:
 *
 *   echo(...args)            emits "echo"(...args); ack(...args)
 *   back(...args)            ack(...args)
 *   twice(a)                 ack(a), then ack("again")
 *   join(room), leave(room)  this socket
 *   rooms()                  ack(its rooms, sorted)
 *   whoami()                 ack({ id, nsp, recovered, auth, query, header, data,
 *                            xdomain, secure }); auth without pid and offset;
 *                            query: EIO, transport and name, those that are
 *                            there; header: x-test or null
 *   say(room, ...args)       emits "said"(...args) to the room
 *   others(room, ...args)    the same, without this socket
 *   except(room, not, ...args)  the same, with this socket, without those in the
 *                            room(s) not
 *   local(room, ...args)     as say, on this node
 *   volatile(room, ...args)  as say, volatile
 *   many(n, ...args)         emits "item"(i, ...args), i from 0 to n - 1
 *   ask(...args)             emits "question"(...args) to this socket; ack(null,
 *                            ...what it answered), ack("timeout") after 20 s
 *   askall(room, ...args)    emits "question"(...args) to the room; ack(null or
 *                            "timeout", first arguments of the answers)
 *   askshort, askallshort    the same, with a limit of 1500 ms: for questions
 *                            that somebody does not answer
 *   asklong(...args)         as ask, without a limit of time
 *   pid(), later(ms)         ack(the process), at once or that much later
 *   setdata(x)               socket.data.x is x
 *   fetch(room)              ack([{ id, rooms, data }]), rooms sorted, the list
 *                            sorted by id
 *   joinall(from, to), leaveall(from, to)  who is in from, to or from the room to
 *   bye(close)               disconnects this socket; close: the connection too
 *   kick(room, close)        disconnects all who are in it
 *   sse(...args)             tells the other servers, which emit "sse"(...args)
 *                            to all of theirs of the namespace
 *   sseask(...args)          asks the other servers, each of which answers with
 *                            args[0]; ack(null or "timeout", answers)
 */
import { once } from 'node:events';
import http from 'node:http';
import { atEnd } from './hostd.mjs';
import { npm } from './npm.mjs';

const { Server } = npm('socket.io');
const ASK_MS = 20_000;
const SHORT_MS = 1500;
const SLOW_MS = 300;

const pick = (o, ...names) => Object.fromEntries(names.filter((n) => n in o)
    .map((n) => [n, o[n]]));
const sorted = (set) => [...set].sort();

// Node's adapters keep a timer of each question until its limit, also behind the
// answers; no process has to wait for that.
function unkept(fn) {
	const { setTimeout } = globalThis;

	globalThis.setTimeout = (...args) => setTimeout(...args).unref();
	try {
		fn();
	} finally {
		globalThis.setTimeout = setTimeout;
	}
}

// What a socket says of itself.
function describe(socket) {
	const { headers, query, auth, xdomain, secure } = socket.handshake;
	const { pid, offset, ...said } = auth;

	return { id: socket.id, nsp: socket.nsp.name,
		recovered: socket.recovered, auth: said,
		query: pick(query, 'EIO', 'transport', 'name'),
		header: headers['x-test'] ?? null, data: socket.data, xdomain,
		secure };
}

const list = (sockets) => sockets.map(({ id, rooms, data }) =>
    ({ id, rooms: sorted(rooms), data })).sort((a, b) => a.id < b.id ? -1 : 1);

function listen(socket) {
	const { nsp } = socket;
	const on = (name, f) => socket.on(name, (...args) => {
		const ack = typeof args.at(-1) === 'function' ? args.pop() :
		    () => {};

		return f(ack, ...args);
	});
	// One that is answered with nothing.
	const act = (name, f) => on(name, (ack, ...args) => {
		f(...args);
		ack();
	});

	on('echo', (ack, ...args) => {
		socket.emit('echo', ...args);
		ack(...args);
	});
	on('back', (ack, ...args) => ack(...args));
	on('twice', (ack, a) => {
		ack(a);
		ack('again');
	});
	act('join', (room) => socket.join(room));
	act('leave', (room) => [room].flat().forEach((r) => socket.leave(r)));
	on('rooms', (ack) => ack(sorted(socket.rooms)));
	on('whoami', (ack) => ack(describe(socket)));
	act('say', (room, ...args) => nsp.to(room).emit('said', ...args));
	act('others', (room, ...args) => socket.to(room).emit('said', ...args));
	act('except', (room, not, ...args) =>
	    nsp.to(room).except(not).emit('said', ...args));
	act('local', (room, ...args) => nsp.local.to(room).emit('said',
	    ...args));
	act('volatile', (room, ...args) =>
	    nsp.volatile.to(room).emit('said', ...args));
	act('many', (n, ...args) => {
		for (let i = 0; i < n; i++)
			socket.emit('item', i, ...args);
	});
	for (const [name, ms] of [['', ASK_MS], ['short', SHORT_MS]]) {
		on(`ask${name}`, (ack, ...args) => socket.timeout(ms)
		    .emit('question', ...args, (e, ...answers) => e ?
		    ack('timeout') : ack(null, ...answers)));
		on(`askall${name}`, (ack, room, ...args) => unkept(() =>
		    nsp.to(room).timeout(ms).emit('question', ...args,
		    (e, answers) => ack(e ? 'timeout' : null, answers))));
	}
	on('asklong', (ack, ...args) => socket.emit('question', ...args,
	    (...answers) => ack(null, ...answers)));
	on('pid', (ack) => ack(process.pid));
	on('later', (ack, ms) => setTimeout(ack, ms, process.pid));
	act('setdata', (x) => { socket.data.x = x; });
	on('fetch', async (ack, room) =>
	    ack(list(await nsp.in(room).fetchSockets())));
	act('joinall', (from, to) => nsp.in(from).socketsJoin(to));
	act('leaveall', (from, to) => nsp.in(from).socketsLeave(to));
	on('bye', (ack, close) => socket.disconnect(close));
	act('kick', (room, close) => nsp.in(room).disconnectSockets(close));
	act('sse', (...args) => nsp.serverSideEmit('sse', ...args));
	on('sseask', (ack, ...args) => nsp.serverSideEmit('asked', ...args,
	    (e, answers) => ack(e ? 'timeout' : null, answers)));
}

function serveNamespace(nsp, watchers) {
	nsp.on('connection', (socket) => {
		const { id } = socket;
		let rooms;

		watchers.emit('came', { id, nsp: socket.nsp.name,
			recovered: socket.recovered });
		listen(socket);
		socket.on('disconnecting', () => {
			rooms = sorted(socket.rooms).filter((r) => r !== id);
		});
		socket.on('disconnect', (reason) => watchers.emit('gone',
		    { id, nsp: socket.nsp.name, reason, rooms }));
		if (socket.handshake.auth.welcome !== undefined)
			socket.emit('welcome', socket.handshake.auth.welcome);
	});
}

const hear = (nsp) => nsp
    .on('sse', (...args) => nsp.local.emit('sse', ...args))
    .on('asked', (v, ...args) => args.at(-1)(v));

function refusal(message, data) {
	const e = new Error(message);

	if (data)
		e.data = data;
	return e;
}

export function serveApplication(io) {
	const watchers = io.of('/watch').on('connection', listen);

	for (const name of ['/', '/chat', /^\/dyn-/, '/slow', '/private']) {
		const nsp = io.of(name);

		serveNamespace(nsp, watchers);
	}
	for (const nsp of io._nsps.values())
		hear(nsp);
	io.on('new_namespace', hear);
	io.of('/private').use((socket, next) => next(
	    socket.handshake.auth.token === 'secret' ? undefined :
	    refusal('not authorized', { code: 'E1', hint: 'log in' })));
	io.of('/slow').use(({ handshake: { auth } }, next) => auth.never ||
	    setTimeout(() => next(auth.late ? refusal('too late') :
	    undefined), SLOW_MS));
}

// Node's server; options are those of Socket.IO.
export async function startNode(t, options) {
	const server = http.createServer((req, res) =>
	    res.writeHead(404).end());
	const io = new Server(server, { ...options });	// it adds to them

	// How long who was sent away may take to hear of it: 30 s otherwise,
	// for which a test file would have to wait.
	io.engine.on('connection', (s) => { s.transport.closeTimeout = 1000; });

	serveApplication(io);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	let open = true;
	const stop = async () => {
		if (open)
			await io.close();
		open = false;
	};

	atEnd(t, () => {
		server.closeAllConnections();
		return stop();
	});
	return { name: 'node', node: true, port,
	    url: `http://127.0.0.1:${port}`,
		io, stop };
}
