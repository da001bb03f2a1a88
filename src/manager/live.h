/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API shows that the model does not know: sessions, counters, the store's health,
 * certificates (struct api_live).
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stddef.h>

#include "api/api.h"
#include "wire/pki.h"

struct manager;

struct live {
	struct manager *manager; /* borrowed, as all of this */
	const struct pki_pair *ca;
	const char *const *advertised; /* NULL-terminated */
};

struct api_live live_api(struct live *live);
