#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A shortage for cache.sh, and how many files there are after it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

for i in 1 2 3 4 5 6 7 8; do
    echo "$i" >"$directory/$i"
    touch -d "2026-01-01 00:00:0$i" "$directory/$i"
done

# shellcheck disable=SC2016 # the inner shell expands
memnotify-run --scenario "$here/short.scenario" -- sh -eu -c '
    "$1/cache.sh" "$2" &
    tries=0
    until [ "$(ls "$2" | wc -l)" -eq 4 ]; do
        tries=$((tries + 1))
        [ "$tries" -le 200 ] || { kill $!; echo "not ok: $(ls "$2" | wc -l) files are left of 8"; exit 1; }
        sleep 0.1
    done
    kill $!' sh "$here" "$directory"

for i in 5 6 7 8; do
    [ -f "$directory/$i" ] || { echo "not ok: $i is gone, which was used last"; exit 1; }
done
echo "ok"
