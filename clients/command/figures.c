/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotifyfs_available_bytes 24890236928
 * memnotifyfs_source_info{kind="system"} 1
 * memnotifyfs_threshold_reached{threshold="low",meter="used",op=">="} 0 */
#include "figures.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

#define PREFIX "memnotifyfs_"
#define END "# EOF\n"
#define LABELS_MAX 3

typedef struct Label {
    const char *name;
    char *value;
} Label;

/* One line of the text, cut into strings. */
typedef struct Line {
    const char *name; /* behind the prefix */
    Label labels[LABELS_MAX];
    guint n_labels;
    guint64 value;
} Line;

typedef struct Parser {
    guint page_bytes;
    CmdFigures figures;
} Parser;

void cmd_figures_clear(CmdFigures *self) {
    g_clear_pointer(&self->limits, g_array_unref);
}

guint64 cmd_figures_get_whole(const CmdFigures *self, MnMeterId meter) {
    const guint64 *pages = self->reading.pages;

    switch (mn_meters[meter].part) {
    case MN_PART_MEMORY:
        return mn_subtract(pages[MN_METER_TOTAL], pages[MN_METER_SWAP_TOTAL]);
    case MN_PART_SWAP:
        return pages[MN_METER_SWAP_TOTAL];
    default:
        return pages[MN_METER_TOTAL];
    }
}

double cmd_figures_share(const CmdFigures *self, MnMeterId meter) {
    guint64 whole = cmd_figures_get_whole(self, meter);

    return whole == 0 ? 0 : MIN((double)self->reading.pages[meter] / (double)whole, 1);
}

/* --- a line --- */

/* Takes a quoted string off *at, in place: \\, \" and \n stand for what they are. NULL when it has no end. */
static char *take_string(char **at) {
    char *start = *at, *to = start, *from;

    for (from = start; *from && *from != '"'; from++) {
        char c = *from;

        if (c == '\\' && from[1]) {
            from++;
            c = *from == 'n' ? '\n' : *from;
        }
        *to++ = c;
    }
    if (!*from)
        return NULL;
    *at = from + 1;
    *to = '\0';
    return start;
}

/* 'threshold="low",meter="used",op=">="}' */
static gboolean take_labels(char **at, Line *line) {
    while (**at != '}') {
        char *name = *at, *equals = strchr(name, '='), *value;

        if (!equals || equals[1] != '"' || line->n_labels == LABELS_MAX)
            return FALSE;
        *equals = '\0';
        *at = equals + 2;
        value = take_string(at);
        if (!value)
            return FALSE;
        line->labels[line->n_labels++] = (Label){ name, value };
        if (**at == ',')
            (*at)++;
    }
    (*at)++;
    return TRUE;
}

static gboolean parse_line(char *text, Line *ret) {
    Line line = { 0 };
    char *end;
    const char *digits;

    if (!g_str_has_prefix(text, PREFIX))
        return FALSE;
    line.name = text + strlen(PREFIX);
    end = text + strcspn(text, "{ ");
    if (*end == '{') {
        *end++ = '\0';
        if (!take_labels(&end, &line))
            return FALSE;
    }
    if (*end != ' ')
        return FALSE;
    *end = '\0';
    digits = end + 1;
    if (mn_number_parse(&digits, digits + strlen(digits), &line.value) < 0)
        return FALSE;
    *ret = line;
    return TRUE;
}

static const char *label_of(const Line *line, const char *name) {
    for (guint i = 0; i < line->n_labels; i++)
        if (strcmp(line->labels[i].name, name) == 0)
            return line->labels[i].value;
    return "";
}

/* --- what it says --- */

static void take_source(Parser *self, const Line *line) {
    self->figures.is_of_group = strcmp(label_of(line, "kind"), "cgroup") == 0;
}

static void take_presence(Parser *self, const Line *line) {
    self->figures.is_gone = line->value == 0;
}

static void take_left_out(Parser *self, const Line *line) {
    self->figures.n_limits_left_out = line->value;
}

static gboolean find_op(const char *name, MnOp *ret) {
    for (guint op = MN_OP_AT_LEAST; op <= MN_OP_BELOW; op++)
        if (strcmp(mn_op_names[op], name) == 0) {
            *ret = (MnOp)op;
            return TRUE;
        }
    return FALSE;
}

/* The limit that the labels of a line name; NULL when it is of a kind that is not known here. The three families name the
 * same limits in the same order, each of them all, so that the one that is looked for is mostly the next. */
static CmdNamedLimit *limit_of(Parser *self, const Line *line) {
    GArray *limits = self->figures.limits;
    const char *meter = label_of(line, "meter"), *threshold = label_of(line, "threshold");
    CmdNamedLimit limit = { 0 };
    int id = mn_meter_find(meter, strlen(meter));

    if (id < 0 || !find_op(label_of(line, "op"), &limit.op))
        return NULL;
    for (guint i = 0; i < limits->len; i++) {
        CmdNamedLimit *other = &g_array_index(limits, CmdNamedLimit, i);

        if (other->meter == (MnMeterId)id && strcmp(other->threshold, threshold) == 0)
            return other;
    }
    limit.meter = (MnMeterId)id;
    g_strlcpy(limit.threshold, threshold, sizeof limit.threshold);
    g_array_append_val(limits, limit);
    return &g_array_index(limits, CmdNamedLimit, limits->len - 1);
}

static void take_reached(Parser *self, const Line *line) {
    CmdNamedLimit *limit = limit_of(self, line);

    if (limit)
        limit->is_reached = line->value != 0;
}

static void take_crossings(Parser *self, const Line *line) {
    CmdNamedLimit *limit = limit_of(self, line);

    if (limit)
        limit->crossings = line->value;
}

static void take_place(Parser *self, const Line *line) {
    CmdNamedLimit *limit = limit_of(self, line);

    if (limit)
        limit->limit_pages = line->value / self->page_bytes;
}

static const struct {
    const char *name;
    void (*take)(Parser *self, const Line *line);
} rows[] = {
    { "source_info", take_source },          { "source_present", take_presence },
    { "threshold_reached", take_reached },   { "threshold_crossings_total", take_crossings },
    { "threshold_limit_bytes", take_place }, { "threshold_limits_left_out", take_left_out },
};

/* "available_bytes" */
static void take_meter(Parser *self, const Line *line) {
    gsize len = strlen(line->name), suffix = strlen("_bytes");
    int id;

    if (line->n_labels > 0 || len < suffix || strcmp(line->name + len - suffix, "_bytes") != 0)
        return;
    id = mn_meter_find(line->name, len - suffix);
    if (id < 0)
        return;
    self->figures.offered |= MN_METER_BIT(id);
    self->figures.reading.pages[id] = line->value / self->page_bytes;
}

static void take_line(Parser *self, char *text) {
    Line line;

    if (!parse_line(text, &line))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, line.name) == 0) {
            rows[i].take(self, &line);
            return;
        }
    take_meter(self, &line);
}

int cmd_figures_parse(const char *text, gsize len, guint page_bytes, CmdFigures *ret) {
    g_auto(CmdFigures) figures = { 0 };
    Parser parser = { .page_bytes = page_bytes };
    g_autofree char *copy = g_strndup(text, len);
    char *at = copy, *newline;

    if (!g_str_has_suffix(copy, END))
        return -EBADMSG;
    parser.figures.limits = g_array_new(FALSE, FALSE, sizeof(CmdNamedLimit));
    for (; (newline = strchr(at, '\n')); at = newline + 1) {
        *newline = '\0';
        take_line(&parser, at);
    }
    figures = parser.figures;
    if (!figures.is_gone && !(figures.offered & MN_METER_BIT(MN_METER_TOTAL)))
        return -EBADMSG;

    *ret = figures;
    figures.limits = NULL;
    return 0;
}
