/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Many eventfds, and those who are to signal them. */
typedef struct Eventfds {
    int *fds;
    int n;
    const char *mount;   /* of memnotifyfs --simulate, with its socket beside it */
    char *const *groups; /* memory cgroups (v1), each but the last below the next */
    int n_groups;
    int signaller_cpu; /* the daemon's; for other signallers to be on the same */
} Eventfds;

/* One way to signal them all at once. Each is used in a process of its own and keeps its state to
 * itself. */
typedef struct Crosser {
    const char *name;
    void (*start)(const Eventfds *all);     /* there are no eventfds yet; may be NULL */
    int (*make)(void);                      /* makes one; NULL: it is a plain one */
    void (*introduce)(const Eventfds *all); /* now there are: who is to signal them learns of them; may be NULL */
    void (*cross)(void);                    /* has them signalled, before it returns or after */
    void (*give_back)(const Eventfds *all); /* closes them; NULL: the end of the process is enough */
} Crosser;

/* A write to simulate crosses thresholds that are registered in memcg/. */
extern const Crosser crosser_ours;

/* Or limits of eventfds that the socket gives. */
extern const Crosser crosser_socket;

/* Another process writes to each. */
extern const Crosser crosser_writes;

/* Memory of another process crosses the kernel's own thresholds. */
extern const Crosser crosser_kernel;
