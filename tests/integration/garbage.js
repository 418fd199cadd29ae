// SPDX-License-Identifier: LGPL-2.1-or-later
// A program that has 200 MB of objects and buffers, of which it uses nothing any more. It goes on until it is ended.
'use strict';

function fill() {
    const kept = [];
    for (let i = 0; i < 1e6; i++)
        kept.push({ i, text: `x${i}` });
    for (let i = 0; i < 100; i++)
        kept.push(Buffer.alloc(1 << 20, 1));
    return kept.length;
}

fill();
console.log(process.pid);
setInterval(() => {}, 1000);
