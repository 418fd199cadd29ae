# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that runs beside a test, with what it says in files."""

import signal
import subprocess

from clients import TIMEOUT_S, wait_until


class Program:
    """What it says is in output() and messages(), which are files of the directory."""

    def __init__(self, directory, words, **settings):
        self.output_path = directory / "output"
        self.messages_path = directory / "messages"
        with open(self.output_path, "ab") as output, open(self.messages_path, "ab") as messages:
            self.process = subprocess.Popen([*map(str, words)], stdout=output, stderr=messages, **settings)

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return self.output_path.read_text(encoding="utf-8")

    def lines(self):
        return self.output().splitlines()

    def messages(self):
        return self.messages_path.read_text(encoding="utf-8")

    def wait_lines(self, number):
        wait_until(lambda: len(self.lines()) >= number or self.process.poll() is not None, f"{number} lines")
        assert len(self.lines()) == number, self.output() + self.messages()

    def wait_said(self, text):
        wait_until(lambda: text in self.messages(), text)

    def wait(self):
        return self.process.wait(TIMEOUT_S)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
