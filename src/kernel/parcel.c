/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A parcel travels as one or more messages, since one has room for 253 descriptors (SCM_MAX_FD), and as many
 * bytes as the socket's buffer. */
#include "parcel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES_IN_ONE 32768
#define FDS_IN_ONE 250

typedef struct Header {
    gint64 word;
    gboolean is_last;
} Header;

typedef union Control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(FDS_IN_ONE * sizeof(int))];
} Control;

void mn_parcel_init(MnParcel *self) {
    *self = (MnParcel){ .bytes = g_byte_array_new(), .fds = g_array_new(FALSE, FALSE, sizeof(int)) };
}

void mn_parcel_clear(MnParcel *self) {
    for (guint i = 0; self->fds && i < self->fds->len; i++) {
        int fd = mn_parcel_steal_fd(self, i);

        if (fd >= 0)
            close(fd);
    }
    g_clear_pointer(&self->bytes, g_byte_array_unref);
    g_clear_pointer(&self->fds, g_array_unref);
}

void mn_parcel_add(MnParcel *self, gconstpointer bytes, gsize len) {
    g_byte_array_append(self->bytes, bytes, len);
}

void mn_parcel_add_fd(MnParcel *self, int fd) {
    g_array_append_val(self->fds, fd);
}

int mn_parcel_get_fd(const MnParcel *self, guint place) {
    return place < self->fds->len ? g_array_index(self->fds, int, place) : -1;
}

int mn_parcel_steal_fd(MnParcel *self, guint place) {
    int fd = mn_parcel_get_fd(self, place);

    if (fd >= 0)
        g_array_index(self->fds, int, place) = -1;
    return fd;
}

static int send_one(int socket, struct iovec pieces[2], const int *fds, guint n_fds, int flags) {
    Control control;
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
    gssize n;

    if (n_fds > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    do
        n = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int mn_parcel_send(int socket, gint64 word, gconstpointer bytes, gsize len, const int *fds, guint n_fds, int flags) {
    gsize len_sent = 0;
    guint n_sent = 0;
    Header header;

    do {
        gsize piece = MIN(len - len_sent, BYTES_IN_ONE);
        guint n = MIN(n_fds - n_sent, FDS_IN_ONE);
        struct iovec pieces[2] = { { &header, sizeof header }, { (char *)bytes + len_sent, piece } };
        int r;

        header = (Header){ word, len_sent + piece == len && n_sent + n == n_fds };
        r = send_one(socket, pieces, fds + n_sent, n, flags);
        if (r < 0)
            return r;
        len_sent += piece;
        n_sent += n;
    } while (!header.is_last);
    return 0;
}

static void add_fds(MnParcel *self, struct msghdr *message) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            g_array_append_vals(self->fds, CMSG_DATA(header), (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    self->is_cut = self->is_cut || (message->msg_flags & MSG_CTRUNC);
}

int mn_parcel_receive(MnParcel *self, int socket, int flags, gint64 *ret_word) {
    char bytes[BYTES_IN_ONE];
    Header header;
    Control control;
    struct iovec pieces[2] = { { &header, sizeof header }, { bytes, sizeof bytes } };
    struct msghdr message = {
        .msg_iov = pieces, .msg_iovlen = 2, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
    };
    gssize n;

    do
        n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < (gssize)sizeof header)
        return n < 0 ? -errno : -EPIPE;

    add_fds(self, &message);
    g_byte_array_append(self->bytes, (const guint8 *)bytes, n - sizeof header);
    *ret_word = header.word;
    return header.is_last;
}
