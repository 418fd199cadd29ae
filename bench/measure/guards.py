# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the guards of bench/guards/guards.sh need in the machine of tests/vm: Debian's packages of those who kill when
memory is short, unpacked in the build tree by ./quickstart and not installed, for they would run from then on."""

import os
import subprocess
from pathlib import Path

from measure.daemons import Unmeasurable

HERE = Path(__file__).resolve().parent.parent / "guards"

# Files of the packages, at the same place in the machine.
FILES = {
    "kernel": (),
    "earlyoom": ("/usr/bin/earlyoom", "/etc/default/earlyoom"),
    "nohang": ("/usr/sbin/nohang", "/etc/nohang/nohang.conf", "/usr/share/nohang/version"),
    "oomd": (
        "/lib/systemd/systemd-oomd",
        "/etc/systemd/oomd.conf",
        "/usr/lib/systemd/oomd.conf.d/10-oomd-defaults.conf",
    ),
}
GUARDS = tuple(FILES)
# Programs of the build tree: process 1 for systemd-oomd; psi-notify's thresholds, which kill nobody.
PROGRAMS = {"oomd": "managed-oom", "psi": "psi-watch"}

PYTHON = "/usr/bin/python3"
# What nohang imports with that configuration.
IMPORTS = "os, ctypes, time, operator, re, sre_constants, signal, threading, shlex, subprocess"
# Of each module in a file: that file, and its compiled form if there is one. What is frozen into Python needs none but
# os.py, by which it knows where it is.
LIST_MODULES = f"""
import sys, {IMPORTS}
for module in sys.modules.values():
    file, cached = getattr(module, "__file__", None), getattr(module, "__cached__", None)
    if file and (cached or file.endswith((".so", "/os.py"))):
        print(file, cached)
"""


def find(build, name):
    """A file of a package that is unpacked in the build tree, or installed."""
    for path in (Path(f"{build}/packages{name}"), Path(name)):
        if path.exists():
            return path
    raise Unmeasurable(f"no {name}: './quickstart test' brings it, on Debian")


def python_files():
    """Python with no more than nohang imports."""
    listing = [PYTHON, "-I", "-S", "-W", "ignore", "-c", LIST_MODULES]
    try:
        done = subprocess.run(listing, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unmeasurable(f"nohang needs {PYTHON}: {error}") from error
    yield f"{os.path.realpath(PYTHON)}:{PYTHON}"
    for line in done.stdout.splitlines():
        file, cached = line.split()
        yield f"{cached}:{file}c" if os.path.exists(cached) else f"{file}:{file}"


def additions(build, guard):
    """What `vm --add` is to be given for a guard, one SRC:DEST each."""
    files = [f"{HERE}/guards.sh:/vm/"]
    files += [f"{find(build, name)}:{name}" for name in FILES.get(guard, ())]
    if guard == "nohang":
        files += python_files()
    if guard in PROGRAMS:
        files.append(f"{build}/bench/guards/{PROGRAMS[guard]}:/vm/")
    return files
