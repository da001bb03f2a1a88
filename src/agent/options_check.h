/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the options that were read mean, and whether they go together: options.c asks when all of
 * them are there.
 */
#pragma once

#include "agent/options.h"

/* Fills in what is computed of the texts.  0, or -EINVAL (or -ENOMEM) with what to tell the
 * user. */
must_check int options_check(struct options *o, char reterr_text[static OPTIONS_ERROR_SIZE]);
