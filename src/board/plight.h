/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/override.h"
#include "probe/moment.h"

/* A machine that is made to look short of memory: part of what is simulated. All zero: it looks as it is. */
typedef struct MnPlight {
    guint conditions;    /* MN_CONDITION_BIT()s */
    guint64 taken_pages; /* of anonymous memory, by reclaim that only seems to be; as the rest never less than it was */
    MnVmpressureCounters more; /* than is measured */
    MnSample sample;
    MnZones zones;
} MnPlight;

void mn_plight_clear(MnPlight *self);

/* Takes over what is asked for; what happens once has happened then. Whether it is anything. */
gboolean mn_plight_set(MnPlight *self, const MnOverride *override);

/* Changes a moment of the machine to what it is to look like, right after it was made. */
void mn_plight_apply(MnPlight *self, MnMoment *moment);

/* What the next moments will have, for who begins to listen. */
void mn_plight_add_reclaim(const MnPlight *self, MnVmpressureCounters *reclaim);
guint64 mn_plight_add_ooms(const MnPlight *self, guint64 ooms);
