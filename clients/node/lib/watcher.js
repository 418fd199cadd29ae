// SPDX-License-Identifier: LGPL-2.1-or-later
// A connection that outlives its server, and tells what it hears. Whatever becomes of it, it ends with 'close'.
'use strict';

const { EventEmitter } = require('events');
const net = require('net');
const { findSockets } = require('./machine');
const { LimitError, Session, errorOf } = require('./session');

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2000;

// When what is there to be read has been: a server that has no room for us says so and hangs up, and net forgets what
// it has not read when it cannot write. The first turn of the loop has its look at sockets still to come.
function afterReading(callback) {
    setImmediate(() => setImmediate(callback));
}

class Watcher extends EventEmitter {
    #session = null;
    #paths; // one of them, once it has been connected
    #next = 0; // of the paths
    #problem = null; // of those that were tried before
    #patient;
    #signal;
    #socket = null;
    #timer = null;
    #pauseMs = PAUSE_MIN_MS;
    #isReferenced = true;
    #isClosed = false;
    #onAbort = () => this.close();

    constructor(limits, options = {}) {
        super();
        const { server, signal, patient = false } = options;
        if (limits !== null && typeof limits !== 'string')
            throw new TypeError('limits are a string, as "available<10%"');
        this.#paths = findSockets(server);
        this.#patient = patient;
        this.#signal = signal;
        if (signal)
            signal.addEventListener('abort', this.#onAbort, { once: true });
        try {
            this.#session = new Session(limits);
        } catch (error) {
            process.nextTick(() => this.#fail(error));
            return;
        }
        if (signal && signal.aborted)
            this.close();
        else
            this.#connect();
    }

    ref() {
        return this.#setReferenced(true);
    }

    unref() {
        return this.#setReferenced(false);
    }

    close() {
        if (this.#isClosed)
            return;
        this.#isClosed = true;
        if (this.#signal)
            this.#signal.removeEventListener('abort', this.#onAbort);
        clearTimeout(this.#timer);
        if (this.#socket)
            this.#socket.destroy(); // its 'close' is ours
        else
            process.nextTick(() => this.emit('close'));
    }

    #setReferenced(isReferenced) {
        this.#isReferenced = isReferenced;
        for (const thing of [this.#socket, this.#timer].filter(Boolean))
            thing[isReferenced ? 'ref' : 'unref']();
        return this;
    }

    #fail(error) {
        if (this.#isClosed)
            return;
        this.close();
        this.emit('error', error);
    }

    #connect() {
        const path = this.#paths[this.#next];
        const socket = net.connect({ path });
        let problem = errorOf('ECONNRESET', 'the server has ended the connection');

        this.#socket = socket;
        this.#setReferenced(this.#isReferenced);
        this.#session.begin();
        socket.setEncoding('utf8');
        socket.on('connect', () => {
            this.#paths = [path]; // it comes back where it was
            this.#next = 0;
            afterReading(() => socket.destroyed || socket.write(this.#session.request));
        });
        socket.on('data', (text) => this.#take(text));
        socket.on('error', (error) => { problem = error; });
        socket.on('close', () => this.#lose(problem));
    }

    #take(text) {
        const wasStarted = this.#session.isStarted;
        let events;
        try {
            events = this.#session.take(text);
        } catch (error) {
            if (error instanceof LimitError || !this.#mayRetry(error))
                this.#fail(error);
            else
                this.#socket.destroy();
            return;
        }
        if (this.#session.answers === 0)
            this.#pauseMs = PAUSE_MIN_MS;
        if (!wasStarted && this.#session.isStarted)
            this.emit('ready', this.#session.state);
        for (const event of events) {
            if (!this.#isClosed)
                this.emit('event', event);
            if (!this.#isClosed)
                this.emit(event.kind, event);
        }
    }

    // Later it comes back. EAGAIN: it is there, and has no time for another. EPIPE: it has hung up, and not been heard.
    #mayRetry(error) {
        return this.#session.isStarted || this.#patient || ['EAGAIN', 'EPIPE'].includes(error.code);
    }

    #lose(problem) {
        this.#socket = null;
        if (this.#isClosed) {
            this.emit('close');
            return;
        }
        if (!this.#problem || (this.#problem.code === 'ENOENT' && problem.code !== 'ENOENT'))
            this.#problem = problem;
        this.#next++;
        if (this.#next < this.#paths.length)
            this.#connect();
        else
            this.#wait();
    }

    // Where none of the paths has a server.
    #wait() {
        const problem = this.#problem;
        this.#problem = null;
        this.#next = 0;
        if (!this.#mayRetry(problem)) {
            this.#fail(problem);
            return;
        }
        this.#timer = setTimeout(() => this.#connect(), this.#pauseMs);
        this.#setReferenced(this.#isReferenced);
        this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MAX_MS);
    }
}

function watch(limits, options) {
    return new Watcher(limits, options);
}

function meters(options) {
    return new Promise((resolve, reject) => {
        const watcher = new Watcher(null, options);
        watcher.on('error', reject);
        watcher.on('close', () => reject(errorOf('ECANCELED', 'aborted'))); // unless it was settled before
        watcher.on('ready', (state) => {
            const entries = Object.entries(state).map(([name, meter]) => [name, meter.bytes]);
            if (entries.length > 0)
                resolve(Object.fromEntries(entries));
            else
                reject(errorOf('ENODEV', 'the group whose memory is shown is removed'));
            watcher.close();
        });
    });
}

module.exports = { Watcher, meters, watch };
