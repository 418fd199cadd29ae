/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"
#include "socket/wire.h"

/* Sends a line that names the error, -errno, and says why. What is known of a place in the argument, which begins at
 * `argument_at` of the request's line, is told as a column of that line; `fault` may be NULL.
 *
 *   error EINVAL: column 7: there is no meter of that name */
void mn_refusal_send(MnWire *wire, int r, const MnFault *fault, gsize argument_at);
