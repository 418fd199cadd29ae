// SPDX-License-Identifier: LGPL-2.1-or-later
// The life of a program of Node.js: heap.js MIB. Half of what it has are objects, of V8's own heap, half are Buffers, of the
// C library's; it keeps one in fifty of both, and says "ready". It ends with its standard input.
"use strict";

const OBJECT_BYTES = 400;
const BUFFER_BYTES = 6000; // more than come from Node's own pool
const KEPT_ONE_IN = 50;

function fill(bytes, size, make) {
    return Array.from({ length: bytes / 2 / size }, (_, i) => make(i));
}

function keepFew(things) {
    return things.filter((_, i) => i % KEPT_ONE_IN === 0);
}

const bytes = Number(process.argv[2]) * 1024 * 1024;
let objects = fill(bytes, OBJECT_BYTES, (i) => ({ id: i, name: `name ${i}`, list: Array.from({ length: 20 }, (_, k) => i + k) }));
let buffers = fill(bytes, BUFFER_BYTES, (i) => Buffer.alloc(BUFFER_BYTES, i));
objects = keepFew(objects);
buffers = keepFew(buffers);

// It works on with less, so that the collector has had reasons to run.
for (let i = 0; i < 20; i++) {
    fill(bytes / 10, OBJECT_BYTES, (k) => ({ id: k, list: [k, k + 1] }));
    fill(bytes / 10, BUFFER_BYTES, () => Buffer.alloc(BUFFER_BYTES));
}

setTimeout(() => {
    console.log("ready");
    process.stdin.on("end", () => process.exit(objects.length + buffers.length > 0 ? 0 : 1));
    process.stdin.resume();
}, 0);
