/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "script/scenarioparse.h"

/* Parses what the machine has, which is how a scenario begins, into machine, host_pages, has_arc and nodes. -EINVAL. */
int mn_scenario_parse_machine(MnCursor *cursor, MnScenarioPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
