'use strict';

const cell = (text) => {
	const td = document.createElement('td');

	td.textContent = text;
	return td;
};

const row = (pool, w) => {
	const tr = document.createElement('tr');

	tr.append(...[`${pool}.${w.slot}`, w.pid, w.generation, w.state,
		w.active, w.requests].map(cell));
	return tr;
};

async function refresh() {
	const node = document.getElementById('node');

	try {
		const s = await (await fetch('status')).json();

		node.textContent = `${s.node}, hostd ${s.version}, generation ` +
		    `${s.generation}: ${s.requests.total} requests`;
		document.getElementById('workers').replaceChildren(
		    ...s.pools.flatMap((p) => p.workers.map((w) =>
			row(p.name, w))));
	} catch (e) {
		node.textContent = `no status: ${e.message}`;
	}
	setTimeout(refresh, 1000);
}

refresh();
