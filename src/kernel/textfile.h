/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

/* Adds what is in a file to the parcel. -EFBIG: more than `most` bytes; -errno. Nobody has to write to a pipe for that;
 * but a disk is waited for. */
int mn_text_file_read(const char *path, guint most, MnParcel *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The same by the helper, with our rights, on behalf of user `uid`: what it reads is in the answer. */
int mn_text_file_ask(MnHelper *helper, uid_t uid, const char *path, guint most, MnAnswered answered, gpointer data,
                     MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;
