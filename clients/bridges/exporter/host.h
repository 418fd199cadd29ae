/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Whether the value of an HTTP header "Host" can be meant for a server that only this machine reaches: an address,
 * "localhost" or a name below it, or one of `names`, which end with NULL, or are NULL. NULL, which browsers never send, can.
 *
 * A name that somebody else owns may lead here today: then a page of his, looked at in a browser of this machine, could read
 * what is served ("DNS rebinding"). The browser still sends the name. */
gboolean exp_host_is_ours(const char *host, char *const *names);
