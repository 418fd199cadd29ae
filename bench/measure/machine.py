# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine of the rows `saved`: what is on its disk, and what it says while it is saved or not."""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from measure.daemons import Unmeasurable, by_itself
from measure.guards import additions

BENCH = Path(__file__).resolve().parent.parent
SAVED = BENCH / "saved"
VM = BENCH.parent / "tests" / "vm" / "vm"
VM_MISSING = 77

MEMORY_MIB = 448
SWAP_MIB = 160  # on zram
CPUS = 2
REAL_SECONDS = 900  # a machine takes one or two minutes where it has a CPU for itself
CODE_BYTES = 20 << 20
# However we end: it is a session of its own, which no signal to ours reaches.
END_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]

# Programs of the build tree, from where to where.
PROGRAMS = {
    "bench/saved/cache": "/usr/bin/",
    "bench/saved/heap": "/usr/bin/",
    "bench/saved/interactive": "/usr/bin/",
    "bench/saved/job": "/usr/bin/",
    "bench/saved/monitor": "/usr/bin/",
    "src/memnotifyfs": "/usr/bin/",
    "mount-helpers/user-oom": "/usr/bin/",
}
TRIM = "clients/trim/libmemnotify-trim.so"
# Who guards, and what of guards.sh that takes; for the others see saved-inside.
GUARDS = {
    "kernel": ["kernel"],
    "earlyoom": ["earlyoom"],
    "nohang": ["nohang"],
    "oomd": ["oomd"],
    "psi": ["kernel"],
    "clients": ["kernel"],
    "clients+earlyoom": ["earlyoom"],
    "oomkill": ["kernel"],
    "oomkill+earlyoom": ["earlyoom"],
}


class Disk:
    """A directory that will be the root of the machine's programs."""

    def __init__(self, root):
        self.root = Path(root)
        for folder in ("bin", "dev", "proc", "sys", "tmp", "run", "etc", "vm", "usr/share"):
            (self.root / folder).mkdir(parents=True)

    def add(self, source, name):
        """A file; of a program also the shared libraries that it needs."""
        place = self.root / name.lstrip("/")
        if name.endswith("/"):
            place /= Path(source).name
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
        if place.read_bytes()[:4] == b"\x7fELF":
            listing = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
            for library in re.findall(r"(/\S+) \(0x[0-9a-f]+\)", listing):
                self.add(library, library)

    def add_busybox(self):
        busybox = shutil.which("busybox")
        if not busybox:
            raise Unmeasurable("busybox is missing: install busybox-static")
        self.add(busybox, "/bin/busybox")
        for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
            if applet != "busybox":
                (self.root / "bin" / applet).symlink_to("busybox")
        (self.root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")

    def add_compiler(self):
        """What the second load needs: a compiler, and a source for which it needs no header."""
        listing = subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True, check=False)
        if not listing.stdout.startswith("/"):
            raise Unmeasurable("g++ is missing")
        self.add(listing.stdout.strip(), "/usr/bin/")
        source = self.root / "usr" / "share" / "source.ii"
        subprocess.run(["g++", "-std=c++17", "-E", SAVED / "source.cc", "-o", source], check=True)


@contextmanager
def disk(bench, load, names=tuple(GUARDS)):
    """The same disk for all these guards; and which guards can be had here, {name: why not}."""
    missing = {}
    with tempfile.TemporaryDirectory(prefix="memnotifyfs-bench-") as root:
        tree = Disk(root)
        tree.add_busybox()
        if load == "build":
            tree.add_compiler()
        for program, place in PROGRAMS.items():
            if not (bench.build / program).exists():
                raise Unmeasurable(f"'{program}' is not built; run 'meson compile -C {bench.build}'")
            tree.add(bench.build / program, place)
        if (bench.build / TRIM).exists():
            tree.add(bench.build / TRIM, "/usr/lib/")
        (tree.root / "usr" / "share" / "code").write_bytes(os.urandom(CODE_BYTES))
        tree.add(SAVED / "saved-inside", "/vm/")
        for name in names:
            try:
                for text in [text for guard in GUARDS[name] for text in additions(bench.build, guard)]:
                    source, _, place = text.partition(":")
                    tree.add(source, place)
            except Unmeasurable as reason:
                missing[name] = str(reason)
        yield tree.root, missing


def run(bench, root, guard, load):
    """(exit status of the machine, what it has said)"""
    kernels = os.environ.get("MEMNOTIFYFS_KERNELS", bench.build / "kernels")
    command = END_WITH_PARENT + [VM, "--kernels", kernels, "--memory", MEMORY_MIB, "--zram", SWAP_MIB, "--cpus", CPUS]
    command += ["--steady-clock", "--disk", root, "--timeout", REAL_SECONDS]
    command += ["-c", f"PATH=/vm:/usr/bin:/bin:/usr/sbin exec chroot /disk /vm/saved-inside {guard} {load}"]
    # Others on this machine are not disturbed: its clock does not notice if it has to wait for a CPU.
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          preexec_fn=by_itself(has_priority=False))
    if done.returncode == VM_MISSING:
        raise Unmeasurable(done.stderr.strip())
    return done.returncode, done.stdout + done.stderr
