/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A probe takes a moment, and its result comes with the host's next report: the manager says when
 * the last one came, whether it told anything new or not.
 */
#include "ctl/probe.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/complain.h"
#include "ctl/locate.h"

/* When the host reported last, "" for never; to be freed. */
static int last_report(struct client *c, const char *path, char **ret)
{
	_cleanup_json_ json_t *answer = NULL;
	struct client_error error;
	const json_t *at;
	int r = client_request(c, "GET", path, NULL, &answer, &error);

	if (r)
		return complain(r, "%s", error.text);
	at = json_object_get(json_object_get(json_object_get(answer, "host"), "capabilities"),
			     "reported_at");
	*ret = strdup(json_is_string(at) ? json_string_value(at) : "");
	return *ret ? 0 : complain_memory();
}

static int wait_for_report(struct client *c, const char *path, const char *before, const char *host)
{
	struct clock clock;
	uint64_t end;

	clock_init_real(&clock);
	end = clock_mono_ns(&clock) + LIMIT_CTL_PROBE_MS * CLOCK_NS_PER_MS;
	while (clock_mono_ns(&clock) < end) {
		_cleanup_free_ char *at = NULL;
		int r = last_report(c, path, &at);

		if (r)
			return r;
		if (!str_equal(at, before))
			return 0;
		poll(NULL, 0, LIMIT_CTL_PROBE_POLL_MS);
	}
	return complain(
		-ETIMEDOUT,
		"%s has not reported in %d s: \"viaduct hosts\" says whether it is connected", host,
		LIMIT_CTL_PROBE_MS / 1000);
}

int probe_host(const struct invocation *inv, const char *host)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_free_ char *escaped = NULL, *path = NULL, *asked = NULL, *before = NULL;
	struct client_error error;
	int r = locate_manager(inv, &c);

	if (r)
		return r;
	escaped = client_escape(c, host);
	if (!escaped || str_printf(&path, "/v1/hosts/%s", escaped) ||
	    str_printf(&asked, "%s/probe", path))
		return complain_memory();
	r = last_report(c, path, &before);
	if (r)
		return r;
	r = client_request(c, "POST", asked, NULL, NULL, &error);
	if (r)
		return complain(r, "%s", error.text);
	return wait_for_report(c, path, before, host);
}
