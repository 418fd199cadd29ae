# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is agreed here and no tool knows: how long files and functions may be, and which words belong where."""

import re

FILE_LINES = 400
FUNCTION_LINES = 50
SIZED = ("src/", "clients/", "bench/", "mount-helpers/", "examples/", "include/")  # tests and their tables may be long

# What may be longer, "FILE" or "FILE:FUNCTION", and why.
LONG = {}

# A pattern; where it is looked for; which files and directories there may have it; why no other.
CLOCK = [
    (r"\b(g_get_monotonic_time|g_get_real_time|g_source_get_time|clock_gettime|gettimeofday|time) ?\(",
     "src/", ["src/loop/clock.c"], "there is one clock, which tests can set"),
]
WORDS = [
    (r"\b(\w*open(at|dir)?|p?read|p?write|close|socket|ioctl|syscall|stat|g_file_\w+) ?\(",
     "src/core/", [], "core opens nothing"),
    (r"\b([dfv]*printf|f?puts|perror|syslog|g_(log|debug|info|message|warning|critical|error|print|printerr)) ?\(",
     "src/core/", [], "core says nothing"),
    (r"\bmn_clock_\w+ ?\(", "src/core/", [], "core knows no clock, it is given times"),
    (r'"/(proc|sys)\b', "src/", ["src/kernel/", "src/probe/"], "two rooms know what the kernel tells"),
]

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
HEADING = re.compile(r"^[A-Za-z_][^;={}]*?\b(\w+)\([^;{}]*\) \{$", re.MULTILINE)


def functions(text):
    """Name, first line and length of each: in our style it starts at column 0, and so does the brace that ends it."""
    for heading in HEADING.finditer(text):
        end = text.index("\n}\n", heading.start()) + 2
        name = re.search(r"(\w+)\(", heading.group()).group(1)
        yield name, text.count("\n", 0, heading.start()) + 1, text.count("\n", heading.start(), end) + 1


def check_sizes(file, text):
    found = []
    if not file.startswith(SIZED):
        return found
    if text.count("\n") > FILE_LINES and file not in LONG:
        found.append(f"{file}: {text.count(chr(10))} lines; more than {FILE_LINES} are two files")
    for name, line, length in functions(text):
        if length > FUNCTION_LINES and f"{file}:{name}" not in LONG:
            found.append(f"{file}:{line}: {name}() has {length} lines; more than {FUNCTION_LINES} are two functions")
    return found


def without_comments(text):
    return COMMENT_OR_TEXT.sub(lambda match: match.group() if match.group()[0] == '"' else
                               re.sub(r"[^\n]", " ", match.group()), text)


def check_table(table, file, text):
    found = []
    code = without_comments(text)
    for pattern, where, allowed, reason in table:
        if file.startswith(where) and not file.startswith(tuple(allowed)):
            found += [f"{file}:{code.count(chr(10), 0, match.start()) + 1}: {match.group()}: {reason}"
                      for match in re.finditer(pattern, code)]
    return found


def check_words(file, text):
    return check_table(WORDS, file, text)


def check_clock(file, text):
    return check_table(CLOCK, file, text)
