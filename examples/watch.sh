#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# watch.sh [MOUNT [LIMITS]]: what to do when a named threshold is reached or left.
mount=${1:-/run/memnotify}
threshold=$(mktemp "$mount/thresholds/watch.XXXXXXXX") || exit # a new file: anybody may have taken a name
trap 'rm -f "$threshold"' EXIT
trap exit INT TERM

echo "${2:-used 80%}" >"$threshold" || exit
exec <"$mount/events" # from here on nothing is missed
cat "$threshold"

while read -r time name meter what value limit; do
    [ "$name" = "${threshold##*/}" ] || continue
    echo "$meter is $value, its limit of $limit was $what at $time"
done

echo "memnotifyfs at '$mount' has ended" >&2
exit 1
