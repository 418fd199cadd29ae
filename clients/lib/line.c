/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "line.h"

#include "scan.h"

#include <errno.h>
#include <string.h>

/* "123421 617103" */
static int parse_values(const char *at, struct memnotifyfs_event *event) {
    if (scan_number(&at, &event->value_pages) < 0 || !scan_text(&at, " "))
        return -EINVAL;
    return scan_number(&at, &event->limit_pages);
}

/* "123421 617103" after "reached" or "left"; `kind` says which it was. */
static int parse_crossing(const char *at, uint32_t kind, struct memnotifyfs_event *event) {
    event->kind = kind;
    return parse_values(at, event);
}

static int parse_what(const char *at, struct memnotifyfs_event *event) {
    if (scan_text(&at, "reached "))
        return parse_crossing(at, MEMNOTIFYFS_REACHED, event);
    if (scan_text(&at, "left "))
        return parse_crossing(at, MEMNOTIFYFS_LEFT, event);
    if (scan_text(&at, "changed "))
        return parse_crossing(at, MEMNOTIFYFS_TOTAL_CHANGED, event);
    if (scan_text(&at, "lost ")) {
        event->kind = MEMNOTIFYFS_LOST;
        return scan_number(&at, &event->count);
    }
    if (scan_text(&at, "removed"))
        event->kind = MEMNOTIFYFS_REMOVED;
    else if (scan_text(&at, "returned"))
        event->kind = MEMNOTIFYFS_RETURNED;
    else if (scan_text(&at, "last_call"))
        event->kind = MEMNOTIFYFS_LAST_CALL;
    return event->kind && (*at == '\0' || *at == ' ') ? 0 : -EINVAL;
}

int line_parse_event(const char *line, struct memnotifyfs_event *ret) {
    struct memnotifyfs_event event = { 0 };
    char threshold[MEMNOTIFYFS_NAME_MAX + 1];

    if (scan_seconds(&line, &event.time_us) < 0 || !scan_text(&line, " ") ||
        scan_word(&line, threshold, sizeof threshold) < 0 || scan_word(&line, event.meter, sizeof event.meter) < 0 ||
        parse_what(line, &event) < 0)
        return -EINVAL;
    if (strcmp(event.meter, "-") == 0)
        event.meter[0] = '\0';

    *ret = event;
    return 0;
}

int line_parse_meter(const char *line, struct line_meter *ret) {
    struct line_meter meter = { 0 };

    if (scan_word(&line, meter.name, sizeof meter.name) < 0 || scan_number(&line, &meter.pages) < 0)
        return -EINVAL;
    meter.is_reached = scan_text(&line, " reached ");
    meter.has_limit = meter.is_reached || scan_text(&line, " limit ");
    if (meter.has_limit && scan_number(&line, &meter.limit_pages) < 0)
        return -EINVAL;

    *ret = meter;
    return 0;
}

static const struct {
    const char *name;
    int number;
} errors[] = {
    { "EACCES", EACCES }, { "EAGAIN", EAGAIN }, { "EBUSY", EBUSY },         { "EDQUOT", EDQUOT },
    { "EINVAL", EINVAL }, { "EIO", EIO },       { "EMFILE", EMFILE },       { "ENFILE", ENFILE },
    { "ENODEV", ENODEV }, { "ENOMEM", ENOMEM }, { "EOPNOTSUPP", ENOTSUP },  { "ENOTSUP", ENOTSUP },
    { "EPERM", EPERM },   { "EPROTO", EPROTO }, { "EOVERFLOW", EOVERFLOW },
};

static int find_error(const char *name, size_t len) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strlen(errors[i].name) == len && memcmp(errors[i].name, name, len) == 0)
            return errors[i].number;
    return EPROTO;
}

/* "column 7: ", or nothing. */
static unsigned take_column(const char **at) {
    const char *next = *at;
    uint64_t column;

    if (!scan_text(&next, "column ") || scan_number(&next, &column) < 0 || column > MEMNOTIFYFS_REQUEST_MAX ||
        !scan_text(&next, ": "))
        return 0;
    *at = next;
    return (unsigned)column;
}

int line_parse_error(const char *line, struct refusal *ret) {
    const char *name = line, *colon;
    int error = EPROTO;

    ret->column = 0;
    if (scan_text(&name, "error ") && (colon = strstr(name, ": "))) {
        error = find_error(name, (size_t)(colon - name));
        line = colon + 2;
        ret->column = take_column(&line);
    }
    ret->reason[0] = '\0';
    strncat(ret->reason, line, sizeof ret->reason - 1);
    return -error;
}
