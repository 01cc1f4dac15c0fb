// SPDX-License-Identifier: BSD-2-Clause
// Manifests of Kubernetes: read, and checked against its schema.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { npm } from './npm.mjs';

const YAML = npm('yaml');
const base = path.dirname(npm.resolve('yaml/package.json'));

export const documents = (file) =>
    YAML.parseAllDocuments(readFileSync(file, 'utf8')).map((d) => {
	if (d.errors.length > 0)
		throw new Error(`${file}: ${d.errors}`);
	return d.toJS();
    });

// "apps/v1" is a module of that name.
async function model(doc) {
	const file = path.join(base, '../kubernetes-models',
	    doc.apiVersion.replace(/^(\w+)\.k8s\.io/, '$1.k8s.io'), 'index.js');

	if (!existsSync(file))
		throw new Error(`unknown apiVersion ${doc.apiVersion}`);
	const all = await import(pathToFileURL(file));

	if (!all[doc.kind])
		throw new Error(`${doc.apiVersion} has no ${doc.kind}`);
	return all[doc.kind];
}

/*
 * The schema's code looks at the fields it knows, and at all of a map whose keys
 * are anybody's; what it has not looked at are names that it does not know.
 */
function watched(value, where, seen, all) {
	if (value === null || typeof value !== 'object')
		return value;
	const parts = Array.isArray(value) ? [] : {};

	for (const [k, v] of Object.entries(value)) {
		const at = `${where}.${k}`;

		all.add(at);
		parts[k] = watched(v, at, seen, all);
	}
	return new Proxy(parts, {
		get(target, k) {
			seen.add(`${where}.${String(k)}`);
			return target[k];
		},
	});
}

// What is wrong with a document: [] if nothing is.
export async function mistakes(doc) {
	const Model = await model(doc);
	const seen = new Set(), all = new Set();

	try {
		new Model(structuredClone(doc)).validate();
	} catch (e) {
		return [e.message];
	}
	const schema = await import(pathToFileURL(path.join(base,
	    '../kubernetes-models/_schemas', `${schemaName(doc)}.js`)));

	schema.validate(watched(doc, '', seen, all));
	return [...all].filter((f) => !seen.has(f))
	    .map((f) => `${f.slice(1)} is not a field of ${doc.kind}`);
}

function schemaName(doc) {
	const [group, version] = doc.apiVersion.includes('/') ?
	    doc.apiVersion.split('/') : ['core', doc.apiVersion];
	const big = (s) => s[0].toUpperCase() + s.slice(1);

	return `IoK8sApi${big(group)}${big(version)}${doc.kind}`;
}
