/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fs/node.h"
#include "thresholds/threshold.h"

/* The threshold of a file that is in thresholds/. */
MnThreshold *mn_node_get_threshold(const MnNode *node);
