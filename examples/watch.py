#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""watch.py [MOUNT [PERCENT]]: says when memory becomes scarce, and when it no longer is, also after a restart."""

import os
import select
import sys
import time


def find_mount():
    usual = ["/run/memnotify", os.environ.get("XDG_RUNTIME_DIR", "") + "/memnotify"]
    return os.environ.get("MEMNOTIFYFS") or next(filter(os.path.ismount, usual), usual[0])


def start(mount, percent):
    with open(f"{mount}/meters/total") as meter:
        limit = int(meter.read()) * percent // 100
    meter = open(f"{mount}/meters/available", "r+b", buffering=0)
    meter.write(b"<%d" % limit)
    print("available pages:", int(meter.read(64)), flush=True)
    return meter, limit


def follow(meter, limit):
    """Until the server ends, which is an OSError."""
    poll = select.poll()
    poll.register(meter, select.POLLIN)
    while poll.poll():
        meter.seek(0)
        pages = int(meter.read(64))
        print("scarce:" if pages < limit else "enough:", pages, flush=True)


mount = sys.argv[1] if len(sys.argv) > 1 else find_mount()
percent = int(sys.argv[2]) if len(sys.argv) > 2 else 10
tries = 10  # so often it looks for a server that was there before
while True:
    try:
        meter, limit = start(mount, percent)
        tries = 0
        with meter:
            follow(meter, limit)
    except OSError as error:
        if tries == 10:
            sys.exit(f"cannot watch '{mount}': {error}")
        if tries == 0:
            print("memnotifyfs has ended; waiting until it comes back", file=sys.stderr, flush=True)
    tries += 1
    time.sleep(1)
