/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka with the headers that it wants before it, and the
 * assertions on our kinds of result.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_ok(r)           assert_int_equal((r), 0)
#define assert_error(r, error) assert_int_equal((r), -(error))
