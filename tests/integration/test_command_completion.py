# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash and zsh complete of a line that begins with memnotify."""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from clients import wait_until, write_text
from daemon import environment

COMMAND = os.path.abspath(os.environ.get("MEMNOTIFY", "build/clients/command/memnotify"))
DIRECTORY = Path(__file__).resolve().parents[2] / "clients" / "command" / "completions"
FIXED_METERS = {"used", "active", "total", "free", "available", "anon", "file", "shmem", "slab_reclaimable", "mlocked",
                "dirty", "swap_total", "swap_free", "swap_used"}
CONDITIONS = {"memory", "stall_some", "stall_full", "swapping", "low", "min", "oom", "pressure", "reset"}


def variables(**more):
    own = {name: text for name, text in environment().items() if name not in ("MEMNOTIFYFS", "XDG_RUNTIME_DIR")}
    return {**own, "MEMNOTIFYFS": "/nowhere", **{name: str(value) for name, value in more.items()}}


class Bash:
    """The function is called as bash would: the words of the line, cut at '=' as well, the last to be completed."""

    def __init__(self, _tmp_path):
        pass

    def complete(self, line, **more):
        words = re.findall(r"""=|'[^']*'?|"[^"]*"?|[^\s=]+""", line) + ([""] if line.endswith(" ") and
                                                                         line.count("'") % 2 == 0 else [])
        script = f"""
set -u
source {shlex.quote(str(DIRECTORY / "memnotify"))}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_POINT=${{#COMP_LINE}}
_memnotify
[ ${{#COMPREPLY[@]}} -eq 0 ] || printf '%s\\0' "${{COMPREPLY[@]}}"
"""
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], capture_output=True, text=True,
                              check=False, env=variables(**more))
        assert done.stderr == ""
        return set(done.stdout.split("\0")) - {""}


ZSHRC = """
PROMPT='' RPROMPT='' fpath=(%(directory)s $fpath)
autoload -Uz compinit
compinit -u -d %(tmp)s/dump
compadd() {
    local -a hits
    if [[ ${@[1,(i)(-|--)]} != *-[a-zA-Z]#[OAD]* ]]; then
        builtin compadd -A hits "$@"
        (($#hits)) && print -rl -- $hits >>%(tmp)s/hits
    fi
    builtin compadd "$@"
}
say_end() { : >>%(tmp)s/end }
complete_all() { comppostfuncs=(say_end); zle list-choices }
zle -N complete_all
bindkey '^I' complete_all
precmd() { : >>%(tmp)s/ready }
"""


class Zsh:
    """An interactive shell on a terminal of its own, in which Tab lists; what is offered goes to a file, too."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        (tmp_path / ".zshrc").write_text("setopt extendedglob\n" + ZSHRC % {"directory": DIRECTORY, "tmp": tmp_path})

    def complete(self, line, **more):
        for name in ("hits", "end", "ready"):
            (self.tmp_path / name).unlink(missing_ok=True)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("zsh", ["zsh", "-i"],
                       variables(ZDOTDIR=self.tmp_path, TERM="dumb", COLUMNS=200, LINES=50, **more))
        said = []

        def has_come(name):
            while select.select([terminal], [], [], 0)[0]:
                said.append(os.read(terminal, 65536))
            return (self.tmp_path / name).exists()

        try:
            wait_until(lambda: has_come("ready"), "the shell")
            os.write(terminal, line.encode() + b"\t")
            wait_until(lambda: has_come("end"), f"the end of completing {line}; {said}")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)
        hits = self.tmp_path / "hits"
        return set(hits.read_text(encoding="utf-8").splitlines()) if hits.exists() else set()


@pytest.fixture(params=[Bash, Zsh], ids=["bash", "zsh"])
def shell(request, tmp_path):
    if not shutil.which(request.param.__name__.lower()):
        pytest.skip(f"{request.param.__name__} is not installed")
    return request.param(tmp_path)


def help_of(*words):
    return subprocess.run([COMMAND, *words, "--help"], capture_output=True, text=True, check=True).stdout


def verbs():
    return set(re.findall(r"^  ([a-z]+) ", help_of(), re.MULTILINE))


def options_of(verb):
    return set(re.findall(r"^ .*?(--[a-z-]+)", help_of(verb), re.MULTILINE))


def test_every_verb_is_completed(shell):
    assert {"status", "wait", "serve"} <= verbs() <= shell.complete("memnotify ")
    assert "watch" in shell.complete("memnotify w") and "status" not in shell.complete("memnotify w")


def test_every_option_is_completed(shell):
    for verb in verbs():
        assert ({"--help"} if verb in ("record", "replay", "report") else {"--at", "--help"}) <= options_of(verb)
        offered = {option.rstrip("=") for option in shell.complete(f"memnotify {verb} --")}
        assert options_of(verb) <= offered, verb


def test_options_without_a_verb_are_those_of_status(shell):
    offered = {option.rstrip("=") for option in shell.complete("memnotify --")}
    assert options_of("status") | {"--version"} <= offered


def test_meters_come_from_the_mount(shell, tmp_path):
    assert shell.complete("memnotify wait ") == FIXED_METERS
    meters = tmp_path / "mount" / "meters"
    meters.mkdir(parents=True)
    for name in ("used", "used_elsewhere", "other"):
        (meters / name).write_text("0\n")
    for line in ("memnotify wait ", f"memnotify watch --at {tmp_path}/mount ", f"memnotify on --at={tmp_path}/mount '"):
        place = {} if "--at" in line else {"MEMNOTIFYFS": tmp_path / "mount"}
        assert shell.complete(line, **place) == {"used", "used_elsewhere", "other"}


def test_a_real_mount(shell, serve):
    daemon = serve()
    assert shell.complete("memnotify wait ", MEMNOTIFYFS=daemon.mountpoint) == set(os.listdir(daemon / "meters"))


def test_the_last_of_several_limits(shell):
    offered = shell.complete("memnotify wait 'used>=80% swap_")
    assert {word.removeprefix("used>=80% ") for word in offered} == {"swap_total", "swap_free", "swap_used"}


def test_limits_of_thresholds(shell, serve):
    daemon = serve()
    write_text(daemon / "thresholds" / "it's$(touch${IFS}bad)*", "available<5000 used>=7777777")
    write_text(daemon / "thresholds" / "b", "available<6000")
    offered = shell.complete("memnotify wait 'available<", MEMNOTIFYFS=daemon.mountpoint)
    assert {word.removeprefix("available<") for word in offered} == {"5000", "6000"}
    assert not Path("bad").exists()


def test_a_directory_that_would_run_commands(shell, tmp_path):
    (tmp_path / "mount" / "meters").mkdir(parents=True)
    (tmp_path / "mount" / "meters" / f"$(touch {tmp_path}/bad)".replace("/", "$'\\057'")).write_text("")
    (tmp_path / "mount" / "thresholds").mkdir()
    text = f"used value=1 op=>= limit=$(touch${{IFS}}{tmp_path}/bad) reached=0\n"
    (tmp_path / "mount" / "thresholds" / "a").write_text(text)
    for line in ("memnotify wait ", "memnotify wait 'used>="):
        shell.complete(line, MEMNOTIFYFS=tmp_path / "mount")
    assert not (tmp_path / "bad").exists()


def test_words_of_simulate(shell):
    assert shell.complete("memnotify simulate ") == FIXED_METERS | CONDITIONS
    assert shell.complete("memnotify simulate re") == {"reset"}


def test_the_command_of_on(shell):
    assert "printenv" in shell.complete("memnotify on 'used>5%' -- printe")
    assert not shell.complete("memnotify on 'used>5%' -- --at")


def test_places(shell, tmp_path):
    (tmp_path / "mount").mkdir()
    for sign in " =":
        assert any("mount" in word for word in shell.complete(f"memnotify status --at{sign}{tmp_path}/mo"))


def test_options_of_the_server(shell):
    assert {"--socket=", "--source="} <= shell.complete("memnotify serve -- --so")


def test_bash_keeps_the_word_open():
    """What it inserts is what all have in common: a meter without a blank, behind a quote."""
    assert Bash(None).complete("memnotify wait av") == {"'available<", "'available>="}
    assert Bash(None).complete("memnotify wait 'av") == {"available<", "available>="}
    assert os.path.commonprefix(list(Bash(None).complete("memnotify simulate 'av"))) == "available "


@pytest.mark.parametrize("name", ["_comp_command_offset", "_command_offset"])
def test_bash_leaves_commands_to_bash_completion(name, tmp_path):
    script = f"""
source {shlex.quote(str(DIRECTORY / "memnotify"))}
{name}() {{ COMPREPLY=("from $1"); }}
COMP_WORDS=(memnotify on 'used>5%' -- git st) COMP_CWORD=5
_memnotify
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "from 4\n"
