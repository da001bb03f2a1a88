/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: counting which hosts carry which networks and security groups, for table.c.
 */
#pragma once

#include "model/table.h"

/* Makes room for one at 'host', so that counting it cannot fail.  -ENOMEM */
must_check int carrier_prepare(struct model *m, enum carried_kind k, uint32_t number,
			       uint32_t host);
/* One more interface, or one less. */
void carrier_add(struct model *m, enum carried_kind k, uint32_t number, uint32_t host);
void carrier_remove(struct model *m, enum carried_kind k, uint32_t number, uint32_t host);
/* Frees those that count nothing. */
void carrier_reclaim(struct model *m);
void carrier_deinit(struct model *m);
