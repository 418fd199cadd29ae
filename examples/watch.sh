#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# watch.sh [MOUNT [LIMITS]]: what to do when a named threshold is reached or left, also after a restart of the server.
mount=${1:-${MEMNOTIFYFS-}} limits=${2:-used 80%}
[ -n "$mount" ] || for mount in /run/memnotify "$XDG_RUNTIME_DIR/memnotify" /run/memnotify; do
    [ ! -e "$mount/events" ] || break
done
threshold=
trap 'rm -f "$threshold"' EXIT
trap exit INT TERM

# Until the server ends.
follow() {
    cat "$threshold"
    while read -r time name meter what value limit; do
        [ "$name" = "${threshold##*/}" ] || continue
        echo "$meter is $value, its limit of $limit was $what at $time"
    done
    echo "memnotifyfs at '$mount' has ended; waiting until it comes back" >&2
    tries=0
}

tries=10 # so often it looks for a server that was there before
while [ $tries -le 10 ]; do
    # A new file: anybody may have taken a name. From its beginning on nothing is missed.
    threshold=$(mktemp "$mount/thresholds/watch.XXXXXXXX" 2>/dev/null) && echo "$limits" >"$threshold" &&
        { follow; } <"$mount/events"
    tries=$((tries + 1))
    sleep 1
done
echo "cannot watch '$limits' at '$mount'" >&2
exit 1
