// SPDX-License-Identifier: LGPL-2.1-or-later
// process.on('memoryPressure') as Bun 1.4 has it: the listener is given 'warning' or 'critical', does not keep the
// process alive, and hears nothing where there is nobody to tell. There is a connection for each level from the first
// listener to the last.
'use strict';

const { Watcher } = require('./watcher');

const EVENT = 'memoryPressure';

let uninstall = () => {};

// Emits it when limits are reached, also if they were when it began. After a restart of the server it does so for those
// only that were not reached before.
function follow(level, limits, server) {
    const tell = () => process.emit(EVENT, level);
    let reached = new Set();

    const watcher = new Watcher(limits, { server, patient: true }).unref();
    watcher.on('error', (error) => process.emitWarning(error)); // in its own limits: the program is to go on
    watcher.on('left', (event) => reached.delete(event.meter));
    watcher.on('reached', (event) => {
        reached.add(event.meter);
        tell();
    });
    watcher.on('reconnected', ({ state }) => {
        const before = reached;
        reached = new Set(Object.keys(state).filter((name) => state[name].reached));
        if ([...reached].some((name) => !before.has(name)))
            tell();
    });
    return watcher;
}

function memoryPressure({ warning = 'available<10%', critical = 'available<5%', server } = {}) {
    let watchers = [];

    function start() {
        if (watchers.length === 0)
            watchers = [follow('warning', warning, server), follow('critical', critical, server)];
    }

    function stop() {
        watchers.forEach((watcher) => watcher.close());
        watchers = [];
    }

    function onAdded(name) {
        if (name === EVENT)
            start();
    }

    function onRemoved(name) {
        if (name === EVENT && process.listenerCount(EVENT) === 0)
            stop();
    }

    uninstall(); // the one before
    process.on('newListener', onAdded);
    process.on('removeListener', onRemoved);
    if (process.listenerCount(EVENT) > 0)
        start();

    uninstall = () => {
        process.off('newListener', onAdded);
        process.off('removeListener', onRemoved);
        stop();
    };
    return uninstall;
}

module.exports = { memoryPressure };
