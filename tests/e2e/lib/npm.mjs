// SPDX-License-Identifier: BSD-2-Clause
// The packages of tests/e2e/package.json, where tests/run has installed them:
// const { WebSocket } = npm('ws').
import { createRequire } from 'node:module';
import path from 'node:path';
import { top } from './hostd.mjs';

const dir = process.env.HOSTD_NPM ?? path.join(top, 'build/npm');

export const npm = createRequire(path.join(dir, 'package.json'));
