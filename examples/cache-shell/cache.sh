#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# cache.sh DIRECTORY: when memory is short, files in it that nobody has used of late are removed: the older half of them.
set -eu

# shellcheck disable=SC2016,SC2012 # the inner shell expands; names are ours
exec memnotify on 'available<10%' -- sh -c '
    cd "$1"
    set -- $(ls -t)
    shift $(($# / 2))
    rm -f -- "$@"' sh "$1"
