/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came from anywhere: bytes of a file, and the same as what is in a frame, which the checksum of frames hides from
 * who changes bytes. */
#include "script/kind.h"
#include "target.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#define MOMENTS_MAX 2000

static void play(MnScript *script) {
    gint64 last_us = 0, next_us;

    for (guint i = 0; i < MOMENTS_MAX && mn_script_peek(script, &next_us); i++) {
        g_assert_cmpint(next_us, >=, last_us);
        last_us = next_us;
        if (mn_script_next(script) < 0)
            break;
        g_assert_cmpuint(mn_script_get_n_texts(script), <=, MN_SCRIPT_TEXTS_MAX);
        for (guint j = 0; j < mn_script_get_n_texts(script); j++) {
            const MnScriptText *text = mn_script_get_text(script, j);

            g_assert_true(!text->text || (text->len <= MN_SCRIPT_TEXT_BYTES_MAX && text->text[text->len] == '\0'));
        }
    }
}

static void open_bytes(const void *bytes, gsize len) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MnScript *script = NULL;

    g_assert_cmpint(write(fd, bytes, len), ==, (gssize)len);
    if (!mn_recording_open(fd, "x", &script, NULL))
        return;
    play(script);
    mn_script_free(script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gsize room = ZSTD_compressBound(size), len;
    g_autofree guint8 *frame = g_malloc(room);

    open_bytes(data, size);
    len = ZSTD_compress(frame, room, data, size, 1);
    g_assert_false(ZSTD_isError(len));
    open_bytes(frame, len);
    return 0;
}
