/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that the administrator has written. It may be on a disk that is slow, or on a server that has gone, so the main
 * loop lets the helper read it. */
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Followed by the path, with its NUL. */
typedef struct Question {
    guint32 most;
    char path[];
} Question;

static int read_all(int fd, guint most, MnParcel *ret) {
    char buffer[4096];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        mn_parcel_add(ret, buffer, (gsize)n);
        if (ret->bytes->len > most)
            return -EFBIG;
    }
    return n < 0 ? -errno : 0;
}

int mn_text_file_read(const char *path, guint most, MnParcel *ret) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

    if (fd < 0)
        return -errno;
    r = read_all(fd, most, ret);
    close(fd);
    return r;
}

static int run_read(MnParcel *question, MnParcel *answer) {
    const Question *asked = (const Question *)(void *)question->bytes->data;

    return mn_text_file_read(asked->path, asked->most, answer);
}

static const MnTask read_task = { .name = "read a file", .limit_ms = MN_HELPER_LIMIT_MS, .run = run_read };

int mn_text_file_ask(MnHelper *helper, uid_t uid, const char *path, guint most, MnAnswered answered, gpointer data,
                     MnHelperJob **ret) {
    gsize len = strlen(path) + 1;
    g_autofree Question *question = g_malloc(sizeof *question + len);

    question->most = most;
    memcpy(question->path, path, len);
    return mn_helper_ask(helper, &read_task, uid, question, sizeof *question + len, NULL, 0, answered, data, ret);
}
