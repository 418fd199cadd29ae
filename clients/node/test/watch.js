// SPDX-License-Identifier: LGPL-2.1-or-later
'use strict';

const assert = require('assert');
const { execFileSync, spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { LimitError, PAGE_BYTES, meters, watch } = require('memnotifyfs');
const { findSockets } = require('../lib/machine');
const { ENOUGH, SCARCE, next, openFiles, waitUntil } = require('./server');

const ROOT = path.dirname(__dirname);

const seconds = () => Number(process.hrtime.bigint()) / 1e9;
const told = (event) => `${event.kind} ${event.meter}`;
const isNear = (value, expected) => assert(Math.abs(value - expected) <= 1, `${value} is not ${expected}`);

const SAID = `ok
1.5 - used reached 7 3
used 5 reached 3
free 9 limit 4
total 20
ok
2.25 - used left 2 3
3 - total changed 30 20
4 - - removed
5 - - returned
5.5 - - last_call
6 - - lost 7
7 - used trembles 1
8 - free reached 1 4
`;

// Collects the events of a watcher.
function collect(watcher) {
    const events = [];
    watcher.on('event', (event) => events.push(event));
    return events;
}

async function close(...watchers) {
    for (const watcher of watchers) {
        watcher.close();
        await next(watcher, 'close');
    }
}

// What a program of ours prints, once it has ended by itself.
async function outputOf(server, ...args) {
    const child = spawn(process.execPath, args,
        { cwd: ROOT, env: { ...process.env, MEMNOTIFYFS: server.socket }, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
    const [status] = await once(child, 'close');
    assert.strictEqual(status, 0);
    return text;
}

module.exports = {
    async 'a shortage and its end'(server) {
        const begun = seconds();
        const watcher = watch('available<10%', { server: server.socket });
        const state = await next(watcher, 'ready');
        const events = collect(watcher);
        server.simulate(SCARCE);
        const reached = await next(watcher, 'reached');
        server.simulate(ENOUGH);
        const left = await next(watcher, 'left');
        await close(watcher);

        const total = server.meter('total');
        assert.deepStrictEqual(events, [reached, left]);
        assert.strictEqual(told(reached), 'reached available');
        isNear(reached.valuePages, total * 0.02);
        isNear(reached.limitPages, total * 0.1);
        isNear(left.valuePages, total * 0.6);
        assert.strictEqual(reached.valueBytes, reached.valuePages * PAGE_BYTES);
        assert.strictEqual(reached.limitBytes, reached.limitPages * PAGE_BYTES);
        assert(begun - 1e-6 <= reached.time && reached.time <= left.time && left.time <= seconds());
        assert.deepStrictEqual(state.total, { pages: total, bytes: total * PAGE_BYTES, reached: false });
        assert.strictEqual(state.available.limitPages, reached.limitPages);
    },

    async 'what is reached already comes first and once'(server) {
        server.simulate(SCARCE);
        const watcher = watch('used 80% available<10% free 100%', { server: server.socket });
        const events = collect(watcher);
        await waitUntil(() => events.length >= 2, 'what is reached');
        server.simulate(ENOUGH);
        await waitUntil(() => events.length >= 4, 'what is left');
        await close(watcher);
        assert.deepStrictEqual(events.slice(0, 2).map(told).sort(), ['reached available', 'reached used']);
        assert.deepStrictEqual(events.slice(2).map(told).sort(), ['left available', 'left used']);
        assert(events.every((event) => event.valuePages > 0 && event.limitPages > 0));
    },

    async 'a restart is one event that brings the state'(server) {
        const watcher = watch('used 1 available<10%', { server: server.socket });
        const events = collect(watcher);
        await next(watcher, 'reached');
        const reconnected = next(watcher, 'reconnected');
        await server.kill();
        await server.start();
        const { state } = await reconnected;
        server.simulate(SCARCE);
        await waitUntil(() => events.length >= 3, 'the shortage');
        await close(watcher);
        assert.deepStrictEqual(events.map(told), ['reached used', 'reconnected undefined', 'reached available']);
        assert.deepStrictEqual([state.used.reached, state.used.limitPages], [true, 1]);
        assert.strictEqual(state.available.reached, false);
    },

    async 'bad limits are told with their place'(server) {
        const rows = [
            ['available<10% nonsense 5', 15], ['used 200%', 6], ['used 80%  # high\nbad 3', 18], ['# ä\nbad 3', 5],
            ['used 80% ä 3', 10], ['used 1 used 2', 8], ['used 80% '.repeat(456), undefined],
        ];
        for (const [limits, column] of rows) {
            const watcher = watch(limits, { server: server.socket, patient: true });
            const events = collect(watcher);
            const closed = new Promise((resolve) => watcher.on('close', resolve));
            const error = await next(watcher, 'error');
            await closed;
            assert(error instanceof LimitError, error);
            assert.deepStrictEqual([error.code, error.limits, error.column], ['EINVAL', limits, column]);
            assert(error.reason && error.message.includes(error.reason) && !error.reason.includes('column'));
            assert.deepStrictEqual(events, []);
        }
        assert.throws(() => watch(80), TypeError);
    },

    async 'without a server it fails at once'(server) {
        for (const place of [`${server.mount}-none.sock`, `${server.mount}-none`]) {
            const error = await next(watch('used 80%', { server: place }), 'error');
            assert.deepStrictEqual([error.code, error.address], ['ENOENT', `${server.mount}-none.sock`]);
            await assert.rejects(meters({ server: place }), { code: 'ENOENT' });
        }
    },

    async 'who is patient waits for a server'(server) {
        await server.kill();
        const watcher = watch('used 1', { server: server.mount, patient: true });
        const reached = next(watcher, 'reached');
        await server.start();
        assert.strictEqual((await reached).meter, 'used');
        await close(watcher);
    },

    async 'two clients hear of their own limits'(server) {
        const one = watch('available<10%', { server: server.socket });
        const other = watch('used 50%', { server: server.socket });
        const events = [collect(one), collect(other)];
        await Promise.all([next(one, 'ready'), next(other, 'ready')]);
        server.simulate('available 2%');
        await waitUntil(() => events[0].length > 0, 'the one');
        server.simulate('used 70%');
        await waitUntil(() => events[1].length > 0, 'the other');
        await close(one, other);
        assert.deepStrictEqual(events.map((list) => list.map(told)), [['reached available'], ['reached used']]);
    },

    async 'it can be closed at any moment'(server) {
        const before = openFiles().length;
        const early = watch('used 1', { server: server.socket });
        const heard = collect(early);
        await close(early);
        assert.deepStrictEqual(heard, []);

        const inListener = watch('used 1 available 1', { server: server.socket });
        const events = collect(inListener);
        inListener.once('reached', () => inListener.close());
        await next(inListener, 'close');
        assert.strictEqual(events.length, 1);

        const away = watch('used 80%', { server: server.socket });
        await next(away, 'ready');
        await server.kill();
        await waitUntil(() => openFiles().length < before, 'the connection to end');
        await close(away);
        away.close();
        await server.start();
    },

    async 'an AbortSignal closes it'(server) {
        const controller = new AbortController();
        const watcher = watch('used 80%', { server: server.socket, signal: controller.signal });
        await next(watcher, 'ready');
        const closed = next(watcher, 'close');
        controller.abort();
        await closed;

        const late = watch('used 1', { server: server.socket, signal: controller.signal });
        const events = collect(late);
        await next(late, 'close');
        assert.deepStrictEqual(events, []);
        await assert.rejects(meters({ server: server.socket, signal: controller.signal }), { code: 'ECANCELED' });
    },

    async 'it keeps a process alive unless told not to'(server) {
        const program = (calls) => `
            const watcher = require('memnotifyfs').watch('used 1')${calls};
            watcher.on('reached', () => { console.log('reached'); watcher.close(); });
            watcher.on('close', () => console.log('closed'));`;
        assert.strictEqual(await outputOf(server, '-e', program('')), 'reached\nclosed\n');
        assert.strictEqual(await outputOf(server, '-e', program('.unref().ref()')), 'reached\nclosed\n');
        const waiting = `
            const watcher = require('memnotifyfs').watch('used 100%');
            watcher.on('ready', () => { console.log('ready'); watcher.unref(); });`;
        assert.strictEqual(await outputOf(server, '-e', waiting), 'ready\n');
    },

    async 'import takes it, too'(server) {
        const program = `
            import memnotifyfs, { watch, meters, LimitError, memoryPressure } from 'memnotifyfs';
            import 'memnotifyfs/memory-pressure';
            const { total } = await meters();
            console.log(total === ${server.meter('total') * PAGE_BYTES}, memnotifyfs.watch === watch);`;
        assert.strictEqual(await outputOf(server, '--input-type=module', '-e', program), 'true true\n');
    },

    async 'who reads too slowly is told how much he has lost'(server) {
        const watcher = watch('available<10%', { server: server.socket });
        await next(watcher, 'ready');
        for (let i = 0; i < 1000; i++) { // nothing is read meanwhile
            server.simulate(SCARCE);
            server.simulate(ENOUGH);
        }
        let lost = 0;
        const events = collect(watcher);
        watcher.on('lost', (event) => { lost += event.lost; });
        const seen = () => events.filter((event) => event.kind !== 'lost').length + lost;
        await waitUntil(() => seen() >= 2000, 'all events');
        await close(watcher);
        assert(lost > 0 && seen() === 2000);
        assert.strictEqual(events.pop().kind, 'left');
    },

    async 'meters are bytes'(server) {
        const all = await meters({ server: server.socket });
        assert.deepStrictEqual(Object.keys(all).sort(), fs.readdirSync(`${server.mount}/meters`).sort());
        assert.strictEqual(all.total, server.meter('total') * PAGE_BYTES);
        assert.strictEqual(all.available, server.meter('available') * PAGE_BYTES);
    },

    async 'it finds the server'(server) {
        const link = `${server.mount}.link`;
        fs.symlinkSync(server.socket, link);
        try {
            for (const place of [server.socket, server.mount, `${server.mount}/`, link]) {
                assert((await meters({ server: place })).total > 0);
                process.env.MEMNOTIFYFS = place;
                assert((await meters()).total > 0);
            }
            process.env.XDG_RUNTIME_DIR = '/run/user/7';
            assert.deepStrictEqual(findSockets('/run/x.sock'), ['/run/x.sock']);
            delete process.env.MEMNOTIFYFS;
            assert.deepStrictEqual(findSockets(), ['/run/memnotify.sock', '/run/user/7/memnotify.sock']);
            process.env.MEMNOTIFYFS = server.socket;
            process.setegid(65534);
            assert.deepStrictEqual(findSockets(), ['/run/memnotify.sock'], 'it has rights that its user does not have');
        } finally {
            process.setegid(0);
            delete process.env.MEMNOTIFYFS;
            delete process.env.XDG_RUNTIME_DIR;
            fs.unlinkSync(link);
        }
    },

    async 'the size of a page is that of the machine'() {
        assert.strictEqual(PAGE_BYTES, Number(execFileSync('getconf', ['PAGESIZE'])));
    },

    async 'all that is said is understood'(server) {
        const place = `${server.mount}-other.sock`;
        const other = net.createServer((socket) => socket.resume().write(SAID)).listen(place);
        await next(other, 'listening');
        const watcher = watch('used 3 free<4', { server: place });
        const events = collect(watcher);
        await waitUntil(() => events.length >= 8, 'the events');
        await close(watcher);
        other.close();
        await next(other, 'close');

        const size = (name, pages) => ({ [`${name}Pages`]: pages, [`${name}Bytes`]: pages * PAGE_BYTES });
        assert.deepStrictEqual(events, [
            { kind: 'reached', time: events[0].time, meter: 'used', ...size('value', 5), ...size('limit', 3) },
            { kind: 'left', time: 2.25, meter: 'used', ...size('value', 2), ...size('limit', 3) },
            { kind: 'changed', time: 3, meter: 'total', ...size('value', 30), ...size('old', 20) },
            { kind: 'removed', time: 4 },
            { kind: 'returned', time: 5 },
            { kind: 'last_call', time: 5.5 },
            { kind: 'lost', time: 6, lost: 7 },
            { kind: 'reached', time: 8, meter: 'free', ...size('value', 1), ...size('limit', 4) },
        ]);
    },

    async 'what another server says is an error'(server) {
        const rows = [
            ['220 mail.example ESMTP\n', 'EPROTO'], ['1 2\n', 'EPROTO'], ['error\n', 'EPROTO'], ['used x\n', 'EPROTO'],
            ['x'.repeat(70000), 'EPROTO'], ['', 'ECONNRESET'], ['error EDQUOT: too many\n', 'EDQUOT'],
        ];
        const place = `${server.mount}-other.sock`;
        let text;
        const other = net.createServer((socket) => socket.on('error', () => {}).resume().end(text)).listen(place);
        await once(other, 'listening');
        for (const [said, code] of rows) {
            text = said;
            const error = await next(watch('used 80%', { server: place }), 'error');
            assert.strictEqual(error.code, code, error);
        }
        other.close();
        await next(other, 'close');
    },

    // Not by net, whose own server is too slow to have hung up when we write.
    async 'why a server hangs up is heard'(server) {
        const place = `${server.mount}-full.sock`;
        const program = `if True:
            import socket, sys
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(sys.argv[1])
            listener.listen()
            print("listening", flush=True)
            while True:
                connection = listener.accept()[0]
                connection.send(b"error EDQUOT: too many\\n")
                connection.close()`;
        const other = spawn('/usr/bin/python3', ['-c', program, place], { stdio: ['ignore', 'pipe', 'inherit'] });
        try {
            await next(other.stdout, 'data');
            for (let i = 0; i < 50; i++) {
                const error = await next(watch('used 80%', { server: place }), 'error');
                assert.strictEqual(error.message, 'EDQUOT: too many');
            }
        } finally {
            other.kill();
            await next(other, 'close');
            fs.unlinkSync(place);
        }
    },
};
