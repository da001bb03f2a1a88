/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Availability zones: three per region, by name (us-east-1a) and by id (us1-az1 of the region's
 * shortened name, the same for all accounts).
 */
#pragma once

#include <stddef.h>

struct model;

enum { ZONE_ID_SIZE = 32 };

/* "use1-az1" of us-east-1a; 'i' < MODEL_ZONES */
const char *zone_id(const struct model *m, size_t i, char buf[static ZONE_ID_SIZE]);
/* The zone's name for its name or id, or NULL. */
const char *zone_find(const struct model *m, const char *name_or_id);
/* The first zone that has a host, or else the first. */
const char *zone_default(const struct model *m);
