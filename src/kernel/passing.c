/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One descriptor with a message, as unix(7) has it. */
#include "passing.h"

#include <errno.h>
#include <string.h>

int mn_pass(int socket, const struct sockaddr *address, socklen_t address_len, const char *text, gsize len, int fd) {
    union {
        char bytes[CMSG_SPACE(sizeof fd)];
        struct cmsghdr header;
    } control = { 0 };
    struct iovec bytes = { .iov_base = (char *)text, .iov_len = len };
    struct msghdr message = {
        .msg_name = (struct sockaddr *)address, .msg_namelen = address_len, .msg_iov = &bytes, .msg_iovlen = 1
    };

    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
