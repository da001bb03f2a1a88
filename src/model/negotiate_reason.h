/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: the sentence that says why a choice is what it is, for negotiate.c.
 */
#pragma once

#include "model/negotiate.h"

struct side {
	const struct ability *ability;
	const char *name;
};

/* What is missing, when there is no choice. */
struct lack {
	bool formats;  /* no format is left, */
	bool unsealed; /* or none that goes sealed, as demanded */
	/* no version of this is left; FEATURE_FRAMEWORKS: it is not that */
	enum feature_framework feature;
};

/* Writes ret->reason. */
void negotiate_explain(const struct side *from, const struct side *to, const struct demand *d,
		       const struct lack *lack, struct wish *ret);
