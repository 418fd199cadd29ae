# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Those who kill when memory is short, in the machine of tests/vm: to be read by a script there, with cgroup v2 and swap.
# start_NAME starts one as Debian's package has it (options, configuration, the memory settings of its unit) and returns
# when it watches; its log is /tmp/guard.log. victims then says whom it has killed, kernel_victims whom the kernel has.
#
# Not as in a machine with systemd: they run as root and without their units' sandboxes, which only take away. What
# process 1 says to systemd-oomd is said by managed-oom.

root=/sys/fs/cgroup
guard_log=/tmp/guard.log
# Of a user who has logged in, where systemd starts applications: each in a scope of its own.
user_manager=/user.slice/user-1000.slice/user@1000.service
applications=$user_manager/app.slice

# group PATH: makes it and those above it, with their memory controlled.
group() {
    above=$root
    for name in $(echo "$1" | tr / ' '); do
        echo +memory >"$above/cgroup.subtree_control"
        above=$above/$name
        mkdir -p "$above"
    done
}

# run_in PATH COMMAND...: becomes the command, in that group.
run_in() {
    echo 0 >"$root$1/cgroup.procs"
    shift
    exec "$@"
}

# start_application NAME COMMAND...: in the background, in the scope NAME; $! is its process.
start_application() {
    scope=$applications/$1.scope
    shift
    group "$scope"
    run_in "$scope" "$@" &
}

# start_service PATH [KEY=VALUE...] -- COMMAND...: in the background with its log, in a group with these settings.
start_service() {
    service=$1
    shift
    group "$service"
    while [ "$1" != -- ]; do
        echo "${1#*=}" >"$root$service/${1%%=*}"
        shift
    done
    shift
    run_in "$service" "$@" >>"$guard_log" 2>&1 &
    guard_pid=$!
}

# ready PATTERN: waits for a line of the log.
ready() {
    until grep -q "$1" "$guard_log"; do
        kill -0 "$guard_pid" 2>/dev/null || { cat "$guard_log"; echo "guards: $guard has ended"; return 1; }
        sleep 0.1
    done
}

start_kernel() { guard=kernel; }

start_earlyoom() {
    guard=earlyoom
    # shellcheck disable=SC1091 # of the package
    . /etc/default/earlyoom
    # shellcheck disable=SC2086 # several options
    start_service /system.slice/earlyoom.service memory.max=50M -- earlyoom $EARLYOOM_ARGS
    ready '^mem avail'
}

start_nohang() {
    guard=nohang
    start_service /hostcritical.slice/nohang.service memory.max=100M memory.swap.max=100M -- \
        python3 -u /usr/sbin/nohang --monitor --config /etc/nohang/nohang.conf
    ready '^Monitoring has started'
}

# It connects to the bus when there is one: here there is none. Its log names processes at the level debug only.
start_oomd() {
    guard=oomd
    mkdir -p /run/systemd/oom
    group $applications
    managed-oom /run/systemd/io.system.ManagedOOM ManagedOOMSwap=/ ManagedOOMMemoryPressure=$user_manager:50 \
        2>/tmp/managed-oom.log &
    until [ -S /run/systemd/io.system.ManagedOOM ]; do sleep 0.1; done
    start_service /system.slice/systemd-oomd.service memory.min=64M memory.low=64M -- \
        env SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console /lib/systemd/systemd-oomd
    echo -900 >"/proc/$guard_pid/oom_score_adj"
    ready 'essage.*"cgroups"'
}

# Lines "PID NAME". What systemd-oomd has killed is a group: NAME is that of its scope or service.
victims() {
    case $guard in
    kernel) kernel_victims ;;
    earlyoom) sed -n 's/^sending SIG[A-Z]* to process \([0-9]*\) uid [0-9]* "\(.*\)":.*/\1 \2/p' "$guard_log" ;;
    nohang) sed -n 's/^  PID: *\([0-9]*\), name: \(.*\), state: .*/\1 \2/p' "$guard_log" ;;
    oomd) oomd_victims ;;
    esac | awk '!seen[$0]++'
}

# First it says which processes it kills, and then that they were "Killed /…/NAME.scope due to …".
oomd_victims() {
    awk '/^oomd attempting to kill / { killed[++n] = $5 }
        /^Killed / {
            gsub(/.*\/|\.(scope|service)$/, "", $2)
            for (i = 1; i <= n; i++) print killed[i], $2
            n = 0
        }' "$guard_log"
}

kernel_victims() { dmesg | sed -n 's/.*ut of memory: Killed process \([0-9]*\) (\(.*\)) total-vm.*/\1 \2/p'; }
