/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line that says why something was not done. */
#include "refusal.h"

#include <errno.h>

static const char *name_of_error(int error) {
    static const struct {
        int error;
        const char *name;
    } names[] = {
        { EINVAL, "EINVAL" },         { EDQUOT, "EDQUOT" }, { ENFILE, "ENFILE" },
        { ENODEV, "ENODEV" },         { EPROTO, "EPROTO" }, { EMFILE, "EMFILE" },
        { EOPNOTSUPP, "EOPNOTSUPP" }, { ENOMEM, "ENOMEM" }, { EAGAIN, "EAGAIN" },
        { ENOSYS, "ENOSYS" },         { EPERM, "EPERM" },   { EACCES, "EACCES" },
        { ENOSPC, "ENOSPC" },         { ENOENT, "ENOENT" }, { ETOOMANYREFS, "ETOOMANYREFS" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].error == error)
            return names[i].name;
    return "EIO";
}

static const char *reason_of_error(int error) {
    switch (error) {
    case EDQUOT:
        return "it is more than one user may have";
    case ENFILE:
    case EMFILE:
        return "the server has no room for more";
    case ENODEV:
        return "the group whose memory is shown is removed";
    default:
        return g_strerror(error);
    }
}

void mn_refusal_send(MnWire *wire, int r, const MnFault *fault, gsize argument_at) {
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "error %s: ", name_of_error(-r));
    if (fault && fault->reason[0])
        g_string_append_printf(text, "column %zu: %s\n", argument_at + fault->at + 1, fault->reason);
    else
        g_string_append_printf(text, "%s\n", reason_of_error(-r));
    mn_wire_send(wire, text->str, text->len);
}
