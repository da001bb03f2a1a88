/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Availability zones.  See zone.h.
 */
#include "model/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "model/host.h"
#include "model/table.h"

/* "us-east-1" gives "use1", as EC2 has it: the first part, then a letter of each further one. */
static void short_region(const char *region, char *buf, size_t size)
{
	size_t n = strcspn(region, "-");
	const char *s = region + n;

	snprintf(buf, size, "%.*s", (int)n, region);
	n = strlen(buf);
	for (; *s && n + 1 < size; s++)
		if (s[-1] == '-' && *s != '-')
			buf[n++] = *s;
	buf[n] = '\0';
}

const char *zone_id(const struct model *m, size_t i, char buf[static ZONE_ID_SIZE])
{
	char region[ZONE_ID_SIZE - sizeof("-az1")];

	short_region(m->region, region, sizeof(region));
	snprintf(buf, ZONE_ID_SIZE, "%s-az%u", region, (unsigned int)(i + 1) % 10);
	return buf;
}

const char *zone_find(const struct model *m, const char *name_or_id)
{
	char id[ZONE_ID_SIZE];

	for (size_t i = 0; i < MODEL_ZONES; i++)
		if (str_equal(name_or_id, m->zones[i]) || str_equal(name_or_id, zone_id(m, i, id)))
			return m->zones[i];
	return NULL;
}

const char *zone_default(const struct model *m)
{
	size_t first = MODEL_ZONES;
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	while (first && (o = model_iter_next(&it)))
		for (size_t i = 0; i < first; i++)
			if (str_equal(((const struct host *)o)->zone, m->zones[i]))
				first = i;
	return m->zones[first < MODEL_ZONES ? first : 0];
}
