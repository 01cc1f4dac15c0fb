// SPDX-License-Identifier: BSD-2-Clause
// The node's workers, asked for every second while somebody looks.

const node = document.getElementById('node');
const rows = document.getElementById('workers');
const state = document.getElementById('state');

const cell = (text) => {
	const td = document.createElement('td');

	td.textContent = text;
	return td;
};

// Ours is the one that the chat's connection is with.
const row = (pool, w) => {
	const tr = document.createElement('tr');
	const worker = `${pool}.${w.slot}`;

	if (state.dataset.worker === `${worker} pid ${w.pid}`)
		tr.setAttribute('aria-current', 'true');
	tr.append(...[worker, w.pid, w.generation, w.state, w.active,
		w.websockets, w.requests].map(cell));
	return tr;
};

async function refresh() {
	try {
		const s = await (await fetch('status')).json();

		node.textContent =
		    `${s.node}, hostd ${s.version}, generation ` +
		    `${s.generation}: ${s.requests.total} requests`;
		rows.replaceChildren(...s.pools.flatMap((p) =>
		    p.workers.map((w) => row(p.name, w))));
	} catch (e) {
		node.textContent = `no status: ${e.message}`;
	}
}

async function run() {
	if (document.visibilityState === 'visible')
		await refresh();
	setTimeout(run, 1000);
}

run();
