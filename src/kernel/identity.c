/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at files as somebody else. Only that by which the kernel judges access to files is changed (fsuid, fsgid,
 * groups, capabilities): real, effective and saved user stay ours, so that the user can neither signal us nor trace us
 * meanwhile, however long it takes. */
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reads the effective capabilities, and with `wanted` puts these into their place. */
static int change_capabilities(const guint32 *wanted, guint32 *ret_before) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (guint i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        if (ret_before)
            ret_before[i] = data[i].effective;
        if (wanted)
            data[i].effective = wanted[i];
    }
    return wanted && syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static GArray *read_groups(void) {
    int n = getgroups(0, NULL);
    GArray *groups = g_array_new(FALSE, FALSE, sizeof(gid_t));

    g_array_set_size(groups, MAX(n, 0));
    n = getgroups(groups->len, (gid_t *)(void *)groups->data);
    g_array_set_size(groups, MAX(n, 0));
    return groups;
}

/* The calls return what was before, whether or not they have changed it. */
static gboolean set_file_user(uid_t uid, gid_t gid) {
    setfsgid(gid);
    setfsuid(uid);
    return setfsgid((gid_t)-1) == (int)gid && setfsuid((uid_t)-1) == (int)uid;
}

/* The capabilities come behind the user, whose change changes some, and before the groups, which need them. */
static gboolean go_back(const MnIdentity *self) {
    const GArray *groups = self->groups;

    return set_file_user(geteuid(), getegid()) && change_capabilities(self->effective, NULL) == 0 &&
           (groups->len == 0 || setgroups(groups->len, (const gid_t *)(void *)groups->data) == 0);
}

static gboolean go(MnIdentity *self, uid_t uid, gid_t gid) {
    static const guint32 none[G_N_ELEMENTS(self->effective)];

    if (change_capabilities(NULL, self->effective) < 0 || (self->groups->len > 0 && setgroups(0, NULL) < 0))
        return FALSE;
    self->is_taken = TRUE;
    return set_file_user(uid, gid) && change_capabilities(none, NULL) == 0;
}

int mn_identity_take(uid_t uid, gid_t gid, MnIdentity *ret) {
    MnIdentity self = { 0 };

    if (uid == (uid_t)-1 || gid == (gid_t)-1)
        return -EPERM;
    if (uid != 0 && uid != geteuid()) {
        self.groups = read_groups();
        if (!go(&self, uid, gid)) {
            mn_identity_return(&self);
            return -EPERM;
        }
    }
    *ret = self;
    return 0;
}

void mn_identity_return(MnIdentity *self) {
    if (self->is_taken && !go_back(self))
        _exit(1); /* rather than go on as somebody else */
    g_clear_pointer(&self->groups, g_array_unref);
    self->is_taken = FALSE;
}
