/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words stand behind the last commas, so that a file may have commas in its name. */
#include "replayoption.h"

#include "probe/replay.h"

#include <math.h>
#include <string.h>

#define SPEED_MAX 1e6

void mn_replay_option_init(MnReplayOption *self) {
    *self = (MnReplayOption){ .speed = MN_REPLAY_PRESET_SPEED };
}

void mn_replay_option_clear(MnReplayOption *self) {
    g_clear_pointer(&self->path, g_free);
}

static gboolean take_speed(MnReplayOption *self, const char *value, const char **ret_reason) {
    char *end;
    double speed = g_ascii_strtod(value, &end);

    if (strcmp(value, "max") == 0) {
        self->speed = MN_REPLAY_UNBOUNDED;
        return TRUE;
    }
    *ret_reason = "speed is a number above 0, up to 1000000, or 'max'";
    if (!g_ascii_isdigit(value[0]) || *end != '\0' || !isfinite(speed) || speed <= 0 || speed > SPEED_MAX)
        return FALSE;
    self->speed = speed;
    return TRUE;
}

static gboolean take_start(MnReplayOption *self, const char *value, const char **ret_reason) {
    *ret_reason = "start is 'client', with the first that waits, or 'now'";
    self->starts_now = strcmp(value, "now") == 0;
    return self->starts_now || strcmp(value, "client") == 0;
}

gboolean mn_replay_option_take_word(MnReplayOption *self, const char *word, const char **ret_reason) {
    self->has_words = TRUE;
    if (g_str_has_prefix(word, "speed="))
        return take_speed(self, word + strlen("speed="), ret_reason);
    return take_start(self, word + strlen("start="), ret_reason);
}

static gboolean is_word(const char *text) {
    return g_str_has_prefix(text, "speed=") || g_str_has_prefix(text, "start=");
}

gboolean mn_replay_option_take(MnReplayOption *self, const char *value, const char **ret_reason) {
    g_autofree char *path = g_strdup(value);
    char *comma;

    while ((comma = strrchr(path, ',')) && is_word(comma + 1)) {
        if (!mn_replay_option_take_word(self, comma + 1, ret_reason))
            return FALSE;
        *comma = '\0';
    }
    *ret_reason = "a file is needed";
    if (*path == '\0')
        return FALSE;
    g_free(self->path);
    self->path = g_canonicalize_filename(path, NULL);
    return TRUE;
}
