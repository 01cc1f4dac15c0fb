// SPDX-License-Identifier: BSD-2-Clause
// The dashboard: what hostd tells over a WebSocket, once a second.
import { Chart } from './chart.js';

const SPAN = 300_000;		// ms of history
const LINES_MAX = 2000;		// of the log
const SILENT_MS = 8000;		// without a tick: the connection is dead

const $ = (id) => document.getElementById(id);
const state = {
	samples: [], workers: new Map(), servers: new Map(), lines: [],
	csrf: '', actions: false, controls: false, tries: 0, last: 0,
};

// -- how numbers are shown --

const number = (n, digits = 0) => n.toLocaleString('en', {
	maximumFractionDigits: digits });

function short(n) {
	for (const [unit, f] of [['G', 1e9], ['M', 1e6], ['k', 1e3]])
		if (n >= f)
			return number(n / f, n / f < 10 ? 1 : 0) + unit;
	return number(n, n < 10 ? 1 : 0);
}

function bytes(n) {
	for (const [unit, shift] of [['GiB', 30], ['MiB', 20], ['KiB', 10]])
		if (n >= 2 ** shift)
			return `${number(n / 2 ** shift, n / 2 ** shift < 10 ? 1 : 0)} ${unit}`;
	return `${number(n)} B`;
}

const time = (ms) => ms >= 1000 ? `${number(ms / 1000, 1)} s` :
    `${number(ms, 1)} ms`;

function age(ms) {
	const s = Math.floor(ms / 1000);
	const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
	const i = Math.max(0, parts.findIndex(([n]) => s >= n));
	const [n, unit] = s === 0 ? [1, 's'] : parts[i];
	const next = s === 0 ? undefined : parts[i + 1];
	const rest = next && Math.floor(s % n / next[0]);

	return `${Math.floor(s / n)} ${unit}${rest ? ` ${rest} ${next[1]}` : ''}`;
}

// Of today, the time is enough.
function when(ms) {
	const d = new Date(ms);
	const is = d.toDateString() === new Date().toDateString();

	return is ? d.toLocaleTimeString([], { hour12: false }) :
	    d.toLocaleString([], { hour12: false });
}

const TONES = {
	ready: 'good', serving: 'good', up: 'good', kept: '',
	starting: 'warn', draining: 'warn', changing: 'warn', waiting: 'warn',
	unresolved: 'warn', 'slow-starting': 'warn', leaving: 'warn',
	stopping: 'warn', stuck: 'bad', silent: 'bad', errored: 'bad',
	dead: 'bad', down: 'bad', failed: 'bad', removed: '', lost: 'bad',
};

// -- elements --

function element(name, options = {}, ...children) {
	const e = document.createElement(name);
	const { data = {}, ...rest } = options;

	Object.assign(e, rest);
	Object.assign(e.dataset, data);
	e.append(...children);
	return e;
}

function put(e, text) {
	if (e.textContent !== text)
		e.textContent = text;
}

function tag(e, word) {
	const tone = TONES[word] ?? '';

	put(e, word);
	e.className = `${e.id === 'state' ? 'badge' : 'tag'} ${tone}`;
}

/*
 * Rows of a table body, one for each item, which stay the same elements as long
 * as the items do: what is focused or selected stays so.
 */
function fill(body, items, key, make, update) {
	const before = new Map([...body.rows].map((r) => [r.dataset.key, r]));
	let at = null;

	for (const item of items) {
		const k = key(item);
		let row = before.get(k);

		if (row === undefined) {
			row = make(item);
			row.dataset.key = k;
		}
		before.delete(k);
		update(row, item);
		const next = at === null ? body.firstElementChild :
		    at.nextElementSibling;

		if (next !== row)
			body.insertBefore(row, next);
		at = row;
	}
	for (const row of before.values())
		row.remove();
}

// A cell for each: 'h' heads the row, 'n' is a number, 't' a tag, 'w' long
// text.
function makeRow(kinds) {
	const row = element('tr');

	for (const k of kinds) {
		const cell = element(k === 'h' ? 'th' : 'td');

		if (k === 'h')
			cell.scope = 'row';
		if (k === 't')
			cell.append(element('span', { className: 'tag' }));
		cell.className = { n: 'n', w: 'wrap', a: 'act' }[k] ?? '';
		row.append(cell);
	}
	return row;
}

function putRow(row, texts) {
	texts.forEach((text, i) => {
		const span = row.cells[i].querySelector(':scope > .tag');

		if (span)
			tag(span, text);
		else if (text !== undefined)
			put(row.cells[i], text);
	});
}

// -- charts --

const charts = {
	requests: new Chart($('chart-requests'), 'Requests per second', [
		{ name: 'all', ink: 'i0', value: (s) => s[1], area: true },
		{ name: '5xx', ink: 'ibad', value: (s) => s[2] }], short, 5),
	latency: new Chart($('chart-latency'), 'Time to answer, at most', [
		{ name: 'p50', ink: 'i0', value: (s) => s[3] },
		{ name: 'p90', ink: 'i1', value: (s) => s[4] },
		{ name: 'p99', ink: 'i2', value: (s) => s[5] }], time, 3),
	connections: new Chart($('chart-connections'), 'Connections', [
		{ name: 'open', ink: 'i0', value: (s) => s[6], area: true },
		{ name: 'WebSockets', ink: 'i1', value: (s) => s[7] }], short,
		    5),
	traffic: new Chart($('chart-traffic'), 'Traffic per second', [
		{ name: 'sent', ink: 'i0', value: (s) => s[9], area: true }],
	bytes, 1024, 1024),
};

function showCharts() {
	const end = state.samples.at(-1)?.[0] ?? Date.now();

	for (const c of Object.values(charts))
		c.set(state.samples, end);
}

// Those of two lists, each once, in order, as far back as is shown.
function merge(old, more) {
	const all = new Map([...old, ...more].map((s) => [s[0], s]));
	const list = [...all.values()].sort((a, b) => a[0] - b[0]);
	const end = list.at(-1)?.[0] ?? 0;

	return list.filter((s) => s[0] > end - SPAN);
}

// -- the head --

function showHead(s, node) {
	const word = node && node.state !== 'serving' ? node.state :
	    s.ready ? 'serving' : 'draining';

	tag($('state'), word);
	put($('node'), s.node);
	put($('version'), s.version);
	put($('generation'), String(s.generation));
	put($('uptime'), age(s.uptime_ms));
	document.title = `${state.title} · ${s.node}`;
	$('drain').dataset.do = s.ready ? 'drain' : 'undrain';
	put($('drain'), s.ready ? 'Drain' : 'Undrain');
}

// -- workers --

// What a counter has grown by in a second, since it was seen last.
function rate(map, key, value, now) {
	const before = map.get(key);
	const seconds = before ? (now - before.now) / 1000 : 0;

	if (!before || seconds > .2)
		map.set(key, { value, now, rate: seconds > 0 ?
		    Math.max(0, (value - before.value) / seconds) : null });
	return map.get(key).rate;
}

const button = (text, what, name, label) => element('button', {
	type: 'button', className: 'small', ariaLabel: label, textContent: text,
	data: { do: what, name } });

function makePool(p) {
	const row = element('tr', { className: 'group' });
	const cell = element('th', { colSpan: 13, scope: 'rowgroup' },
	    element('span', { className: 'title' }),
	    element('span', { className: 'actions' },
		button('−', 'scale-', p.name,
		    `One worker less in pool ${p.name}`),
		button('+', 'scale+', p.name,
		    `One worker more in pool ${p.name}`),
		button('Restart', 'restart', p.name,
		    `Restart pool ${p.name}`)));

	row.append(cell);
	return row;
}

function updatePool(row, p) {
	const n = p.workers.length;

	put(row.querySelector('.title'), `Pool ${p.name}: ` +
	    `${n} worker${n === 1 ? '' : 's'}`);
	row.querySelector('.actions').hidden = !state.actions;
	row.dataset.workers = p.target ?? p.workers.filter((w) =>
	    w.state !== 'draining').length;
	row.querySelector('[data-do="scale-"]').disabled =
	    row.dataset.workers <= 1;
}

function makeWorker() {
	const row = makeRow(['h', 't', ...'nnnnnnnnnn', 'a']);

	row.cells[12].append(button('Restart', 'restart', '', ''));
	return row;
}

function updateWorker(row, w) {
	const name = `${w.pool}.${w.slot}`;
	const rss = state.rss.get(w.pid);
	const per = w.pid ? rate(state.workers, w.pid, w.requests, state.now) :
	    null;
	const b = row.querySelector('button');
	const l = w.latency_ms;
	const has = (v) => v === undefined || v === null ? '–' : number(v);

	putRow(row, [name, w.silent_ms ? 'silent' : w.stuck_in ? 'stuck' :
	    w.state,
		String(w.pid ?? '–'), String(w.generation),
		per === null ? '–' : number(per, per < 10 ? 1 : 0),
		l && w.requests > 0 ? time(l.p50) : '–',
		l && w.requests > 0 ? time(l.p99) : '–',
		has(w.active), has(w.websockets),
		rss > 0 ? bytes(rss) : '–', w.uptime_ms === undefined ? '–' :
		    age(w.uptime_ms), has(w.restarts)]);
	row.title = w.stuck_in ? `in ${w.stuck_in} for ${time(w.stuck_ms)}` :
	    '';
	b.hidden = !state.actions || w.state !== 'ready';
	b.dataset.name = name;
	b.ariaLabel = `Restart worker ${name}`;
}

function bodyOf(table, key) {
	const found = [...table.tBodies].find((b) => b.dataset.key === key);

	return found ?? table.appendChild(element('tbody', { data: { key } }));
}

function dropBodies(table, keys) {
	for (const b of [...table.tBodies])
		if (!keys.includes(b.dataset.key))
			b.remove();
}

function showWorkers(s, node) {
	const targets = new Map((node?.pools ?? []).map((p) => [p.name,
	    p.target]));
	let n = 0;

	for (const p of s.pools) {
		const items = [{ ...p, target: targets.get(p.name) },
			...p.workers.map((w) => ({ ...w, pool: p.name }))];

		n += p.workers.length;
		fill(bodyOf($('workers'), p.name), items,
		    (i) => i.workers ? 'pool' : `${i.slot} ${i.pid}`,
		    (i) => i.workers ? makePool(i) : makeWorker(),
		    (r, i) => i.workers ? updatePool(r, i) :
		    updateWorker(r, i));
	}
	dropBodies($('workers'), s.pools.map((p) => p.name));
	put($('n-workers'), `${n} processes`);
}

// -- the rest of the tables --

function showUpstreams(list) {
	let up = 0, n = 0;

	$('s-upstreams').hidden = list.length === 0;
	for (const u of list) {
		const items = [{ group: u }, ...u.servers];

		n += u.servers.length;
		up += u.servers.filter((v) => v.state === 'up').length;
		fill(bodyOf($('upstreams'), u.name), items,
		    (i) => i.group ? 'group' : `${i.id}`,
		    (i) => i.group ? element('tr', { className: 'group' },
			element('th', { colSpan: 9, scope: 'rowgroup' })) :
			makeRow([...'htnnnnnnw']),
		    (r, i) => i.group ? put(r.cells[0], `${i.group.name}: ` +
			i.group.balancer) : updateServer(r, u, i));
	}
	dropBodies($('upstreams'), list.map((u) => u.name));
	put($('n-upstreams'), `${up} of ${n} up`);
}

function updateServer(row, u, v) {
	const per = rate(state.servers, `${u.name} ${v.id}`, v.requests,
	    state.now);

	putRow(row, [v.server + (v.address && v.address !== v.server ?
	    ` (${v.address})` : ''), v.state, number(v.weight),
	per === null ? '–' : number(per, per < 10 ? 1 : 0), number(v.inflight),
	number(v.idle), number(v.failures),
	v.latency_us ? time(v.latency_us / 1000) : '–',
	v.reason || (v.backup ? 'backup' : '')]);
}

function showRooms(rooms) {
	$('s-rooms').hidden = !rooms || rooms.n === 0;
	if ($('s-rooms').hidden)
		return;
	fill(bodyOf($('rooms'), ''), rooms.largest, ([name]) => name,
	    () => makeRow([...'hn']), (r, [name, members]) =>
		putRow(r, [name, number(members)]));
	put($('n-rooms'), `${number(rooms.n)}${rooms.more ? ' or more' : ''}` +
	    (rooms.exact ? '' : '; not all workers have answered'));
}

function showGenerations(list) {
	$('generations').hidden = !list;
	$('no-generations').hidden = Boolean(list) || state.controls;
	if (!list)
		return;
	fill(bodyOf($('generations'), ''), list, (g) => String(g.generation),
	    () => makeRow([...'nt-nn']), (r, g) => {
		putRow(r, [String(g.generation), g.failed ? 'failed' : g.state,
			when(g.made_ms),
			number(g.workers), g.changes ?
			    number(g.changes.length) : '–']);
		r.title = g.failed ?? '';
	});
}

function showPlugins(s) {
	const all = new Map(s.plugins.map((name) => [name,
	    { name, module: '', n: 0 }]));

	for (const w of s.pools.flatMap((p) => p.workers))
		for (const p of w.plugins ?? []) {
			const known = all.get(p.name);

			if (known && w.state === 'ready')
				known.n++;
			if (known)
				known.module = p.module;
		}
	fill(bodyOf($('plugins'), ''), [...all.values()], (p) => p.name,
	    () => makeRow([...'hwn']), (r, p) =>
		putRow(r, [p.name, p.module, number(p.n)]));
	put($('n-plugins'), `${all.size} instances`);
}

// -- the log --

const LEVELS = ['debug', 'info', 'warn', 'error'];
const LINE = /^(\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{3})Z) (debug|info|warn|error) (\[[^\]]*\] )?(.*)$/;

function makeLine(text) {
	const m = LINE.exec(text);
	const level = m ? LEVELS.indexOf(m[3]) : 1;
	const li = element('li', { className: ['', '', 'warn', 'bad'][level] });

	if (m)
		li.append(element('time',
		    { dateTime: m[1], textContent: m[2] }),
		    element('span', { className: 'lv', textContent: m[3] }),
		    element('span', {}, element('span', { className: 'from',
			textContent: m[4] ?? '' }), m[5]));
	else
		li.textContent = text;
	return { text, level, li };
}

function isShown(line) {
	const needle = $('needle').value.toLowerCase();

	return line.level >= Number($('level').value) &&
	    (needle === '' || line.text.toLowerCase().includes(needle));
}

function scrollLog() {
	if ($('follow').checked)
		$('lines').scrollTop = $('lines').scrollHeight;
}

function showLog(text, anew) {
	const more = text.split('\n').filter(Boolean).map(makeLine);

	if (!anew && more.length === 0)
		return;
	if (anew) {
		state.lines = [];
		$('lines').replaceChildren();
	}
	for (const line of more)
		line.li.hidden = !isShown(line);
	state.lines.push(...more);
	$('lines').append(...more.map((l) => l.li));
	for (const line of state.lines.splice(0,
	    state.lines.length - LINES_MAX))
		line.li.remove();
	scrollLog();
}

for (const type of ['input', 'change'])
	$('filter').addEventListener(type, () => {
		for (const line of state.lines)
			line.li.hidden = !isShown(line);
		scrollLog();
	});
$('filter').addEventListener('submit', (e) => e.preventDefault());
// Who scrolls up wants to read.
$('lines').addEventListener('wheel', (e) => {
	if (e.deltaY < 0)
		$('follow').checked = false;
}, { passive: true });

// -- actions --

const QUESTIONS = {
	reload: () => ['Reload the configuration?',
	    'It is checked first, with its ' +
	    'plugins. If all is well, workers are replaced one by one; if not, ' +
	    'nothing changes.', 'Reload'],
	restart: (name) => [`Restart ${name ? name : 'all workers'}?`,
		'New processes of the same generation take over, one at a time.',
		'Restart'],
	drain: () => ['Drain this node?',
	    'It says that it is not ready any more, ' +
	    'and asks its clients to go to another node. It goes on serving.',
	'Drain'],
	undrain: () => ['Undrain this node?', 'It says that it is ready again.',
		'Undrain'],
	scale: (name, n) => [`Scale pool ${name} to ${n} worker${n === 1 ? '' : 's'}?`,
		'Workers that go hand their connections over first.', 'Scale'],
};

function confirmed([title, text, yes]) {
	put($('ask-title'), title);
	put($('ask-text'), text);
	put($('ask-yes'), yes);
	$('ask').returnValue = 'no';
	$('ask').showModal();
	return new Promise((resolve) => {
		$('ask').addEventListener('close', () =>
		    resolve($('ask').returnValue === 'yes'), { once: true });
	});
}

function toast(text, tone, ms) {
	const p = element('p', { className: tone, textContent: text });

	$('toast').append(p);
	if (ms)
		setTimeout(() => p.remove(), ms);
	return p;
}

async function act(order, title) {
	const waiting = toast(`${title} …`, '');
	let ok = false, text;

	try {
		const r = await fetch('action', { method: 'POST', headers: {
			'Content-Type': 'application/json',
			'X-CSRF-Token': state.csrf },
			    body: JSON.stringify(order) });
		const answer = await r.json().catch(() => ({
			ok: false, text: `hostd answered ${r.status}` }));

		({ ok, text } = answer);
		if (r.status === 200)
			text = 'done';
	} catch {
		text = 'hostd could not be reached';
	}
	waiting.remove();
	toast(`${title}: ${text}`, ok ? 'good' : 'bad', ok ? 6000 : 20_000);
}

document.addEventListener('click', async (e) => {
	const b = e.target.closest('[data-do]');

	if (!b)
		return;
	const { name = '' } = b.dataset;
	const more = { 'scale+': 1, 'scale-': -1 }[b.dataset.do];
	const what = more ? 'scale' : b.dataset.do;
	const n = more && Number(b.closest('tr').dataset.workers) + more;
	const question = QUESTIONS[what](name, n);

	if (await confirmed(question))
		await act({ do: what, ...name && { name }, ...more &&
		    { number: n } }, `${question[2]}${name ? ` ${name}` : ''}`);
});

// -- what comes --

function show(m) {
	const { status: s, node } = m;

	state.now = m.sample?.[0] ?? Date.now();
	state.rss = new Map((node?.processes ?? []).map((p) => [p.pid, p.rss]));
	if (m.sample)
		state.samples = merge(state.samples, [m.sample]);
	showHead(s, node);
	showCharts();
	showWorkers(s, node);
	showUpstreams(s.upstreams ?? []);
	showRooms(m.rooms);
	showGenerations(node?.generations);
	showPlugins(s);
	for (const pid of state.workers.keys())
		if (!s.pools.some((p) => p.workers.some((w) => w.pid === pid)))
			state.workers.delete(pid);
	$('lines').hidden = m.log_kind !== 'file';
	$('no-log').hidden = m.log_kind === 'file' ||
	    (state.controls && m.log_kind === '');
	if (m.log_kind !== 'file' && m.log_kind !== '')
		put($('no-log'), 'The error log is no file that can be read here, ' +
		    `but a ${m.log_kind}.`);
	showLog(m.log, m.type === 'hello');
}

function hello(m) {
	Object.assign(state, { csrf: m.csrf, actions: m.actions, title: m.title,
		controls: m.controls, tries: 0 });
	state.samples = merge(state.samples, m.history);
	put($('title'), m.title);
	put($('user'), m.user);
	$('who').hidden = m.user === '';
	$('actions').hidden = !m.actions;
	$('lost').hidden = true;
}

function connect() {
	const url = new URL('live', location.href);

	url.protocol = url.protocol.replace('http', 'ws');
	const ws = new WebSocket(url);

	state.last = Date.now();
	ws.onmessage = (e) => {
		const m = JSON.parse(e.data);

		state.last = Date.now();
		if (m.type === 'hello')
			hello(m);
		show(m);
	};
	const watch = setInterval(() => {
		if (Date.now() - state.last > SILENT_MS)
			ws.close();
	}, 1000);

	ws.onclose = (e) => {
		clearInterval(watch);
		// A worker that is replaced says so, and another one is there.
		const soon = e.code === 1012 && state.tries++ < 3;

		if (!soon) {
			$('lost').hidden = false;
			tag($('state'), 'lost');
			state.tries++;
		}
		setTimeout(connect, soon ? 50 :
		    Math.min(500 * 2 ** state.tries, 10_000));
	};
}

connect();
