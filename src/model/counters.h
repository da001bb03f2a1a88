/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that are handed out in turn and not re-used while others last: VNIs, handles, numbers of
 * hosts, groups, ACLs and route tables.  One object, so that they survive restarts.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

struct tx;

enum {
	COUNTERS_ID = 1,
	HOST_NUMBER_MAX = 0xFFFFFF,
};

/* Part of objects that have one; 'number' is 0 while they have none. */
struct handle {
	uint32_t number;
	struct hmap_node node;
};

struct counters {
	struct object o;
	uint32_t last_vni;
	uint32_t last_host;
	uint32_t last_group;
	uint32_t last_acl;
	uint32_t last_handle; /* as an offset from SUBSTRATE_VNI_HANDLE_MIN - 1 */
	uint32_t last_table;
	uint32_t last_placed; /* number of the host that was taken last, round robin */
};

/* The next number that is not in use; NUMBERS_EXHAUSTED, -ENOMEM. */
must_check int counters_next_vni(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_host(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_group(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_acl(struct tx *tx, uint32_t *ret, struct refusal *reterr);
/* A VNI that stands for a gateway or an interface: SUBSTRATE_VNI_HANDLE_MIN and up. */
must_check int counters_next_handle(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_table(struct tx *tx, uint32_t *ret, struct refusal *reterr);
/* Round robin goes on behind this host. */
must_check int counters_note_placed(struct tx *tx, uint32_t host);
