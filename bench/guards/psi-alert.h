/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* When psi-notify (1.3.1, without a configuration) tells its user that memory is short, for a program that wants to act
 * upon it by itself. */
typedef enum PsiState {
    PSI_INACTIVE,
    PSI_STABILISING, /* has been active, and has not been taken back */
    PSI_ACTIVE,
} PsiState;

typedef struct PsiAlert {
    int fd; /* a timer, readable when it is time for psi_alert_update(): at once, then every 5 s */
    int looks_left;
    PsiState state;
    char path[64];
} PsiAlert;

/* Watches what psi-notify watches as this user: the pressure of the user's slice if there is one, else the machine's.
 * 0 or -errno. */
int psi_alert_init(PsiAlert *self, uid_t uid);

void psi_alert_clear(PsiAlert *self);

/* Looks again, without waiting for anything but the file. Whether the alert has become active: now the user is told. It
 * is up as long as the state is not PSI_INACTIVE. -errno if the pressure cannot be read: then nothing has changed. */
int psi_alert_update(PsiAlert *self);
