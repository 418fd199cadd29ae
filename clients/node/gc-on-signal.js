// SPDX-License-Identifier: LGPL-2.1-or-later
// Collects garbage when SIGUSR2 comes, in a program that need not be changed: node --require memnotifyfs/gc-on-signal
// It needs no other file of this package. SIGUSR1 is the inspector's.
'use strict';

const v8 = require('v8');
const vm = require('vm');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc'); // the program's own globals stay as they are
v8.setFlagsFromString('--no-expose-gc');

process.on('SIGUSR2', () => {
    gc();
    gc(); // pages and buffers in which the first has left nothing are given back by the second
});
