#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""watch.py [MOUNT [PERCENT]]: says when memory becomes scarce, and when it no longer is."""

import select
import sys

mount = sys.argv[1] if len(sys.argv) > 1 else "/run/memnotify"
percent = int(sys.argv[2]) if len(sys.argv) > 2 else 10

with open(f"{mount}/meters/total") as meter:
    limit = int(meter.read()) * percent // 100

with open(f"{mount}/meters/available", "r+b", buffering=0) as meter:
    print("available pages:", int(meter.read(64)), flush=True)
    meter.write(b"<%d" % limit)

    poll = select.poll()
    poll.register(meter, select.POLLPRI)
    while True:
        [(_, events)] = poll.poll()
        if events & select.POLLERR:
            sys.exit("memnotifyfs has ended")
        meter.seek(0)
        pages = int(meter.read(64))
        print("scarce:" if pages < limit else "enough:", pages, flush=True)
