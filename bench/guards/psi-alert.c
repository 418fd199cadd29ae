/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule of psi-notify, from its manual page and the source of 1.3.1: every 5 s ("update 5") the average of 10 s is
 * compared ("threshold memory some avg10 10.00"). What is above is told, and is taken back at the second look (10 s) that
 * finds no more than 5.00. A PSI trigger would be another rule, and tell sooner. test-guards compares this with
 * psi-notify itself. */
#include "psi-alert.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define UPDATE_S 5
#define THRESHOLD 10.00
#define HYSTERESIS 5.00
#define EXPIRY_S 10

int psi_alert_init(PsiAlert *self, uid_t uid) {
    /* The first look at once: zero would never come. */
    struct itimerspec times = { .it_value.tv_nsec = 1, .it_interval.tv_sec = UPDATE_S };

    *self = (PsiAlert){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK) };
    if (self->fd < 0)
        return -errno;
    timerfd_settime(self->fd, 0, &times, NULL);
    snprintf(self->path, sizeof self->path, "/sys/fs/cgroup/user.slice/user-%u.slice/memory.pressure", (unsigned)uid);
    if (access(self->path, R_OK) < 0)
        strcpy(self->path, "/proc/pressure/memory");
    return 0;
}

void psi_alert_clear(PsiAlert *self) {
    close(self->fd);
}

/* "some avg10=0.12 avg60=…": the average, or -errno */
static double read_some_avg10(const char *path) {
    double avg10;
    FILE *pressure = fopen(path, "re");

    if (!pressure)
        return -errno;
    if (fscanf(pressure, "some avg10=%lf", &avg10) != 1)
        avg10 = -EIO;
    fclose(pressure);
    return avg10;
}

static PsiState next_state(PsiAlert *self, double avg10) {
    if (avg10 > THRESHOLD) {
        if (self->state != PSI_ACTIVE)
            self->looks_left = EXPIRY_S / UPDATE_S;
        return PSI_ACTIVE;
    }
    if (self->state == PSI_INACTIVE)
        return PSI_INACTIVE;
    return avg10 <= THRESHOLD - HYSTERESIS && --self->looks_left == 0 ? PSI_INACTIVE : PSI_STABILISING;
}

int psi_alert_update(PsiAlert *self) {
    PsiState before = self->state;
    double avg10 = read_some_avg10(self->path);
    uint64_t expirations;

    if (read(self->fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        return -errno;
    if (avg10 < 0)
        return (int)avg10;
    self->state = next_state(self, avg10);
    return self->state == PSI_ACTIVE && before != PSI_ACTIVE;
}
