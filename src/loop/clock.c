/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only place that asks the kernel for the time. */
#include "clock.h"

static gint64 machine_now_us(const MnClock *self G_GNUC_UNUSED) {
    return g_get_monotonic_time();
}

static gint64 machine_wait_us(const MnClock *self G_GNUC_UNUSED, gint64 time_us) {
    return time_us - g_get_monotonic_time();
}

const MnClock mn_machine_clock = { machine_now_us, machine_wait_us };

static struct timespec ask(clockid_t id) {
    struct timespec now;

    clock_gettime(id, &now); /* cannot fail */
    return now;
}

struct timespec mn_date_now(void) {
    return ask(CLOCK_REALTIME);
}

gint64 mn_cpu_used_us(void) {
    struct timespec used = ask(CLOCK_PROCESS_CPUTIME_ID);

    return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

struct timespec mn_uptime_now(void) {
    return ask(CLOCK_BOOTTIME);
}
