#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs inside the machine of tests/vm/vm: memcg/ over a real group, under real reclaim and a real OOM. One line
# "ok WHAT" or "FAIL WHAT" for each check. Needs swap (--zram).
set -u

mount=/mnt/memcg
here=/tmp/memcg
mkdir -p $mount $here

if [ -d /sys/fs/cgroup/memory ]; then
    root=/sys/fs/cgroup/memory
    max=memory.limit_in_bytes swap_max=memory.memsw.limit_in_bytes usage=memory.usage_in_bytes
    old() { echo $(($1 + $2)); } # v1 limits memory and swap together
else
    root=/sys/fs/cgroup
    max=memory.max swap_max=memory.swap.max usage=memory.current
    old() { echo "$2"; }
fi

check() {
    what=$1
    shift
    if "$@"; then echo "ok $what"; else
        echo "FAIL $what"
        tail -n 5 $here/* 2>/dev/null
    fi
}

# eventually COMMAND...: within 20 seconds
eventually() {
    tries=200
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}
says() { grep -qx "$2" "$here/$1" 2>/dev/null; }
events() { awk '/^events/ { n += $2 } END { print n + 0 }' "$here/$1"; }
has_events() { [ "$(events "$1")" -ge "$2" ]; }
is_empty() { [ -z "$(cat $root/$group/cgroup.procs)" ]; }

new_group() {
    group=$1
    mkdir "$root/$group"
    echo $(($2 << 20)) >"$root/$group/$max"
    [ -z "${3-}" ] || echo "$(old "$2" "$3")M" >"$root/$group/$swap_max"
}
serve() { memnotifyfs "$@" $mount || exit 1; }
stop() {
    umount $mount
    eventually no_daemon
}
no_daemon() { ! pidof memnotifyfs >/dev/null; }

# listen NAME FILE ARGUMENT: its process is $listener
listen() {
    memcg-client listen "$mount/memcg/$2" "$3" >"$here/$1" 2>&1 &
    listener=$!
    eventually says "$1" ready || { echo "FAIL listening on $2 '$3'"; cat "$here/$1"; }
}
# hold NAME MIB: a process of the group; $holder
hold() {
    sh -c "echo \$\$ >$root/$group/cgroup.procs && exec memcg-client hold $2" >"$here/$1" 2>&1 &
    holder=$!
}
release() {
    kill -9 $holder
    wait $holder
} 2>/dev/null

thresholds() {
    new_group thresholds 100
    serve --cgroup="$root/$group"
    listen usage memory.usage_in_bytes 32M
    listen higher memory.usage_in_bytes 48M
    listen never memory.usage_in_bytes 90M
    hold holder 64
    check "a threshold is crossed upwards" eventually has_events usage 1
    check "and the next" eventually has_events higher 1
    eventually says holder holding
    check "usage is the group's" [ "$(cat $mount/memcg/memory.usage_in_bytes)" -ge $((64 << 20)) ]
    check "as the kernel has it" [ "$(cat $mount/memcg/memory.usage_in_bytes)" -ge $(($(cat "$root/$group/$usage") - (1 << 20))) ]
    check "the limit is the group's" [ "$(cat $mount/memcg/memory.limit_in_bytes)" = $((100 << 20)) ]
    release
    check "crossed downwards" eventually has_events usage 2
    check "and the next downwards" eventually has_events higher 2
    check "no more events than crossings" [ "$(events usage) $(events higher) $(events never)" = "2 2 0" ]
    eventually is_empty
    rmdir "$root/$group"
    check "removal of the group ends the listening" eventually says usage removed
    check "of all who listen" eventually says never removed
    stop
}

oom() {
    new_group oom 32 0
    serve --cgroup="$root/$group"
    listen oom memory.oom_control x
    hold victim 64
    check "an OOM in the group is told" eventually has_events oom 1
    check "and counted" eventually grep -q '^oom_kill [1-9]' $mount/memcg/memory.oom_control
    check "once for each" [ "$(events oom)" -le $(($(awk '/^oom_kill / { print $2 }' $mount/memcg/memory.oom_control) + 1)) ]
    kill $listener
    eventually is_empty
    stop
    rmdir "$root/$group"
}

# Memory that swap takes is reclaimed well; when swap is full nothing is.
pressure() {
    new_group pressure 32 16
    serve --cgroup="$root/$group"
    listen low memory.pressure_level low
    listen medium memory.pressure_level medium,local
    listen critical memory.pressure_level critical,hierarchy
    check "without reclaim there is no pressure" [ "$(events low)" = 0 ]
    hold swapping 40
    check "reclaim is low pressure at least" eventually has_events low 1
    eventually says swapping holding
    release
    hold victim 80
    check "reclaim that finds nothing is critical" eventually has_events critical 1
    check "and then medium too" eventually has_events medium 1
    check "a lower level hears all of a higher" [ "$(events low)" -ge "$(events critical)" ]
    eventually is_empty
    stop
    rmdir "$root/$group"
}

own_group() {
    new_group own 100
    echo $$ >"$root/$group/cgroup.procs"
    serve
    check "without --cgroup it is the daemon's own" [ "$(cat $mount/memcg/memory.limit_in_bytes)" = $((100 << 20)) ]
    stop
    echo $$ >$root/cgroup.procs
    rmdir "$root/$group"
    serve
    check "the root of v2 is the whole system" \
        [ "$(cat $mount/memcg/memory.limit_in_bytes)" = "$(cat $root/memory.limit_in_bytes 2>/dev/null || echo 9223372036854771712)" ]
    listen system memory.usage_in_bytes $(($(cat $mount/memcg/memory.usage_in_bytes) + (16 << 20)))
    group=.
    hold holder 32
    check "which has thresholds too" eventually has_events system 1
    release
    kill $listener
    stop
}

thresholds
oom
pressure
own_group
