/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A measuring program that cannot measure says why and ends: "NAME: why: errno". */
__attribute__((format(printf, 1, 2), noreturn)) void fatal(const char *format, ...);
