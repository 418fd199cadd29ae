#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""watch.py [MOUNT [LIMIT]]: says when memory becomes scarce, and when it no longer is."""

import select
import sys

mount = sys.argv[1] if len(sys.argv) > 1 else "/run/memnotify"
limit = sys.argv[2] if len(sys.argv) > 2 else "<10%"

with open(f"{mount}/meters/available", "r+b", buffering=0) as meter:
    print("available pages:", int(meter.read(64)), flush=True)
    meter.write(limit.encode())

    poll = select.poll()
    poll.register(meter, select.POLLPRI)
    scarce = False
    while True:
        [(_, events)] = poll.poll()
        if events & select.POLLERR:
            sys.exit("memnotifyfs has ended")
        scarce = not scarce  # an event is a state that was not read yet, and there are two
        meter.seek(0)
        print("scarce" if scarce else "enough", int(meter.read(64)), flush=True)
