/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include "patience.h"
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel refuses to connect to what is no socket as it does where a server has ended. */
static gboolean is_no_socket(const char *path) {
    struct stat st;

    return path && stat(path, &st) == 0 && !S_ISSOCK(st.st_mode) && !S_ISDIR(st.st_mode);
}

char *cmd_client_explain(const char *place, int r) {
    const char *named = place ? place : g_getenv(MEMNOTIFYFS_ENVIRONMENT);
    g_autofree char *where = named && *named ? g_strdup_printf("at '%s'", named) : g_strdup("here");

    if (r == -ECONNREFUSED && is_no_socket(named))
        r = -ENOENT;
    switch (r) {
    case -ENOENT:
    case -ENOTDIR:
        return g_strdup_printf("there is no memnotifyfs %s; 'memnotify serve' starts one", where);
    case -ENOTCONN:
    case -ECONNABORTED:
    case -ECONNREFUSED:
        return g_strdup_printf("memnotifyfs %s has ended; 'memnotify serve' starts it again", where);
    case -EACCES:
    case -EPERM:
        return g_strdup_printf("memnotifyfs %s may not be used by this user; 'memnotify serve' starts one of your own",
                               where);
    case -EPROTO:
        return g_strdup_printf("what is %s is not memnotifyfs", where);
    case -EDQUOT:
        return g_strdup_printf(
            "memnotifyfs %s: this user has too many files or limits there; see 'users' in memnotifyfs(5)", where);
    case -ENODEV:
        return g_strdup_printf("the control group whose memory is shown %s has been removed", where);
    case -ETIMEDOUT:
        return g_strdup_printf("memnotifyfs %s does not answer; 'memnotify status --why' tells more", where);
    default:
        return g_strdup_printf("cannot use memnotifyfs %s: %s; see 'memnotify status --why'", where, g_strerror(-r));
    }
}

int cmd_client_fail_open(const char *place, int r) {
    g_autofree char *why = cmd_client_explain(place, r);

    return cmd_fail("%s", why);
}

static int refuse_limits(const memnotifyfs *client, const char *limits) {
    MnFault fault = { 0 };
    unsigned column;
    const char *why = memnotifyfs_get_error(client, &column);

    if (column > 0) {
        fault.at = column - 1;
        g_strlcpy(fault.reason, why, sizeof fault.reason);
        return cmd_misuse_text("limits", limits, &fault);
    }
    return cmd_misuse("limits not understood: %s", *why ? why : "see memnotifyfs(5)");
}

int cmd_client_open(const CmdOptions *options, const char *limits, memnotifyfs **ret) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new(options->place);
    g_autoptr(memnotifyfs) client = NULL;
    int r;

    if (limits[strspn(limits, " \t\n")] == '\0') /* which would be waited for in vain */
        return cmd_misuse("there are no limits in '%s'; 'available<10%%' is one", limits);

    r = memnotifyfs_open(options->place, &client);
    if (r == 0)
        r = memnotifyfs_set_limits(client, limits);
    if (client && r == -EINVAL)
        return refuse_limits(client, limits);
    if (r < 0)
        return cmd_client_fail_open(options->place, r);

    *ret = g_steal_pointer(&client);
    return CMD_OK;
}

gboolean cmd_client_is_away(memnotifyfs *client) {
    uint64_t pages;
    int r = memnotifyfs_get_meter(client, "total", &pages);

    return r == -ENOTCONN || r == -ETIMEDOUT;
}

int cmd_client_fail_away(void) {
    return cmd_fail("memnotifyfs has ended; 'memnotify serve' starts it again");
}
