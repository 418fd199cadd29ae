# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recipes of docs/giveback.md, as they stand there.

Run as a program, `recipe.py HEADING` prints the one below that heading."""

import os
import re
import signal
import sys
from pathlib import Path

from command import MEMNOTIFY, environment
from program import Program

PAGE = Path(__file__).resolve().parents[2] / "docs" / "giveback.md"


def recipe(heading, language="sh"):
    """The commands below that heading of the page."""
    sections = re.split("^#+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = next(text for text in sections if text.startswith(f"{heading}\n"))
    return re.search(f"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1]


class Recipe(Program):
    """A shell that runs a recipe, at a server, with these variables. All that it has started ends with it."""

    def __init__(self, directory, heading, server, **variables):
        path = os.pathsep.join([os.path.dirname(MEMNOTIFY), os.environ["PATH"]])
        super().__init__(directory, ["sh", "-c", recipe(heading)], cwd=directory, start_new_session=True,
                         env=environment(MEMNOTIFYFS=str(server.mountpoint), PATH=path, **variables))

    def close(self):
        try:
            os.killpg(self.pid, signal.SIGTERM)  # memnotify ends what it runs
        except ProcessLookupError:
            pass
        super().close()


if __name__ == "__main__":
    print(recipe(sys.argv[1]), end="")
