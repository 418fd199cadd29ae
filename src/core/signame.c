/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "signal SIGUSR1" -> a signal number. */
#include "signame.h"

#include "core/number.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define TEXT_BYTES_MAX 63

typedef struct Name {
    const char *name;
    int number;
} Name;

#define NAME(name)                                                                                                     \
    { #name, SIG##name }

static const Name names[] = {
    NAME(HUP),    NAME(INT),    NAME(QUIT), NAME(ILL),   NAME(TRAP), NAME(ABRT), NAME(IOT),  NAME(BUS),
    NAME(FPE),    NAME(KILL),   NAME(USR1), NAME(SEGV),  NAME(USR2), NAME(PIPE), NAME(ALRM), NAME(TERM),
#ifdef SIGSTKFLT
    NAME(STKFLT),
#endif
    NAME(CHLD),   NAME(CONT),   NAME(STOP), NAME(TSTP),  NAME(TTIN), NAME(TTOU), NAME(URG),  NAME(XCPU),
    NAME(XFSZ),   NAME(VTALRM), NAME(PROF), NAME(WINCH), NAME(IO),   NAME(POLL), NAME(PWR),  NAME(SYS),
};

static int parse_number(const char *text, int *ret) {
    const char *end = text + strlen(text);
    guint64 number;

    if (mn_number_parse(&text, end, &number) < 0 || text < end || number > G_MAXINT)
        return -EINVAL;
    *ret = (int)number;
    return 0;
}

/* What follows RTMIN or RTMAX: nothing, or the sign and a number. */
static int parse_distance(const char *text, char sign, int *ret) {
    if (*text == '\0') {
        *ret = 0;
        return 0;
    }
    return *text == sign ? parse_number(text + 1, ret) : -EINVAL;
}

static int parse_name(const char *text, int *ret) {
    int distance = 0, r;

    if (g_ascii_strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(text, names[i].name) == 0) {
            *ret = names[i].number;
            return 0;
        }

    if (g_ascii_strncasecmp(text, "RTMIN", 5) == 0) {
        r = parse_distance(text + 5, '+', &distance);
        *ret = SIGRTMIN + MIN(distance, SIGRTMAX);
    } else if (g_ascii_strncasecmp(text, "RTMAX", 5) == 0) {
        r = parse_distance(text + 5, '-', &distance);
        *ret = SIGRTMAX - MIN(distance, SIGRTMAX);
    } else {
        return -EINVAL;
    }
    return r < 0 || *ret < SIGRTMIN || *ret > SIGRTMAX ? -EINVAL : 0;
}

/* Numbers between the ordinary and the real-time signals are the C library's. */
static int check_number(int number) {
    return (number >= 1 && number < 32) || (number >= SIGRTMIN && number <= SIGRTMAX) ? 0 : -EINVAL;
}

static int parse_word(const char *word, int *ret) {
    int number, r;

    if (strcmp(word, "off") == 0) {
        *ret = 0;
        return 0;
    }

    r = g_ascii_isdigit(*word) ? parse_number(word, &number) : parse_name(word, &number);
    if (r == 0)
        r = check_number(number);
    if (r == 0)
        *ret = number;
    return r;
}

int mn_signame_parse(const char *text, gsize len, int *ret) {
    static const char verb[] = "signal";
    char copy[TEXT_BYTES_MAX + 1];
    char *word;

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\0'))
        len--;
    if (len > TEXT_BYTES_MAX || memchr(text, '\0', len))
        return -EINVAL;
    memcpy(copy, text, len);
    copy[len] = '\0';

    word = g_strstrip(copy);
    if (!g_str_has_prefix(word, verb))
        return -EINVAL;
    word += strlen(verb);
    if (*word == '\0') {
        *ret = SIGIO;
        return 0;
    }
    if (*word != ' ' && *word != '\t')
        return -EINVAL;
    return parse_word(g_strchug(word), ret);
}
