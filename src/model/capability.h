/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host can do, by name (NEG-10): what nodes may require and desire.
 *
 * The set is open.  A name is that of a wire format or a feature ("siit/2", "crypt/1", or "crypt"
 * for any of its versions; model/ability.h), which the host's agent has confirmed and which it may
 * use; of what its kernel has ("tcx", "tap-uso"); or of a label that an operator gave it:
 * "KEY=VALUE", or "KEY" for any value.  What the agent probes is said by its probe alone, whatever
 * labels there are.  A name that nobody knows is one that no host has.
 *
 * Lists of names are texts with commas between them; blanks around a name do not count.  Pure, any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct host;

bool capability_has(const struct host *h, const char *name, size_t length);

/* The next name of a list: moves '*list' on behind it.  False at the end; names are never empty. */
bool capability_next(const char **list, const char **ret_name, size_t *ret_length);

/* The first name of 'list' (NULL: none) that the host lacks, or NULL. */
const char *capability_lacking(const struct host *h, const char *list, size_t *ret_length);
/* Every name that the host has but for the short forms of labels, in a fixed order. */
void capability_each(const struct host *h, void (*tell)(void *data, const char *name), void *data);
