// SPDX-License-Identifier: LGPL-2.1-or-later
'use strict';

const assert = require('assert');
const { spawn } = require('child_process');
const { once } = require('events');
const path = require('path');
const { memoryPressure } = require('memnotifyfs');
const { ENOUGH, SCARCE, waitUntil } = require('./server');

const EVENT = 'memoryPressure';

const listeners = () => [process.listenerCount('newListener'), process.listenerCount('removeListener')];

// With it installed, and a list of the levels that a listener has heard.
async function installed(options, test) {
    const before = listeners();
    const uninstall = memoryPressure(options);
    const levels = [];
    const listener = (level) => levels.push(level);
    try {
        await test(levels, listener);
    } finally {
        process.off(EVENT, listener);
        uninstall();
    }
    assert.deepStrictEqual(listeners(), before);
}

function isConnected(server, n = 2) {
    return waitUntil(() => server.clients() === n, `${n} connections`);
}

module.exports = {
    'pressure: listeners are told the level, once for each shortage': (server) => (
        installed({ server: server.socket }, async (levels, listener) => {
            process.on(EVENT, listener);
            await isConnected(server);
            server.simulate('available 8%');
            await waitUntil(() => levels.length === 1, 'a warning');
            server.simulate('available 3%');
            await waitUntil(() => levels.length === 2, 'the worse');
            server.simulate(ENOUGH);
            server.simulate('available 8%');
            await waitUntil(() => levels.length === 3, 'a warning again');
            assert.deepStrictEqual(levels, ['warning', 'critical', 'warning']);
        })),

    'pressure: it is connected from the first listener to the last': (server) => (
        installed({ server: server.socket }, async (levels, listener) => {
            process.on('exit', listener);
            process.off('exit', listener);
            assert.strictEqual(server.clients(), 0);
            const other = () => {};
            process.on(EVENT, other);
            process.prependListener(EVENT, listener);
            await isConnected(server);
            process.off(EVENT, other);
            server.simulate(SCARCE);
            await waitUntil(() => levels.length === 2, 'both levels');
            assert.strictEqual(server.clients(), 2);
            process.off(EVENT, listener);
            await isConnected(server, 0);

            process.on(EVENT, listener);
            await waitUntil(() => levels.length === 4, 'what is short already');
            process.removeAllListeners(EVENT);
            await isConnected(server, 0);
            assert.deepStrictEqual(levels.slice(2).sort(), ['critical', 'warning']);
        })),

    'pressure: once is once': (server) => installed({ server: server.socket }, async (levels, listener) => {
        process.once(EVENT, listener);
        server.simulate(SCARCE);
        await waitUntil(() => levels.length > 0, 'a level');
        await isConnected(server, 0);
        assert.strictEqual(levels.length, 1);
    }),

    'pressure: after a restart only what is new is told': (server) => (
        installed({ server: server.socket, warning: 'used 1', critical: 'available<10%' }, async (levels, listener) => {
            process.on(EVENT, listener);
            await waitUntil(() => levels.length === 1, 'a warning');
            await server.kill();
            await server.start();
            await isConnected(server);
            server.simulate(SCARCE);
            await waitUntil(() => levels.length === 2, 'the worse');
            assert.deepStrictEqual(levels, ['warning', 'critical']);
        })),

    'pressure: a server may come later, and have another in its place': async (server) => {
        await server.kill();
        await installed({ server: `${server.mount}-none.sock` }, async (levels, listener) => {
            process.on(EVENT, listener);
            const uninstall = memoryPressure({ server: server.socket });
            await server.start();
            await isConnected(server);
            server.simulate(SCARCE);
            await waitUntil(() => levels.length === 2, 'both levels');
            uninstall();
        });
    },

    'pressure: bad limits are a warning': (server) => (
        installed({ server: server.socket, critical: 'bad 5', warning: 'used 1' }, async (levels, listener) => {
            const warned = once(process, 'warning');
            process.on(EVENT, listener);
            const [warning] = await warned;
            assert.deepStrictEqual([warning.name, warning.column], ['LimitError', 1]);
            await waitUntil(() => levels.length === 1, 'the other level');
        })),

    async 'pressure: a program need not be changed, and ends when it has nothing to do'(server) {
        server.simulate('available 8%');
        for (const [place, expected] of [[server.socket, 'warning\n'], [`${server.mount}-none.sock`, '']]) {
            const program = `
                process.on('memoryPressure', (level) => { console.log(level); clearInterval(timer); });
                const timer = ${expected ? 'setInterval(() => {}, 1000)' : 'null'};`;
            const child = spawn(process.execPath, ['--require', 'memnotifyfs/memory-pressure', '-e', program], {
                cwd: path.dirname(__dirname),
                env: { ...process.env, MEMNOTIFYFS: place },
                stdio: ['ignore', 'pipe', 'inherit'],
            });
            let text = '';
            child.stdout.on('data', (piece) => { text += piece; });
            const [status] = await once(child, 'close');
            assert.deepStrictEqual([status, text], [0, expected]);
        }
    },
};
