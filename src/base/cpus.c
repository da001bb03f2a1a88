/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpus.h"

#include <sched.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define CPUS_PRESENT "/sys/devices/system/cpu/present"

enum { CPUS_TEXT_MAX = 8192 };

bool cpus_is_empty(const struct cpus *c)
{
	static const struct cpus none;

	return !memcmp(c, &none, sizeof(none));
}

bool cpus_are_among(const struct cpus *c, const struct cpus *all)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->words); i++)
		if (c->words[i] & ~all->words[i])
			return false;
	return true;
}

/* "N" or "N-M". */
static int cpus_parse_range(char *text, struct cpus *c)
{
	char *dash = strchr(text, '-');
	uint32_t first, last;
	int e;

	if (dash)
		*dash = '\0';
	e = str_u32(text, 0, CPUS_MAX - 1, &first);
	last = first;
	if (!e && dash)
		e = str_u32(dash + 1, 0, CPUS_MAX - 1, &last);
	if (e)
		return e;
	if (last < first)
		return -EINVAL;
	for (uint32_t n = first; n <= last; n++)
		c->words[n / 64] |= UINT64_C(1) << n % 64;
	return 0;
}

int cpus_parse(const char *text, struct cpus *ret)
{
	_cleanup_(strv_free_cleanup) char **ranges = NULL;
	struct cpus c = {};
	int e = strv_split(text, ',', CPUS_MAX, &ranges);

	for (size_t i = 0; !e && ranges[i]; i++)
		e = cpus_parse_range(ranges[i], &c);
	if (!e && cpus_is_empty(&c))
		e = -EINVAL;
	if (!e)
		*ret = c;
	return e;
}

int cpus_read_present(struct cpus *ret, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	int e = file_read(CPUS_PRESENT, CPUS_TEXT_MAX, &text, NULL);

	if (e)
		return e;
	text[strcspn(text, "\n")] = '\0';
	e = cpus_parse(text, ret);
	if (!e)
		*ret_text = TAKE_PTR(text);
	return e;
}

int cpus_bind(const struct cpus *c, pthread_t thread)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int n = 0; n < CPUS_MAX; n++)
		if (c->words[n / 64] & UINT64_C(1) << n % 64)
			CPU_SET(n, &set);
	if (cpus_is_empty(c) && sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	return -pthread_setaffinity_np(thread, sizeof(set), &set);
}
