/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What each fuzz target is: parses the bytes as its kind of text and aborts when what comes of it is
 * not as promised. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
