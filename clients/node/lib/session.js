// SPDX-License-Identifier: LGPL-2.1-or-later
// What is said on a connection, in both directions; memnotifyfs-socket(7) has the lines. Nothing here waits, or knows
// what a connection is. What a session knows outlives its connections.
'use strict';

const { PAGE_BYTES } = require('./machine');

const LIMITS_MAX = 4095; // bytes: MEMNOTIFYFS_LIMITS_MAX of <memnotifyfs/contract.h>
const LINE_MAX = 65536; // no line of ours is near it

class LimitError extends Error {
    constructor(limits, reason, column) {
        super(`${reason}${column === undefined ? '' : `, at column ${column}`}: ${JSON.stringify(limits)}`);
        this.name = 'LimitError';
        this.code = 'EINVAL';
        Object.assign(this, { limits, reason, column });
    }
}

function errorOf(code, reason) {
    return Object.assign(new Error(`${code}: ${reason}`), { code });
}

function protocolError(line) {
    return errorOf('EPROTO', `not what memnotifyfs says: ${JSON.stringify(line.slice(0, 100))}`);
}

// Comments and newlines become blanks, so that each character stays at its place.
function inOneLine(limits) {
    return Buffer.from(limits.replace(/#[^\n]*/g, (comment) => ' '.repeat(comment.length)).replace(/\n/g, ' '));
}

function now() {
    return Number(process.hrtime.bigint()) / 1e9;
}

function numberOf(word, line) {
    if (!/^\d+$/.test(word))
        throw protocolError(line);
    return Number(word);
}

// { valuePages: 5, valueBytes: 20480 }
function size(name, pages) {
    return { [`${name}Pages`]: pages, [`${name}Bytes`]: pages * PAGE_BYTES };
}

// "3887.453731 - available reached 123421 617103", in words; null for an event that is newer than we are.
function parseEvent(words, line) {
    const [, , meter, kind] = words;
    const number = (i) => numberOf(words[i], line);
    const parts = {
        reached: () => ({ meter, ...size('value', number(4)), ...size('limit', number(5)) }),
        left: () => parts.reached(),
        changed: () => ({ meter, ...size('value', number(4)), ...size('old', number(5)) }),
        removed: () => ({}),
        returned: () => ({}),
        last_call: () => ({}),
        lost: () => ({ lost: number(4) }),
    };
    const time = Number(words[0]);
    if (kind === undefined || Number.isNaN(time))
        throw protocolError(line);
    return Object.hasOwnProperty.call(parts, kind) ? { kind, time, ...parts[kind]() } : null;
}

// A line of "read": "used 5970821", "used 5970821 limit 617103", "used 123421 reached 617103", in words.
function parseMeter([, pages, what, limit], line) {
    const value = numberOf(pages, line);
    const meter = { pages: value, bytes: value * PAGE_BYTES, reached: what === 'reached' };
    if (what === undefined)
        return meter;
    if (what !== 'limit' && what !== 'reached')
        throw protocolError(line);
    return { ...meter, ...size('limit', numberOf(limit, line)) };
}

class Session {
    // limits: null to read only. Throws LimitError.
    constructor(limits) {
        this.limits = limits;
        this.isStarted = false; // it has been told everything once
        this.state = {};
        this.request = 'read\n';
        if (limits === null)
            return;
        this.text = inOneLine(limits);
        if (this.text.length > LIMITS_MAX)
            throw new LimitError(limits, `longer than ${LIMITS_MAX} bytes`);
        this.request = `watch ${this.text}\nread\n`;
    }

    // A new connection, to which the request is to be written.
    begin() {
        this.answers = this.limits === null ? 1 : 2; // that are yet to come
        this.rest = '';
        this.meters = {};
    }

    // What a piece of text from the server tells, as events. Throws LimitError and Error.
    take(text) {
        const lines = (this.rest + text).split('\n');
        this.rest = lines.pop();
        if (this.rest.length > LINE_MAX)
            throw protocolError(this.rest);
        return lines.flatMap((line) => this.takeLine(line));
    }

    takeLine(line) {
        const words = line.split(' ');
        if (words[0] === 'ok')
            return this.endAnswer();
        if (words[0] === 'error')
            return this.refuse(line);
        if (/^\d/.test(line)) {
            const event = parseEvent(words, line);
            return event && this.answers === 0 ? [event] : []; // what is older than the answer of "read" is in that
        }
        this.meters[words[0]] = parseMeter(words, line);
        return [];
    }

    endAnswer() {
        this.answers--;
        if (this.answers !== 0)
            return [];
        this.state = this.meters;
        if (this.isStarted)
            return [{ kind: 'reconnected', time: now(), state: this.state }];
        this.isStarted = true;
        return Object.entries(this.state).filter(([, meter]) => meter.reached).map(([name, { pages, limitPages }]) => (
            { kind: 'reached', time: now(), meter: name, ...size('value', pages), ...size('limit', limitPages) }));
    }

    // "error EINVAL: column 11: the number is missing"
    refuse(line) {
        const [, code, column, reason] = /^error (\w+): (?:column (\d+): )?(.*)$/.exec(line) || [];
        if (code === undefined)
            throw protocolError(line);
        if (code === 'ENODEV' && this.answers === 1) { // of "read": the group is removed
            this.meters = {};
            return this.endAnswer();
        }
        if (code !== 'EINVAL' || this.limits === null)
            throw errorOf(code, reason);
        throw new LimitError(this.limits, reason, column === undefined ? undefined
            : this.text.subarray(0, column - 'watch '.length - 1).toString().length + 1);
    }
}

module.exports = { LimitError, Session, errorOf };
