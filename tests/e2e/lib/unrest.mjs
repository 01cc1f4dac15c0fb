// SPDX-License-Identifier: BSD-2-Clause
// What happens to a hostd and its servers while clients ask: changes by hand,
// names, health, purges, and when it is rough reloads and workers that die.
import { oneOf } from './dice.mjs';
import { rollFor } from './faulty.mjs';
import { Client } from './http1.mjs';

const EVERY = 40;	// exchanges

/*
 * new Unrest({ h, soak, faulty, dns, names, guests, member, checked, seed })
 * names: [[addresses]] that app.test may have; guests: servers to add and to
 * remove; member: a configured one; checked: those whose health is asked for.
 */
export class Unrest {
	done = {};
	wrong = [];

	constructor(options) {
		Object.assign(this, options);
		this.roll = rollFor(options.seed, 'unrest');
	}

	async hostctl(...args) {
		const r = await this.h.hostctl(...args);

		// A server may be there already, or not be there.
		if (r.code !== 0 && args[0] !== 'upstream')
			this.wrong.push(`hostctl ${args.join(' ')}: ` +
			    r.stdout + r.stderr);
	}

	async change() {
		const { roll } = this;
		const guest = oneOf(roll, this.guests);

		switch (roll(5)) {
		case 0:
			await this.hostctl('upstream', 'weight', 'app',
			    oneOf(roll, [guest, this.member]),
			    String(1 + roll(20)));
			break;
		case 1:
			await this.hostctl('upstream', oneOf(roll, ['drain',
				'down', 'enable', 'enable']), 'app',
			    oneOf(roll, [guest, this.member]));
			break;
		case 2:
			await this.hostctl('upstream', 'remove', 'app', guest);
			break;
		default:
			await this.hostctl('upstream', 'add', 'app', guest,
			    ...roll(2) ? [] : ['max_conns=3']);
		}
	}

	name() {
		const addresses = oneOf(this.roll, this.names);

		this.dns.zone['app.test'] = [{ ttl: 1, addresses },
			{ ttl: 1, addresses }, 'servfail', undefined,
			'silence'][this.roll(5)];
	}

	health() {
		for (const b of this.checked)
			if (this.roll(3) > 0)
				this.faulty.healthy.add(b);
			else
				this.faulty.healthy.delete(b);
	}

	async purge() {
		const what = this.roll(4) ? `k${this.roll(150)}?*` : '*';
		const path = `/${oneOf(this.roll, this.caches)}/${what}`;
		const r = await this.request(`PURGE ${path} HTTP/1.1\r\n` +
		    'Host: a\r\nConnection: close\r\n\r\n');

		if (r !== 200)
			this.wrong.push(`${r} for PURGE ${path}`);
	}

	// Its status; 200 when a worker was killed that may have had it.
	async request(bytes) {
		const kills = this.soak.kills;
		const c = await Client.connect(this.h.port);

		c.send(bytes);
		const { status } = await c.next();

		c.destroy();
		return kills === this.soak.kills ? status : 200;
	}

	async look() {
		await this.hostctl(...oneOf(this.roll, [['status', '--json'],
			['upstream', 'list'], ['list'], ['top']]));
	}

	reload() {
		return this.hostctl('reload');
	}

	async kill() {
		const all = await this.h.workers();
		const { pid } = oneOf(this.roll, all.filter((w) =>
		    w.state === 'ready'));

		this.soak.kills++;
		process.kill(pid, 'SIGKILL');
		await this.ready((w) => w.pid !== pid);
		this.soak.kills++;
	}

	// Until two serve, and nobody else is left.
	ready(pred = () => true) {
		return this.h.workersSatisfy((all) => all.length === 2 &&
		    all.every((w) => w.state === 'ready' && pred(w)),
		    'two workers');
	}

	// Until the soak ends.
	async run(rough) {
		const ways = ['change', 'change', 'change', 'name', 'health',
			'purge', 'look', ...rough ? ['reload', 'kill'] : []];

		for (;;) {
			await this.soak.more(EVERY);
			if (!this.soak.running)
				return;
			const way = oneOf(this.roll, ways);

			await this[way]();
			this.done[way] = (this.done[way] ?? 0) + 1;
		}
	}

	// As it was at the beginning.
	async end() {
		for (const guest of this.guests)
			await this.hostctl('upstream', 'remove', 'app', guest);
		await this.hostctl('upstream', 'enable', 'app', this.member);
		await this.ready();
	}
}
