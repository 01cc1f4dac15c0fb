// SPDX-License-Identifier: BSD-2-Clause
// The files that platforms run hostd by are what those platforms read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bin, command, prefix, sbin, tempDir, top } from './lib/hostd.mjs';
import { documents, mistakes } from './lib/manifest.mjs';
import { npm } from './lib/npm.mjs';

const at = (...p) => path.join(top, 'examples/deploy', ...p);
const manifests = ['deployment.yaml', 'service.yaml', 'disruption.yaml']
    .flatMap((f) => documents(at('kubernetes', f)));

test('manifests have the schema of Kubernetes', async () => {
	assert.deepEqual(manifests.map((d) => d.kind), ['Deployment', 'Service',
		'Service', 'PodDisruptionBudget']);
	for (const d of manifests)
		assert.deepEqual(await mistakes(d), [], d.metadata.name);
});

test('and those with mistakes are told from them', async () => {
	const spoil = (fn) => {
		const d = structuredClone(manifests[0]);

		fn(d.spec);
		return mistakes(d);
	};

	assert.match(`${await spoil((s) => { s.replicas = 'two'; })}`,
	    /replicas must be integer/);
	assert.match(`${await spoil((s) => {
		s.template.spec.containers[0].readinesProbe = {};
	})}`, /readinesProbe is not a field/);
	assert.match(`${await spoil((s) => { delete s.selector; })}`,
	    /selector/);
});

test('the kustomization names files that are there', () => {
	const [k] = documents(at('kubernetes/kustomization.yaml'));
	const files = [...k.resources,
		...k.configMapGenerator.flatMap((g) => g.files)].sort();

	assert.deepEqual(files, fs.readdirSync(at('kubernetes'))
	    .filter((f) => f !== 'kustomization.yaml').sort());
	assert.equal(k.configMapGenerator[0].name, manifests[0].spec.template
	    .spec.volumes.find((v) => v.configMap).configMap.name);
});

test('the compose file is one', async (t) => {
	const compose = (file) => command('docker-compose',
	    ['-f', file, 'config']);
	const r = await compose(at('compose/compose.yaml'));
	const bad = path.join(tempDir(t), 'compose.yaml');

	assert.equal(r.code, 0, r.stderr);
	assert.match(r.stdout, /hostd-2:/);
	fs.writeFileSync(bad, fs.readFileSync(at('compose/compose.yaml'),
	    'utf8')
	    .replace('restart:', 'restrt:'));
	assert.match((await compose(bad)).stderr, /restrt/);
});

// The packages that the libraries of installed files are in.
async function packages() {
	const plugins = path.join(prefix, 'lib/hostd/plugins');
	const files = [sbin('hostd'), bin('hostctl'),
		...fs.readdirSync(plugins).map((f) => path.join(plugins, f))];
	const r = await command('ldd', files);
	const libs = new Set([...r.stdout.matchAll(/=> (\S+)/g)]
	    .map((m) => fs.realpathSync(m[1])));
	// Debian knows some of them by the former name of their directory.
	const found = await command('dpkg', ['-S', ...[...libs].map((f) =>
	    `*${f.split('/').slice(-2).join('/')}`)]);

	return new Set([...found.stdout.matchAll(/^([^:\s]+):/gm)]
	    .map((m) => m[1]).filter((p) => /^(lib|zlib)/.test(p) &&
	    !/-(dev|dbg)$/.test(p)));
}

test('the Dockerfile is one, and installs what hostd needs', async () => {
	const text = fs.readFileSync(at('docker/Dockerfile'), 'utf8');
	const { validate } = npm('dockerfile-utils');
	// What a sanitizer brings is in no package of the image, and what every
	// image of Debian has need not be named.
	const always = /^(libc6|libcrypt1|libgcc|libasan|libubsan|libstdc|libtinfo)/;

	assert.deepEqual(validate(text), []);
	assert.notDeepEqual(validate(text.replace('WORKDIR', 'WORKDR')), []);
	for (const [, from] of text.matchAll(/^COPY (?!--from)(\S+)/gm))
		assert.ok(fs.existsSync(path.join(top, from)), from);
	const stage = text.split(/^FROM /m).at(-1);
	const needed = [...await packages()].filter((p) => !always.test(p));

	assert.ok(needed.length > 5, `${needed}`);
	for (const p of needed)
		assert.ok(stage.includes(p), `${p} is not installed`);
});
