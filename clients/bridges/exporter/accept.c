/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "accept.h"

#include <string.h>

/* How exactly a range names a type; a more exact one counts, whatever others say. */
enum {
    NOT_NAMED,
    BY_ANY,
    BY_KIND,
    BY_NAME,
};

/* A type that we have, and what was said of it. */
typedef struct Offer {
    const char *kind; /* "text/" + star */
    const char *name;
    const char *version;
    int exactness;
    double quality; /* from 0, which is not wanted, to 1 */
} Offer;

static gboolean is_same(const char *one, const char *other) {
    return g_ascii_strcasecmp(one, other) == 0;
}

/* `parameters` are "version=1.0.0", "q=0.5" and others. A version that we do not have is another type. */
static gboolean has_other_version(char **parameters, const char *version) {
    for (guint i = 0; parameters[i]; i++) {
        const char *parameter = g_strstrip(parameters[i]);

        if (g_ascii_strncasecmp(parameter, "version=", 8) == 0) {
            g_autofree char *quoted = g_strdup_printf("\"%s\"", version);

            return strcmp(parameter + 8, version) != 0 && strcmp(parameter + 8, quoted) != 0;
        }
    }
    return FALSE;
}

static double quality_of(char **parameters) {
    for (guint i = 0; parameters[i]; i++) {
        const char *parameter = g_strstrip(parameters[i]);

        if (g_ascii_strncasecmp(parameter, "q=", 2) == 0) {
            double quality = g_ascii_strtod(parameter + 2, NULL);

            return quality > 0 ? MIN(quality, 1) : 0; /* it may be no number */
        }
    }
    return 1;
}

static void consider(Offer *offer, const char *range, char **parameters) {
    int exactness = is_same(range, offer->name) && !has_other_version(parameters, offer->version) ? BY_NAME
                    : is_same(range, offer->kind)                                                 ? BY_KIND
                    : is_same(range, "*/*")                                                       ? BY_ANY
                                                                                                  : NOT_NAMED;

    if (exactness > offer->exactness) {
        offer->exactness = exactness;
        offer->quality = quality_of(parameters);
    }
}

MnExpositionFormat exp_accept(const char *value) {
    g_auto(GStrv) ranges = g_strsplit(value ? value : "", ",", -1);
    Offer openmetrics = { .kind = "application/*", .name = "application/openmetrics-text", .version = "1.0.0" };
    Offer text = { .kind = "text/*", .name = "text/plain", .version = "0.0.4" };

    for (guint i = 0; ranges[i]; i++) {
        g_auto(GStrv) words = g_strsplit(ranges[i], ";", -1);

        if (!words[0])
            continue;
        consider(&openmetrics, g_strstrip(words[0]), words + 1);
        consider(&text, words[0], words + 1);
    }
    return openmetrics.exactness == BY_NAME && openmetrics.quality > 0 && openmetrics.quality >= text.quality
               ? MN_EXPOSITION_OPENMETRICS
               : MN_EXPOSITION_TEXT;
}

const char *exp_accept_get_type(MnExpositionFormat format) {
    return format == MN_EXPOSITION_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}
