/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* setuid_root: to be installed set-user-id. Becomes root in all respects, as su and sudo do, says its pid, and
 * repeats each line that it is told. */
#include "attacker.h"

int main(void) {
    char line[80];

    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        fail("setresuid");
    printf("%d\n", getpid());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        fputs(line, stdout);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
