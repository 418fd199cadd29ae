// SPDX-License-Identifier: LGPL-2.1-or-later
// The real server, with simulated memory and a socket beside its mount; and what tests need to wait for each other.
// Whoever waits waits for a condition; the time-out only turns a hang into a failure.
'use strict';

const assert = require('assert');
const { execFileSync, spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const os = require('os');
const path = require('path');

const TIMEOUT_MS = 30000;
const ENOUGH = 'used 10% available 60%';
const SCARCE = 'used 90% available 2%';

// A root without CAP_SYS_RESOURCE may not lower it, which is no fault.
const KNOWN_WARNING = /^memnotifyfs: cannot lower oom_score_adj: .*\n/gm;

const PROGRAM = path.resolve(process.env.MEMNOTIFYFS || 'build/src/memnotifyfs');
delete process.env.MEMNOTIFYFS; // it says to clients where the server is

async function waitUntil(condition, what) {
    const end = Date.now() + TIMEOUT_MS;
    while (!condition()) {
        assert(Date.now() < end, `waited in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

// The value of the next event of that name.
async function next(emitter, name) {
    const [value] = await once(emitter, name, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return value;
}

// Where the descriptors of a process lead to.
function openFiles(pid = process.pid) {
    const readLink = (fd) => {
        try {
            return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
        } catch { // closed meanwhile
            return null;
        }
    };
    return fs.readdirSync(`/proc/${pid}/fd`).map(readLink).filter(Boolean);
}

const sockets = (pid) => openFiles(pid).filter((file) => file.startsWith('socket:')).length;

class Server {
    constructor() {
        this.mount = fs.mkdtempSync(path.join(os.tmpdir(), 'memnotifyfs-test.'));
        this.socket = `${this.mount}.sock`;
        this.said = '';
    }

    async start() {
        const options = ['--simulate', '-f', '-o', 'update_space=4', `--socket=${this.socket}`];
        this.process = spawn(PROGRAM, [...options, this.mount], { stdio: ['ignore', 'inherit', 'pipe'] });
        this.process.stderr.setEncoding('utf8').on('data', (text) => { this.said += text; });
        const isThere = () => fs.existsSync(`${this.mount}/simulate`) && fs.existsSync(this.socket);
        await waitUntil(() => isThere() || this.process.exitCode !== null, 'the mount');
        assert.strictEqual(this.process.exitCode, null, this.said);
        this.simulate(ENOUGH);
        this.firstSockets = sockets(this.process.pid);
        return this;
    }

    simulate(text) {
        fs.writeFileSync(`${this.mount}/simulate`, text);
    }

    meter(name) {
        return Number(fs.readFileSync(`${this.mount}/meters/${name}`, 'utf8'));
    }

    clients() {
        return sockets(this.process.pid) - this.firstSockets;
    }

    // As by a crash.
    async kill() {
        const closed = once(this.process, 'close');
        this.process.kill('SIGKILL');
        await closed;
        execFileSync('umount', ['-l', this.mount]);
    }

    // Demands that it is left as it was found.
    async close() {
        try {
            await waitUntil(() => this.clients() === 0, 'its clients to go');
            const closed = once(this.process, 'close');
            this.process.kill('SIGTERM');
            const [status] = await closed;
            assert.deepStrictEqual([status, this.said.replace(KNOWN_WARNING, '')], [0, '']);
        } finally {
            if (this.process.exitCode === null && this.process.signalCode === null)
                await this.kill();
            fs.rmdirSync(this.mount);
            fs.rmSync(this.socket, { force: true });
        }
    }
}

module.exports = { ENOUGH, SCARCE, Server, TIMEOUT_MS, next, openFiles, waitUntil };
