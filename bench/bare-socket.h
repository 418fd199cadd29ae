/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* The socket of the bare server, served by a thread of its own. A request is known by its first byte:
 *
 *   watch   answered by "ok"; this client is told from then on
 *   read    answered by a text that was made at the start, with "ok" at its end
 *   1       not answered; the first of those who are told is sent one byte
 *
 * `read_bytes`: the length of that text. Whatever fails is fatal. */
void bare_socket_start(const char *path, size_t read_bytes);

/* From the thread of the file system: one byte to the first of those who are told, or a line to each. */
void bare_socket_tell_first(void);
void bare_socket_tell_all(void);
