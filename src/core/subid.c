/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of subuid(5), by name or by number, and of passwd(5), which has the number of the name:
 *
 *   alice:100000:65536
 *   1001:165536:65536
 *
 *   alice:x:1000:1000:Alice,,,:/home/alice:/bin/sh */
#include "subid.h"

#include "core/number.h"

#include <stdlib.h>
#include <string.h>

typedef struct Range {
    uid_t first;
    uid_t last;
    uid_t user;
} Range;

struct MnSubids {
    GArray *ranges; /* of Range, by their first ids */
};

/* The field up to the next colon or the end of the line, and *at behind that. */
static gsize take_field(const char **at, const char **ret) {
    gsize len = strcspn(*at, ":\n");

    *ret = *at;
    *at += len + ((*at)[len] == ':');
    return len;
}

static gboolean parse_id(const char *field, gsize len, guint64 *ret) {
    const char *at = field;

    return len > 0 && mn_number_parse(&at, field + len, ret) == 0 && at == field + len && *ret < G_MAXUINT32;
}

static const char *next_line(const char *line) {
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* name -> uid + 1 */
static GHashTable *read_passwd(const char *passwd) {
    GHashTable *uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (const char *line = passwd; *line; line = next_line(line)) {
        const char *at = line, *name, *password, *number;
        gsize name_len = take_field(&at, &name), len;
        guint64 uid;

        take_field(&at, &password);
        len = take_field(&at, &number);
        if (name_len > 0 && parse_id(number, len, &uid))
            g_hash_table_insert(uids, g_strndup(name, name_len), GUINT_TO_POINTER(uid + 1));
    }
    return uids;
}

/* `uids` learns of a name that it does not have. */
static uid_t find_user(GHashTable *uids, const char *field, gsize len, guint64 first) {
    g_autofree char *name = g_strndup(field, len);
    guint64 uid;

    if (parse_id(field, len, &uid))
        return uid;
    uid = GPOINTER_TO_UINT(g_hash_table_lookup(uids, name));
    if (uid > 0)
        return uid - 1;
    g_hash_table_insert(uids, g_steal_pointer(&name), GUINT_TO_POINTER(first + 1));
    return first;
}

static gint compare(gconstpointer left, gconstpointer right) {
    const Range *a = left, *b = right;

    return a->first < b->first ? -1 : a->first > b->first;
}

MnSubids *mn_subids_new(const char *subuid, const char *passwd) {
    MnSubids *self = g_new0(MnSubids, 1);
    g_autoptr(GHashTable) uids = read_passwd(passwd);

    self->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    for (const char *line = subuid; *line; line = next_line(line)) {
        const char *at = line, *name, *field;
        gsize name_len = take_field(&at, &name), len = take_field(&at, &field);
        guint64 first, count;
        Range range;

        if (name_len == 0 || !parse_id(field, len, &first))
            continue;
        len = take_field(&at, &field);
        if (!parse_id(field, len, &count) || count == 0)
            continue;
        range = (Range){ .first = first, .last = MIN(first + count - 1, G_MAXUINT32 - 1) };
        range.user = find_user(uids, name, name_len, first);
        g_array_append_val(self->ranges, range);
    }
    g_array_sort(self->ranges, compare);
    return self;
}

void mn_subids_free(MnSubids *self) {
    if (!self)
        return;
    g_array_unref(self->ranges);
    g_free(self);
}

/* The range that the id is in, or NULL. */
static const Range *find_range(const MnSubids *self, uid_t uid) {
    guint low = 0, high = self->ranges->len;
    const Range *range;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(self->ranges, Range, middle).first <= uid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    range = &g_array_index(self->ranges, Range, low - 1);
    return uid <= range->last ? range : NULL;
}

uid_t mn_subids_find_user(const MnSubids *self, uid_t uid) {
    const Range *range = find_range(self, uid);

    return range ? range->user : uid;
}

uid_t mn_subids_find_first(const MnSubids *self, uid_t uid) {
    const Range *range = find_range(self, uid);

    return range ? range->first : uid;
}
