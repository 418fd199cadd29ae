/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of cgroup.event_control, understood as the kernel (memcg v1) understands it, faults
 * included: clients were written against that parser and not against a description. */
#include "eventcontrol.h"

#include <errno.h>
#include <string.h>

const char *const mn_pressure_names[MN_N_PRESSURES] = {
    [MN_PRESSURE_LOW] = "low",
    [MN_PRESSURE_MEDIUM] = "medium",
    [MN_PRESSURE_CRITICAL] = "critical",
};

static const char *const mode_names[] = { "default", "hierarchy", "local" };

/* The decimal digits from *at on. A number too large for any descriptor stays too large. */
static guint64 take_number(const char **at, const char *end) {
    guint64 number = 0;

    for (; *at < end && g_ascii_isdigit(**at); (*at)++)
        number = number > G_MAXINT ? number : number * 10 + (**at - '0');
    return number;
}

/* g_ascii_isspace() lacks the vertical tab. */
static gboolean is_space(char c) {
    return g_ascii_isspace(c) || c == '\v';
}

int mn_event_control_parse(const char *text, gsize len, MnFault *fault, MnEventControl *ret) {
    const char *start = text, *end;
    MnEventControl parsed;

    if (len > MN_EVENT_CONTROL_TEXT_MAX)
        return -E2BIG;

    end = text + strnlen(text, len);
    while (text < end && is_space(end[-1]))
        end--;
    while (text < end && is_space(*text))
        text++;

    parsed.eventfd = take_number(&text, end);
    if (text == end || *text != ' ')
        return mn_fault_set(fault, (gsize)(text - start), "an eventfd and a file are needed, as in '5 7' or '5 7 50M'");
    text++;

    parsed.control = take_number(&text, end);
    if (text < end && *text != ' ')
        return mn_fault_set(fault, (gsize)(text - start), "the number of a file is needed here, and a blank behind it");
    if (text < end)
        text++;

    parsed.argument = text;
    parsed.argument_len = end - text;
    *ret = parsed;
    return 0;
}

static guint choose_base(const char **at, const char *end) {
    if (*at == end || **at != '0')
        return 10;
    if (end - *at > 2 && g_ascii_tolower((*at)[1]) == 'x' && g_ascii_isxdigit((*at)[2])) {
        *at += 2;
        return 16;
    }
    return 8;
}

guint64 mn_event_control_max_pages(guint page_bytes) {
    return G_MAXLONG / page_bytes;
}

int mn_event_control_parse_threshold(const char *argument, gsize len, guint page_bytes, guint64 *ret_pages) {
    static const char suffixes[] = "KMGTPE";
    const char *at = argument, *end = argument + len;
    const char *suffix;
    guint64 bytes = 0;
    guint base;

    if (len == 2 && memcmp(argument, "-1", 2) == 0) {
        *ret_pages = mn_event_control_max_pages(page_bytes);
        return 0;
    }

    base = choose_base(&at, end);
    for (; at < end && g_ascii_isxdigit(*at) && g_ascii_xdigit_value(*at) < (int)base; at++)
        bytes = bytes * base + g_ascii_xdigit_value(*at);

    suffix = at < end ? memchr(suffixes, g_ascii_toupper(*at), strlen(suffixes)) : NULL;
    if (suffix) {
        bytes <<= 10 * (suffix - suffixes + 1);
        at++;
    }
    if (at < end)
        return -EINVAL;

    *ret_pages = MIN(bytes / page_bytes, mn_event_control_max_pages(page_bytes));
    return 0;
}

static int find_word(const char *word, gsize len, const char *const *words, guint n) {
    for (guint i = 0; i < n; i++)
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            return i;
    return -EINVAL;
}

/* The length of the word that a comma or the end ends. */
static gsize word_len(const char *at, const char *end) {
    const char *comma = at < end ? memchr(at, ',', end - at) : NULL;

    return (comma ? comma : end) - at;
}

int mn_event_control_parse_pressure(const char *argument, gsize len, MnPressure *ret) {
    const char *end = argument + len;
    const char *mode;
    int level;

    level = find_word(argument, word_len(argument, end), mn_pressure_names, MN_N_PRESSURES);
    if (level < 0)
        return level;

    mode = argument + strlen(mn_pressure_names[level]);
    if (mode < end) {
        mode++; /* the comma */
        if (find_word(mode, word_len(mode, end), mode_names, G_N_ELEMENTS(mode_names)) < 0)
            return -EINVAL;
    }

    *ret = level;
    return 0;
}
