// SPDX-License-Identifier: LGPL-2.1-or-later
// process.on('memoryPressure') for a program that need not be changed: node --require memnotifyfs/memory-pressure
'use strict';

require('./lib/memory-pressure').memoryPressure();
