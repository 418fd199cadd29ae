#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# watch.sh [MOUNT [LIMITS]]: what to do when a named threshold is reached or left.
mount=${1:-/run/memnotify}
echo "${2:-used 80%}" >"$mount/thresholds/watch.$$" || exit
trap 'rm -f "$mount/thresholds/watch.$$"' EXIT
trap exit INT TERM

exec <"$mount/events" # from here on nothing is missed
cat "$mount/thresholds/watch.$$"

while read -r time name meter what value limit; do
    [ "$name" = "watch.$$" ] || continue
    echo "$meter is $value, its limit of $limit was $what at $time"
done
