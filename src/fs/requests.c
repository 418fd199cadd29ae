/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request that waits is charged to whoever makes it; one of usual length as one of a number, a longer one with its
 * bytes as well. It is looked at no further than its header, and by its number, since an interrupt says nothing but that.
 *
 * RELEASE and FORGET have no client who waits for them, and the kernel has few places for them, which all users share. */
#include "requests.h"

#include "core/turns.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <unistd.h>

/* As long as all are that carry no text. */
#define SHORT_BYTES 512

/* What interrupts a request. */
typedef struct Interrupt {
    struct fuse_in_header header;
    struct fuse_interrupt_in in;
} Interrupt;

typedef struct Request {
    MnTurn turn;
    MnAccount *account;
    Interrupt interrupt; /* all zero: none */
    gsize len;
    guint64 bytes[]; /* so that the header is aligned */
} Request;

struct MnRequests {
    MnQuota *quota;
    MnTurns turns;
    GHashTable *by_unique; /* the Request of a number, which is in it */
};

MnRequests *mn_requests_new(MnQuota *quota) {
    MnRequests *self = g_new0(MnRequests, 1);

    self->quota = quota;
    mn_turns_init(&self->turns);
    self->by_unique = g_hash_table_new(g_int64_hash, g_int64_equal);
    return self;
}

static struct fuse_in_header *header_of(Request *request) {
    return (struct fuse_in_header *)request->bytes;
}

static Request *first_of(const MnRequests *self) {
    MnTurn *turn = mn_turns_first(&self->turns);

    return turn ? (Request *)(void *)((char *)turn - G_STRUCT_OFFSET(Request, turn)) : NULL;
}

static guint64 charged_bytes(gsize len) {
    return len > SHORT_BYTES ? len : 0;
}

static void refund(MnAccount *account, gsize len) {
    mn_account_refund(account, MN_RESOURCE_BYTES, charged_bytes(len));
    mn_account_refund(account, MN_RESOURCE_REQUESTS, 1);
    mn_account_give_back(account);
}

/* It is the caller's then, and nobody's account holds it. */
static void take_out(MnRequests *self, Request *request) {
    g_hash_table_remove(self->by_unique, &header_of(request)->unique);
    refund(request->account, request->len);
}

void mn_requests_free(MnRequests *self) {
    Request *request;

    if (!self)
        return;
    while ((request = first_of(self))) {
        mn_turns_drop(&self->turns, &request->turn);
        take_out(self, request);
        g_free(request);
    }
    mn_turns_clear(&self->turns);
    g_hash_table_unref(self->by_unique);
    g_free(self);
}

static Request *find_interrupted(const MnRequests *self, gconstpointer request) {
    const Interrupt *interrupt = request;

    return g_hash_table_lookup(self->by_unique, &interrupt->in.unique);
}

gboolean mn_requests_is_urgent(const MnRequests *self, gconstpointer request) {
    const struct fuse_in_header *header = request;

    switch (header->opcode) {
    case FUSE_INTERRUPT:
        return find_interrupted(self, request) == NULL;
    case FUSE_INIT:
    case FUSE_DESTROY:
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
        return TRUE;
    default:
        return FALSE;
    }
}

static int charge(MnRequests *self, uid_t uid, gsize len, MnAccount **ret) {
    g_autoptr(MnAccount) account = mn_quota_get_account(self->quota, uid);
    int r;

    r = mn_account_charge(account, MN_RESOURCE_REQUESTS, 1);
    if (r < 0)
        return r;
    r = mn_account_charge(account, MN_RESOURCE_BYTES, charged_bytes(len));
    if (r < 0) {
        mn_account_refund(account, MN_RESOURCE_REQUESTS, 1);
        return r;
    }
    *ret = g_steal_pointer(&account);
    return 0;
}

int mn_requests_put(MnRequests *self, gconstpointer request, gsize len) {
    const struct fuse_in_header *header = request;
    MnAccount *account;
    Request *copy;
    int r;

    if (header->opcode == FUSE_INTERRUPT) {
        find_interrupted(self, request)->interrupt = *(const Interrupt *)request;
        return 0;
    }
    r = charge(self, header->uid, len, &account);
    if (r < 0)
        return r;

    copy = g_malloc(sizeof *copy + len);
    *copy = (Request){ .account = account, .len = len };
    memcpy(copy->bytes, request, len);
    copy->turn = (MnTurn){ .uid = mn_account_get_uid(account), .is_free = TRUE }; /* no share of time applies */
    mn_turns_add(&self->turns, &copy->turn, 0);
    g_hash_table_insert(self->by_unique, &header_of(copy)->unique, copy);
    return 0;
}

gboolean mn_requests_are_waiting(const MnRequests *self) {
    return first_of(self) != NULL;
}

gboolean mn_requests_serve_next(MnRequests *self, void (*serve)(gpointer data, gpointer request, gsize len),
                                gpointer data) {
    g_autofree Request *request = first_of(self);

    if (!request)
        return FALSE;
    mn_turns_begin(&self->turns, &request->turn);
    take_out(self, request);
    serve(data, request->bytes, request->len);
    if (request->interrupt.header.opcode == FUSE_INTERRUPT)
        serve(data, &request->interrupt, sizeof request->interrupt);
    mn_turns_end(&self->turns, &request->turn, 0, 0);
    return TRUE;
}

void mn_request_refuse(gconstpointer request, int fd, int error) {
    const struct fuse_in_header *header = request;
    struct fuse_out_header answer = { .len = sizeof answer, .error = error, .unique = header->unique };

    if (write(fd, &answer, sizeof answer) < 0)
        g_debug("a request that is refused was given up: %s", g_strerror(errno));
}
