/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's claim, as the helper checks it. */
#include "claim.h"

#include "kernel/client.h"
#include "kernel/process.h"

#include <errno.h>

/* The eventfd, then the control. */
static int look_at_claim(const MnClaim *claim, MnClaimed *ret) {
    MnDescriptor eventfd, control;
    dev_t device;
    int r;

    r = mn_client_find_process(claim->tid, claim->uid, &ret->pid);
    if (r == 0)
        r = mn_client_look(ret->pid, claim->eventfd, &eventfd);
    if (r < 0)
        return r;
    if (eventfd.is_path || !eventfd.is_eventfd)
        return eventfd.is_path ? -EBADF : -EINVAL;
    ret->eventfd_id = eventfd.eventfd_id;

    r = mn_client_look(ret->pid, claim->control, &control);
    if (r < 0)
        return r;
    if (control.is_path || !control.is_file)
        return control.is_path ? -EBADF : -EINVAL;
    r = mn_client_find_file(ret->pid, claim->control, &device, &ret->ino);
    return r < 0 ? r : device == claim->device ? 0 : -EINVAL;
}

/* The process may have executed a program of another user's since it has asked. */
static int take_claim(const MnClaim *claim, const MnClaimed *claimed, MnParcel *answer) {
    int pidfd, eventfd, r;
    pid_t pid;

    r = mn_process_open(claimed->pid, &pidfd);
    if (r < 0)
        return r;
    mn_parcel_add_fd(answer, pidfd);
    r = mn_client_take_eventfd(pidfd, claim->eventfd, claimed->eventfd_id, &eventfd);
    if (r < 0)
        return r;
    mn_parcel_add_fd(answer, eventfd);
    return mn_client_find_process(claim->tid, claim->uid, &pid);
}

static int run_claim(MnParcel *question, MnParcel *answer) {
    const MnClaim *claim = (const MnClaim *)(void *)question->bytes->data;
    MnClaimed claimed = { 0 };
    int r;

    r = look_at_claim(claim, &claimed);
    if (r < 0)
        return r;
    claimed.taken = take_claim(claim, &claimed, answer);
    mn_parcel_add(answer, &claimed, sizeof claimed);
    return 0;
}

static const MnTask claim_task = { .name = "take over an eventfd", .limit_ms = MN_HELPER_LIMIT_MS, .run = run_claim };

int mn_claim_ask(const MnClaim *self, MnHelper *helper, MnAnswered answered, gpointer data) {
    MnHelperJob *job;

    return mn_helper_ask(helper, &claim_task, self->uid, self, sizeof *self, NULL, 0, answered, data, &job);
}

const MnClaimed *mn_claim_get_claimed(const MnParcel *answer) {
    return (const MnClaimed *)(void *)answer->bytes->data;
}
