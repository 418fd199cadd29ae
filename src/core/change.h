/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A text whose numbers change while its words stay, as the kernel's do, and what has changed from one to the next in few
 * bytes. A number is 1 to 19 digits, with the blanks before it. */
typedef struct MnForm {
    GString *text;
    GArray *numbers;    /* MnFormNumber */
    GString *next_text; /* and what it becomes, while it does */
    GArray *next_numbers;
} MnForm;

typedef struct MnFormNumber {
    gsize start; /* of its blanks, in the text */
    guint64 value;
    guint8 n_blanks;
    guint8 n_digits; /* more than the value has, where there are zeros in front */
} MnFormNumber;

void mn_form_init(MnForm *self);
void mn_form_clear(MnForm *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnForm, mn_form_clear)

/* Takes a text as it is. */
void mn_form_set(MnForm *self, const char *text, gsize len);

/* Appends to `change` what makes `text` of the present one, and takes it. FALSE, and nothing is done, when more than
 * numbers has changed. Allocates only when a text has more bytes or numbers than any before. */
gboolean mn_form_change(MnForm *self, const char *text, gsize len, GByteArray *change);

/* Takes the text that a change makes of the present one. -EBADMSG, and nothing is done, for what is no change of it. */
int mn_form_apply(MnForm *self, const guint8 *change, gsize len) G_GNUC_WARN_UNUSED_RESULT;

/* A number of up to 64 bits in 7 bits a byte, the lowest first: LEB128. */
void mn_varint_put(GByteArray *bytes, guint64 number);

/* Reads one at *at, up to `end`, and moves *at behind it. -EBADMSG, with nothing changed, for one that is cut or has more than
 * 64 bits. */
int mn_varint_take(const guint8 **at, const guint8 *end, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
