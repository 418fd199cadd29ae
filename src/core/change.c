/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A change is: how many numbers are other ones, and for each of them
 *
 *     2 * (how many before it stay the same) + (whether the layout is another than is to be expected)
 *     what was added to it, modulo 2^64, as a number whose lowest bit is the sign
 *     where the layout is another: how many blanks, how many digits
 *
 * To be expected are as many blanks as before, and as many digits as the number has, or as before where there were zeros
 * in front. */
#include "change.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

#define DIGITS_MAX 19
#define BLANKS_MAX 255

void mn_form_init(MnForm *self) {
    self->text = g_string_new(NULL);
    self->numbers = g_array_new(FALSE, FALSE, sizeof(MnFormNumber));
    self->next_text = g_string_new(NULL);
    self->next_numbers = g_array_new(FALSE, FALSE, sizeof(MnFormNumber));
}

void mn_form_clear(MnForm *self) {
    g_string_free(self->text, TRUE);
    g_array_free(self->numbers, TRUE);
    g_string_free(self->next_text, TRUE);
    g_array_free(self->next_numbers, TRUE);
    *self = (MnForm){ 0 };
}

/* --- numbers in texts --- */

/* The next number from *at on, which then is behind it. FALSE, and *at is the end, when there is none. */
static gboolean next_number(const char *text, gsize len, gsize *at, MnFormNumber *ret) {
    gsize i = *at, blanks;

    while (i < len && !g_ascii_isdigit(text[i]))
        i++;
    blanks = i;
    while (blanks > *at && text[blanks - 1] == ' ' && i - blanks < BLANKS_MAX)
        blanks--;
    *ret = (MnFormNumber){ .start = blanks, .n_blanks = (guint8)(i - blanks) };
    while (i < len && g_ascii_isdigit(text[i]) && ret->n_digits < DIGITS_MAX) {
        ret->value = 10 * ret->value + (guint64)(text[i++] - '0');
        ret->n_digits++;
    }
    *at = i;
    return ret->n_digits > 0;
}

static gsize end_of(const MnFormNumber *number) {
    return number->start + number->n_blanks + number->n_digits;
}

static guint natural_digits(guint64 value) {
    guint n = 1;

    for (; value >= 10; value /= 10)
        n++;
    return n;
}

/* The layout that is to be expected of a number that was `before`. */
static MnFormNumber expect(const MnFormNumber *before, guint64 value) {
    guint n_digits = natural_digits(value);

    if (before->n_digits > natural_digits(before->value))
        n_digits = MAX(n_digits, before->n_digits);
    return (MnFormNumber){ .value = value, .n_blanks = before->n_blanks, .n_digits = (guint8)n_digits };
}

static gboolean is_laid_out_as(const MnFormNumber *one, const MnFormNumber *other) {
    return one->n_blanks == other->n_blanks && one->n_digits == other->n_digits;
}

/* --- numbers in bytes --- */

void mn_varint_put(GByteArray *bytes, guint64 number) {
    guint8 buffer[10];
    guint n = 0;

    do {
        buffer[n] = (guint8)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        number >>= 7;
    } while (buffer[n++] & 0x80);
    g_byte_array_append(bytes, buffer, n);
}

int mn_varint_take(const guint8 **at, const guint8 *end, guint64 *ret) {
    guint64 number = 0;
    const guint8 *byte = *at;

    for (guint shift = 0; byte < end && shift < 64; shift += 7, byte++) {
        if (shift == 63 && *byte > 1)
            return -EBADMSG;
        number |= (guint64)(*byte & 0x7f) << shift;
        if (!(*byte & 0x80)) {
            *at = byte + 1;
            *ret = number;
            return 0;
        }
    }
    return -EBADMSG;
}

static guint64 zigzag(guint64 difference) {
    return difference << 1 ^ (difference >> 63 ? G_MAXUINT64 : 0);
}

static guint64 unzigzag(guint64 number) {
    return number >> 1 ^ (number & 1 ? G_MAXUINT64 : 0);
}

static void put_number(GByteArray *change, guint64 n_same, const MnFormNumber *before, const MnFormNumber *now) {
    MnFormNumber expected = expect(before, now->value);
    gboolean is_other = !is_laid_out_as(&expected, now);

    mn_varint_put(change, 2 * n_same + (is_other ? 1 : 0));
    mn_varint_put(change, zigzag(now->value - before->value));
    if (is_other) {
        g_byte_array_append(change, &now->n_blanks, 1);
        g_byte_array_append(change, &now->n_digits, 1);
    }
}

/* -EBADMSG. */
static int take_number(const guint8 **at, const guint8 *end, const MnFormNumber *before, gboolean is_other,
                       MnFormNumber *ret) {
    guint64 difference;
    int r;

    r = mn_varint_take(at, end, &difference);
    if (r < 0)
        return r;
    *ret = expect(before, before->value + unzigzag(difference));
    if (is_other) {
        if (end - *at < 2)
            return -EBADMSG;
        ret->n_blanks = *(*at)++;
        ret->n_digits = *(*at)++;
    }
    return ret->n_digits <= DIGITS_MAX && ret->n_digits >= natural_digits(ret->value) ? 0 : -EBADMSG;
}

/* --- changes --- */

static void take_next(MnForm *self) {
    GString *text = self->text;
    GArray *numbers = self->numbers;

    self->text = self->next_text;
    self->numbers = self->next_numbers;
    self->next_text = text;
    self->next_numbers = numbers;
}

/* Whether what is between the numbers is the same, and they are as many: those of `text` are the next ones then. */
static gboolean find_next(MnForm *self, const char *text, gsize len) {
    const char *words = self->text->str;
    gsize at = 0, words_at = 0;
    MnFormNumber number;

    g_array_set_size(self->next_numbers, 0);
    for (guint i = 0; i < self->numbers->len; i++) {
        const MnFormNumber *before = &g_array_index(self->numbers, MnFormNumber, i);
        gsize from = at;

        if (!next_number(text, len, &at, &number) || number.start - from != before->start - words_at ||
            memcmp(text + from, words + words_at, number.start - from) != 0)
            return FALSE;
        g_array_append_val(self->next_numbers, number);
        words_at = end_of(before);
    }
    return len - at == self->text->len - words_at && memcmp(text + at, words + words_at, len - at) == 0;
}

static gboolean is_same(const MnFormNumber *one, const MnFormNumber *other) {
    return one->value == other->value && is_laid_out_as(one, other);
}

static guint count_changed(const MnForm *self) {
    guint n = 0;

    for (guint i = 0; i < self->numbers->len; i++)
        if (!is_same(&g_array_index(self->numbers, MnFormNumber, i),
                     &g_array_index(self->next_numbers, MnFormNumber, i)))
            n++;
    return n;
}

gboolean mn_form_change(MnForm *self, const char *text, gsize len, GByteArray *change) {
    guint64 n_same = 0;

    if (!find_next(self, text, len))
        return FALSE;

    mn_varint_put(change, count_changed(self));
    for (guint i = 0; i < self->numbers->len; i++) {
        const MnFormNumber *before = &g_array_index(self->numbers, MnFormNumber, i);
        const MnFormNumber *now = &g_array_index(self->next_numbers, MnFormNumber, i);

        if (is_same(before, now)) {
            n_same++;
        } else {
            put_number(change, n_same, before, now);
            n_same = 0;
        }
    }
    g_string_truncate(self->next_text, 0);
    g_string_append_len(self->next_text, text, (gssize)len);
    take_next(self);
    return TRUE;
}

static void print_number(GString *text, const MnFormNumber *number) {
    char digits[MN_NUMBER_DIGITS_MAX];
    char *end = mn_number_put(digits, number->value, number->n_digits);

    for (guint i = 0; i < number->n_blanks; i++)
        g_string_append_c(text, ' ');
    g_string_append_len(text, digits, end - digits);
}

/* Appends what is between the end of the number before and the number `i`, or the end of all. */
static void print_words(const MnForm *self, guint i) {
    gsize from = i > 0 ? end_of(&g_array_index(self->numbers, MnFormNumber, i - 1)) : 0;
    gsize to = i < self->numbers->len ? g_array_index(self->numbers, MnFormNumber, i).start : self->text->len;

    g_string_append_len(self->next_text, self->text->str + from, (gssize)(to - from));
}

/* Prints the numbers from *i on up to `until` as they are. */
static void print_same(MnForm *self, guint *i, guint until) {
    for (; *i < until; (*i)++) {
        print_words(self, *i);
        print_number(self->next_text, &g_array_index(self->numbers, MnFormNumber, *i));
    }
}

/* -EBADMSG. */
static int print_next(MnForm *self, const guint8 *at, const guint8 *end) {
    guint64 n, skip;
    guint i = 0;
    int r;

    g_string_truncate(self->next_text, 0);
    r = mn_varint_take(&at, end, &n);
    for (; r == 0 && n > 0; n--) {
        MnFormNumber number;

        r = mn_varint_take(&at, end, &skip);
        if (r < 0 || skip / 2 >= self->numbers->len - i)
            return -EBADMSG;
        print_same(self, &i, i + (guint)(skip / 2));
        r = take_number(&at, end, &g_array_index(self->numbers, MnFormNumber, i), skip & 1, &number);
        if (r < 0)
            return r;
        print_words(self, i++);
        print_number(self->next_text, &number);
    }
    print_same(self, &i, self->numbers->len);
    print_words(self, i);
    return r < 0 || at != end ? -EBADMSG : 0;
}

static void find_numbers(const GString *text, GArray *numbers) {
    MnFormNumber number;
    gsize at = 0;

    g_array_set_size(numbers, 0);
    while (next_number(text->str, text->len, &at, &number))
        g_array_append_val(numbers, number);
}

int mn_form_apply(MnForm *self, const guint8 *change, gsize len) {
    int r;

    r = print_next(self, change, change + len);
    if (r < 0)
        return r;
    find_numbers(self->next_text, self->next_numbers);
    take_next(self);
    return 0;
}

void mn_form_set(MnForm *self, const char *text, gsize len) {
    g_string_truncate(self->next_text, 0);
    g_string_append_len(self->next_text, text, (gssize)len);
    find_numbers(self->next_text, self->next_numbers);
    take_next(self);
}
