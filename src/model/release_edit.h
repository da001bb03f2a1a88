/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how operations release addresses (model/release.h).
 */
#pragma once

#include "model/interface.h"

struct tx;

/* 'a' has left 'i', which is in the model without it or not any more: keeps it from being given away while
 * somebody may hold its old mapping.  -ENOMEM */
must_check int release_make(struct tx *tx, const struct interface *i, const struct private_addr *a);
