/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/exposition.h"

/* The format of metrics that the value of an HTTP header "Accept" asks for; NULL: there is none. OpenMetrics for whom it is
 * at least as welcome as plain text, and the text format for all others, who may understand nothing else, or be people. What
 * is not understood of the value is skipped.
 *
 * Source: RFC 9110, 12.5.1. */
MnExpositionFormat exp_accept(const char *value);

/* The header "Content-Type" of a text in that format. */
const char *exp_accept_get_type(MnExpositionFormat format);
