/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/descriptors.h"

#include <errno.h>
#include <limits.h>

#include "base/limits.h"
#include "base/log.h"

const struct descriptors descriptors_unlimited = {INT_MAX, INT_MAX};

struct descriptors descriptors_share_out(rlim_t n)
{
	const rlim_t most = LIMIT_HTTP_CLIENTS + LIMIT_SESSIONS + LIMIT_FILES;
	rlim_t files;

	/* Where there are more, nobody has use for them, and numbers are places in the kernel's
	 * tables. */
	if (n > most)
		n = most;
	files = n / 4 < LIMIT_FILES ? n / 4 : LIMIT_FILES;
	return (struct descriptors){
		.http_end = (int)((n - files) * LIMIT_HTTP_CLIENTS /
				  (LIMIT_HTTP_CLIENTS + LIMIT_SESSIONS)),
		.agents_end = (int)(n - files),
	};
}

struct descriptors descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit)) {
		log_warn("descriptor limit not known", LOG_ERRNO(errno));
		return descriptors_unlimited;
	}
	if (limit.rlim_cur != limit.rlim_max) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit)) {
			log_warn("descriptor limit not raised", LOG_ERRNO(errno));
			limit.rlim_cur = before;
		}
	}
	return descriptors_share_out(limit.rlim_cur);
}
