/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts by the grammars of memnotifyfs(5), a quarter of which is then damaged. The same seed makes the same. */
#include "fuzzer_text.h"

#include <stdio.h>
#include <string.h>

/* Those that have none of their own kind are written to as well. */
const File files[] = {
    { "memnotify", TEXT_LIMITS },
    { "memnotify", TEXT_LIMITS },
    { "meters/used", TEXT_LIMIT },
    { "meters/available", TEXT_LIMIT },
    { "meters/swap_used", TEXT_LIMIT },
    { "meters/nothing", TEXT_LIMIT },
    { "events", TEXT_NONE },
    { "events", TEXT_NONE },
    { "errors", TEXT_NONE },
    { "parameters/update_period", TEXT_NUMBER },
    { "parameters/max_update_period", TEXT_NUMBER },
    { "parameters/update_space", TEXT_NUMBER },
    { "parameters/fill_rate", TEXT_NUMBER },
    { "oom", TEXT_PIDS },
    { "oom_ranking", TEXT_NONE },
    { "oom_notify", TEXT_SIGNAL },
    { "oom_notify_critical", TEXT_SIGNAL },
    { "mem_notify", TEXT_SIGNAL },
    { "zoneinfo", TEXT_NONE },
    { "last_call", TEXT_GROUP },
    { "metrics", TEXT_NONE },
    { "metrics.prom", TEXT_NONE },
    { "pressure", TEXT_TRIGGER },
    { "memcg/cgroup.event_control", TEXT_REGISTRATION },
    { "memcg/cgroup.event_control", TEXT_REGISTRATION },
    { "memcg/memory.usage_in_bytes", TEXT_NONE },
    { "memcg/memory.memsw.usage_in_bytes", TEXT_NONE },
    { "memcg/memory.limit_in_bytes", TEXT_NUMBER },
    { "memcg/memory.oom_control", TEXT_NUMBER },
    { "memcg/memory.pressure_level", TEXT_NONE },
    { "simulate", TEXT_MOVES },
    { "", TEXT_NONE },
    { "meters", TEXT_NONE },
    { "thresholds", TEXT_NONE },
    { "thresholds/..", TEXT_NONE },
    { "parameters", TEXT_NONE },
    { "memcg", TEXT_NONE },
    { "memnotify/below", TEXT_NONE },
};
const unsigned n_files = sizeof files / sizeof *files;

static uint64_t state;

void chance_begin(uint64_t seed) {
    state = (seed + 1) * 0x9e3779b97f4a7c15ull;
    for (int i = 0; i < 8; i++) /* neighbours have to part */
        chance(0);
}

/* Marsaglia's xorshift64. */
unsigned chance(unsigned n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n ? (state >> 11) % n : 0;
}

void make_name(char *ret) {
    unsigned len = 1 + chance(255);

    switch (chance(12)) {
    case 0: /* about as long as it may be */
        len = 60 + chance(10);
        memset(ret, 'a' + chance(26), len);
        ret[len] = '\0';
        break;
    case 1:
        for (unsigned i = 0; i < len; i++)
            ret[i] = 1 + chance(255);
        ret[len] = '\0';
        for (char *c = ret; *c; c++)
            if (*c == '/' || *c == '.')
                *c = '_';
        break;
    case 2:
        strcpy(ret, "-");
        break;
    case 3:
        sprintf(ret, "\u202e%u", chance(9)); /* turns the direction of writing */
        break;
    default:
        sprintf(ret, "fuzz-%u", chance(40));
    }
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

static const char *const meters[] = {
    "used",    "active", "total",      "free",      "available", "anon",   "file", "shmem", "slab_reclaimable",
    "mlocked", "dirty",  "swap_total", "swap_free", "swap_used", "nothing"
};
static const char *const signs[] = { " ", " ", ">=", "<", "=", ":", ",", "\t", "\n", "", "<=", ">", "=>" };
static const char *const units[] = { "", "", "K", "M", "G", "t", "%", "%", ".5%", "k", "P", "MiB", "GB", ".5G", ".5" };
static const char *const blanks[] = { " ", " ", " ", "\n", ",", "", " # comment\n" };
static const char *const signal_names[] = { "USR1", "SIGUSR2", "URG",  "WINCH", "IO", "RTMIN+1", "RTMAX-2",
                                            "10",   "KILL",    "STOP", "off",   "0",  "65",      "NONE" };
static const char *const levels[] = { "low", "medium", "critical", "low,hierarchy", "critical,local", "none" };
static const char *const stall_kinds[] = { "some", "full", "most" };
static const char *const sizes[] = { "1M", "100M", "0", "0x1000", "010", "7E", "-1", "18446744073709551616" };
static const uint64_t numbers[] = { 0, 1, 10, 100, 101, 4096, 1000000, 6000000, 4294967296, UINT64_MAX };

static size_t put_number(char *to) {
    return sprintf(to, "%llu", (unsigned long long)(chance(3) ? chance(100) : ONE_OF(numbers)));
}

static size_t make_none(const Own *own, char *to) {
    (void)own;
    return sprintf(to, "%s", chance(2) ? "" : "\n");
}

static size_t make_limit(const Own *own, char *to) {
    size_t len = sprintf(to, "%s", ONE_OF(signs));

    (void)own;
    len += put_number(to + len);
    return len + sprintf(to + len, "%s", ONE_OF(units));
}

static size_t make_limits(const Own *own, char *to) {
    size_t len = 0;

    for (unsigned n = chance(6); n > 0; n--) {
        len += sprintf(to + len, "%s", ONE_OF(meters));
        len += make_limit(own, to + len);
        len += sprintf(to + len, "%s", ONE_OF(blanks));
    }
    return len;
}

/* Also times to look that are far away. */
static size_t make_number(const Own *own, char *to) {
    (void)own;
    return put_number(to);
}

static size_t make_pids(const Own *own, char *to) {
    size_t len = 0;

    for (unsigned n = chance(6); n > 0; n--)
        len += sprintf(to + len, "%d ", chance(8) ? own->get_process() : (int)chance(70000));
    return len;
}

static size_t make_signal(const Own *own, char *to) {
    (void)own;
    return sprintf(to, "signal %s", chance(8) ? ONE_OF(signal_names) : "");
}

static size_t make_registration(const Own *own, char *to) {
    return sprintf(to, "%d %d %s", chance(10) ? own->get_eventfd() : (int)chance(70),
                   chance(10) ? own->get_file() : (int)chance(70), chance(2) ? ONE_OF(sizes) : ONE_OF(levels));
}

/* Mostly short windows and small thresholds, so that there are events. */
static size_t make_trigger(const Own *own, char *to) {
    unsigned window_us = chance(4) ? 50000 + chance(100000) : chance(12000000);

    (void)own;
    return sprintf(to, "%s %u %u%s", ONE_OF(stall_kinds), chance(8) ? 1 + chance(20000) : chance(2) * 10000000,
                   window_us, chance(2) ? "\n" : "");
}

/* What simulate takes: mostly shares, so that limits are crossed. */
static size_t make_moves(const Own *own, char *to) {
    size_t len = 0;

    if (chance(12) == 0)
        return sprintf(to, "reset");
    if (chance(12) == 0)
        return make_limits(own, to);
    if (chance(6) == 0)
        return sprintf(to, "stall_%s %u%%", ONE_OF(stall_kinds), chance(101));
    for (unsigned n = 1 + chance(3); n > 0; n--) {
        len += sprintf(to + len, "%s ", ONE_OF(meters));
        len += chance(8) ? sprintf(to + len, "%u%% ", chance(101)) : sprintf(to + len, "- ");
    }
    return len;
}

static size_t make_group(const Own *own, char *to) {
    static const char *const groups[] = { "/",        "/user.slice", "/user.slice/user-1000.slice",
                                          "/nothing", "user.slice",  "/a\n/b" };

    (void)own;
    return sprintf(to, "%s%s", ONE_OF(groups), chance(2) ? "\n" : "");
}

static size_t (*const makers[N_TEXTS])(const Own *own, char *to) = {
    [TEXT_NONE] = make_none,
    [TEXT_LIMITS] = make_limits,
    [TEXT_LIMIT] = make_limit,
    [TEXT_NUMBER] = make_number,
    [TEXT_PIDS] = make_pids,
    [TEXT_SIGNAL] = make_signal,
    [TEXT_REGISTRATION] = make_registration,
    [TEXT_MOVES] = make_moves,
    [TEXT_TRIGGER] = make_trigger,
    [TEXT_GROUP] = make_group,
};

/* ---- damage ---------------------------------------------------------------------------------------------------- */

static size_t fill(char *text, size_t len) {
    size_t wanted = chance(4) ? 3900 + chance(400) : 120 * 1024 + chance(TEXT_BYTES_MAX - 120 * 1024);
    char pattern[64];
    size_t n = len < sizeof pattern ? len : sizeof pattern;

    memcpy(pattern, text, n);
    if (n == 0 || chance(3) == 0)
        memset(text + len, ' ', wanted - len);
    else
        for (size_t i = len; i < wanted; i++)
            text[i] = pattern[i % n];
    return wanted;
}

/* The text has less than 3900 bytes. */
static size_t damage(char *text, size_t len) {
    switch (chance(7)) {
    case 0:
        text[len] = '\0';
        return len + 1;
    case 1:
        return chance(len + 1);
    case 2:
        return fill(text, len);
    case 3:
        len = chance(3000);
        for (size_t i = 0; i < len; i++)
            text[i] = chance(256);
        return len;
    default:
        if (len > 0)
            text[chance(len)] = chance(3) ? chance(256) : 0;
        return len;
    }
}

size_t make_text(TextKind kind, const Own *own, char *ret) {
    size_t len = makers[chance(8) ? kind : chance(N_TEXTS)](own, ret);

    return chance(4) ? len : damage(ret, len);
}
