// SPDX-License-Identifier: LGPL-2.1-or-later
// What has to be known of this process and machine: where the server is, and how many bytes a page has.
'use strict';

const fs = require('fs');

// Keys of <elf.h> in the auxiliary vector, the only place where Node can find these.
const AT_PAGESZ = 6;
const AT_SECURE = 23;

// The vector as a map; empty where there is no /proc; null where the kernel hides it, as of a program with capabilities
// of its own.
function readAuxiliaryVector() {
    try {
        const bytes = new Uint8Array(fs.readFileSync('/proc/self/auxv'));
        const is32Bit = ['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'].includes(process.arch);
        const words = is32Bit ? new Uint32Array(bytes.buffer) : new BigUint64Array(bytes.buffer);
        const vector = new Map();
        for (let i = 0; i + 1 < words.length; i += 2)
            vector.set(Number(words[i]), Number(words[i + 1]));
        return vector;
    } catch (error) {
        return error.code === 'ENOENT' ? new Map() : null;
    }
}

const vector = readAuxiliaryVector();

const PAGE_BYTES = (vector && vector.get(AT_PAGESZ)) || 4096;

// Whether this program has rights that its user does not have, as for secure_getenv(3).
function hasForeignRights() {
    return process.getuid() !== process.geteuid() || process.getgid() !== process.getegid() || !vector ||
        Boolean(vector.get(AT_SECURE));
}

function isSocket(path) {
    try {
        return fs.statSync(path).isSocket();
    } catch { // nothing is there, or a mount whose server has ended
        return false;
    }
}

// A socket is its own; a mount point's is its file "socket" under memnotify-run(1), else has ".sock" added.
function socketOf(place) {
    const mount = place.replace(/\/+$/, '');
    if (place.endsWith('.sock') || isSocket(place))
        return place;
    return isSocket(mount + '/socket') ? mount + '/socket' : mount + '.sock';
}

// Where a server may be, the first that answers being the one.
function findSockets(server) {
    const environment = hasForeignRights() ? {} : process.env;
    const place = server || environment.MEMNOTIFYFS;
    if (place)
        return [socketOf(place)];
    const own = environment.XDG_RUNTIME_DIR;
    return ['/run/memnotify.sock', ...(own ? [own + '/memnotify.sock'] : [])];
}

module.exports = { PAGE_BYTES, findSockets };
