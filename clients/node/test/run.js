// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs all tests, each with a server of its own. Ends with "N passed, N failed"; exits with 77 where nothing can be
// mounted.
'use strict';

const assert = require('assert');
const fs = require('fs');
const { Server, openFiles, waitUntil } = require('./server');

async function run(test) {
    const server = new Server();
    try {
        await server.start();
        const before = openFiles().length;
        await test(server);
        await waitUntil(() => openFiles().length === before, `its ${openFiles()} to be closed`);
    } finally {
        await server.close();
    }
}

async function main() {
    try {
        fs.accessSync('/dev/fuse', fs.constants.R_OK | fs.constants.W_OK);
        assert.strictEqual(process.getuid(), 0);
    } catch {
        console.log('skipped: mounting needs root and /dev/fuse');
        process.exitCode = 77;
        return;
    }

    const tests = Object.entries({ ...require('./watch'), ...require('./memory-pressure') });
    let failed = tests.length;
    process.on('exit', () => { // also where nothing keeps it alive though a test waits
        console.log(`${tests.length - failed} passed, ${failed} failed`);
        process.exitCode = failed === 0 ? 0 : 1;
    });
    for (const [name, test] of tests) {
        try {
            await run(test);
            failed--;
            if (process.argv.includes('--verbose'))
                console.log(`${name}: passed`);
        } catch (error) {
            console.log(`${name}: ${error.stack}`);
        }
    }
}

main();
