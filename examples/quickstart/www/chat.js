// SPDX-License-Identifier: BSD-2-Clause
// The page: a name, a room, what is said there and who is there.
import { showAccount } from './account.js';
import { Connection } from './connection.js';
import { Log } from './log.js';

const RETURN_MS = 5000;		// who comes back sooner was not away

const $ = (id) => document.getElementById(id);
const enter = $('enter'), say = $('say');
const log = new Log($('log'));
const departures = new Map();	// name -> timer
const people = new Set();	// as we were told last

let name = '';			// as we have asked for it; '': no room yet
let room = '';
let login = '';			// the name, of who has logged in
let inRoom = false;		// the server has said so
let unconfirmed = '';		// said, and not heard yet

/* -- the room, in the address -- */

function roomOfAddress() {
	try {
		return decodeURIComponent(location.hash.slice(1)).trim();
	} catch {
		return '';
	}
}

function saved(key) {
	try {
		return localStorage.getItem(key) ?? '';
	} catch {
		return '';	// the browser keeps nothing for us
	}
}

function save(key, value) {
	try {
		localStorage.setItem(key, value);
	} catch {
		// It is asked for again next time.
	}
}

/* -- what is shown -- */

function showState(state, text) {
	$('state').dataset.state = state;
	$('state').textContent = text;
}

function showPeople(names) {
	people.clear();
	names.forEach((n) => people.add(n));
	const all = [...people].sort((a, b) => a.localeCompare(b));

	$('present').textContent = `${all.length} ` +
	    `${all.length === 1 ? 'person' : 'people'}: ${all.join(', ')}`;
}

// While there is no connection one may go on writing.
function allowTalk(allowed) {
	inRoom = allowed;
	say.querySelector('button').disabled = !allowed;
	$('text').disabled = room === '';
}

function showProblem(text, field) {
	$('problem').textContent = text;
	for (const id of ['name', 'room'])
		$(id).setAttribute('aria-invalid', String(id === field));
	if (field)
		$(field).focus();
}

/* -- coming and going -- */

function join() {
	if (room !== '' && name !== '')
		connection.send({ type: 'join', room, name });
}

function leave() {
	if (inRoom)
		connection.send({ type: 'leave', room });
	for (const timer of departures.values())
		clearTimeout(timer);
	departures.clear();
	allowTalk(false);
}

// Without asking for it yet.
function enterRoom(newName, newRoom) {
	leave();
	if (newRoom !== room)
		log.clear();
	name = newName;
	room = newRoom;
	unconfirmed = '';
	if (login === '')
		save('name', name);
	if (roomOfAddress() !== room)
		history.pushState(null, '', `#${encodeURIComponent(room)}`);
	showAccount(login);
	$('title').textContent = room;
	$('present').textContent = '';
	people.clear();
	showProblem('');
	allowTalk(false);
}

function moveTo(newName, newRoom) {
	if (newName === name && newRoom === room && inRoom)
		return;
	enterRoom(newName, newRoom);
	join();
}

// Who has logged in is called so, and goes to the room by itself.
function takeLogin(user) {
	const was = login;

	login = user;
	showAccount(user);
	$('name').readOnly = user !== '';
	if (user === '' && was === '')
		return;
	$('name').value = name = user || saved('name');
	if (room === '' && name !== '')
		enterRoom(name, $('room').value.trim());
}

// Whose worker was killed has not left, and joins again.
function noteJoined(who) {
	const timer = departures.get(who);

	clearTimeout(timer);
	departures.delete(who);
	if (timer === undefined && who !== name && !people.has(who))
		log.note(`${who} has joined`);
}

function noteLeft(who) {
	if (who === name)
		return;
	clearTimeout(departures.get(who));
	departures.set(who, setTimeout(() => {
		departures.delete(who);
		log.note(`${who} has left`);
	}, RETURN_MS));
}

/* -- what the server says -- */

function confirm(m) {
	if (m.name === name && m.text === unconfirmed)
		unconfirmed = '';
}

// What was said when the connection was lost may not have arrived.
function confirmBy(messages) {
	messages.forEach(confirm);
	if ($('text').value === '')
		$('text').value = unconfirmed;
	unconfirmed = '';
}

const told = {
	welcome(m) {
		showState('open', `Served by ${m.worker} on ${m.node}`);
		$('state').dataset.worker = m.worker;
		takeLogin(m.user ?? '');
		join();
	},
	joined(m) {
		if (m.name === name && !inRoom) {
			allowTalk(true);
			showProblem('');
		}
		noteJoined(m.name);
		connection.send({ type: 'list', room });
	},
	left(m) {
		noteLeft(m.name);
		connection.send({ type: 'list', room });
	},
	history(m) {
		confirmBy(log.fill(m.messages, name));
		// After a gap we may not have heard who came and went, either.
		connection.send({ type: 'list', room });
	},
	message(m) {
		log.add(m, name);
		confirm(m);
	},
	members(m) {
		showPeople(m.names);
	},
	error(m) {
		const field = { bad_name: 'name', bad_room: 'room' }[m.code];

		if (m.code !== 'busy' && m.code !== 'not_joined')
			showProblem(`That did not work: ${m.text}.`, field);
		unconfirmed = '';
	},
};

const connection = new Connection(
    new URL('chat', location.href.replace(/^http/, 'ws').replace(/#.*/, '')), {
	onconnect() {
		showState('connecting', 'Connecting …');
	},
	onmessage(m) {
		// Of the room that was left there may still be news under way.
		if (Object.hasOwn(told, m.type) &&
		    (m.room === undefined || m.room === room))
			told[m.type](m);
	},
	onsilence() {
		// Any answer will do.
		connection.send({ type: 'list', room });
	},
	onwait(ms) {
		allowTalk(false);
		delete $('state').dataset.worker;
		showState('waiting', 'Connection lost; trying again ' +
		    (ms < 1500 ? 'now' :
		    `in ${Math.round(ms / 1000)} seconds`));
	},
});

/* -- what people do -- */

enter.addEventListener('submit', (e) => {
	e.preventDefault();
	const newName = $('name').value.trim(),
	    newRoom = $('room').value.trim();

	if (newName === '' || newRoom === '') {
		showProblem('A name and a room are needed.',
		    newName === '' ? 'name' : 'room');
		return;
	}
	moveTo(newName, newRoom);
	$('text').focus();
});

say.addEventListener('submit', (e) => {
	e.preventDefault();
	const text = $('text').value.trim();

	// One at a time: the next when this one has been heard.
	if (text === '' || !inRoom || unconfirmed !== '')
		return;
	if (!connection.send({ type: 'message', room, text }))
		return;
	unconfirmed = text;
	$('text').value = '';
});

addEventListener('hashchange', () => {
	const newRoom = roomOfAddress();

	if (newRoom === '')
		return;
	$('room').value = newRoom;
	if (name !== '')
		moveTo(name, newRoom);
});

showAccount('');
$('name').value = saved('name');
$('room').value = roomOfAddress() || 'lobby';
if ($('name').value !== '')
	moveTo($('name').value, $('room').value);
else
	$('name').focus();
