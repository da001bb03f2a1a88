/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small language aids that every file shares: checked results, cleanup on scope exit, array sizes.
 *
 * Errors in Viaduct are ints: 0; a negative errno is a fault, forwarded unchanged and logged once
 * where it ends; a positive MODEL_E_* is a refusal that the caller must handle.
 *
 * A destructor takes NULL and returns NULL.  For a type with 'struct x *x_free(struct x *)', write
 *	CLEANUP_DEFINE(struct x *, x_free);
 * in its header, and '_cleanup_(x_free_cleanup) struct x *x = NULL;' where it is used.  What must
 * survive the scope is taken out with TAKE_PTR() or TAKE_FD().
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define must_check   __attribute__((warn_unused_result))
#define _cleanup_(f) __attribute__((cleanup(f)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a)                                                                              \
	(sizeof(a) / sizeof((a)[0]) +                                                              \
	 0 * sizeof(char[__builtin_types_compatible_p(typeof(a), typeof(&(a)[0])) ? -1 : 1]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define CLEANUP_DEFINE(type, fn)                                                                   \
	static inline void fn##_cleanup(type *p)                                                   \
	{                                                                                          \
		if (*p)                                                                            \
			fn(*p);                                                                    \
	}                                                                                          \
	static_assert(1, "needs a semicolon")

/* Moves a pointer or descriptor out of a variable that has a cleanup attribute. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		typeof(p) taken_ = (p);                                                            \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

static inline void free_cleanup(void *p)
{
	free(*(void **)p);
}

/* Closes and keeps errno, so that it may stand between a failure and its report. */
static inline void close_cleanup(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define _cleanup_free_  _cleanup_(free_cleanup)
#define _cleanup_close_ _cleanup_(close_cleanup)
