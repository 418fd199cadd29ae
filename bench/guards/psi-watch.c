/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* psi-watch UID: says when psi-notify would tell this user that memory is short ("active"), and when it takes that back
 * ("inactive"), a line each. */
#include "fatal.h"
#include "psi-alert.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    PsiAlert alert;

    if (argc != 2) {
        fprintf(stderr, "usage: psi-watch UID\n");
        return 2;
    }
    if (psi_alert_init(&alert, (uid_t)atol(argv[1])) < 0)
        fatal("no timer");
    setlinebuf(stdout);
    printf("watching %s\n", alert.path);
    for (struct pollfd waiter = { .fd = alert.fd, .events = POLLIN }; poll(&waiter, 1, -1) == 1;) {
        PsiState before = alert.state;
        int told = psi_alert_update(&alert);

        if (told < 0)
            fatal("cannot read '%s'", alert.path);
        if (told)
            puts("active");
        if (alert.state == PSI_INACTIVE && before != PSI_INACTIVE)
            puts("inactive");
    }
    fatal("cannot wait");
}
