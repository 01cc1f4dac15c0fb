// SPDX-License-Identifier: BSD-2-Clause
'use strict';

const socket = io();
const state = document.getElementById('state');
const log = document.getElementById('log');
const button = document.querySelector('#say button');
let room = null;

function tell(text, own) {
	const item = document.createElement('li');

	item.textContent = text;
	item.className = own ? 'own' : '';
	log.append(item);
	item.scrollIntoView();
}

function join() {
	socket.emit('joinRoom', room, (error) => {
		if (error !== null) {
			state.textContent = error;
			return;
		}
		state.textContent = `in ${room}`;
		button.disabled = false;
	});
}

// A connection that is new knows nothing of the one before.
socket.on('connect', () => {
	state.textContent = 'connected';
	if (room !== null && !socket.recovered)
		join();
});
socket.on('disconnect', (reason) => {
	state.textContent = reason;
});
socket.on('message', (from, text) => tell(text, false));

document.getElementById('join').addEventListener('submit', (e) => {
	e.preventDefault();
	if (room !== null)
		socket.emit('leaveRoom', room);
	room = e.target.room.value;
	join();
});

// It is said again until it was acknowledged.
function say(to, text) {
	socket.timeout(5000).emit('sendMessage', to, text, (late) => {
		if (late)
			say(to, text);
		else
			tell(text, true);
	});
}

document.getElementById('say').addEventListener('submit', (e) => {
	e.preventDefault();
	say(room, e.target.text.value);
	e.target.reset();
});
