// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory meters and limits of memnotifyfs(8), by its socket. index.d.ts says what each of these does.
'use strict';

const { PAGE_BYTES } = require('./lib/machine');
const { LimitError } = require('./lib/session');
const { Watcher, watch, meters } = require('./lib/watcher');
const { memoryPressure } = require('./lib/memory-pressure');

module.exports = { LimitError, PAGE_BYTES, Watcher, memoryPressure, meters, watch };
