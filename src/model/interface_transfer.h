/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: an interface that is attached goes to another instance, in one call
 * (interface_attach() with 'allow_reassignment').
 *
 * As long as that takes it has two attachments, of which only one is ever live.  The other one
 * *stands by*: its node has the device with MAC and addresses, and its port carries nothing.  The
 * steps, each begun by an acknowledgement of the host that the one before was for:
 *
 *	preparing  the second stands by; the first goes on
 *	stopping   both do; the addresses' mappings lead to the first yet
 *	arriving   the second is live and has the mappings; the first stands by, to be gone back to
 *	           when that is acknowledged the first is gone, and the transfer over
 *	back       the second host could not: both stand by, then the first is live again
 *
 * A second host that cannot prepare, or is lost before the second is live, leaves the first as it
 * was.  Neither is ever made live before the other one's host has said that it is not, or an
 * operator has (interface_detach() with 'force').
 *
 * A host that cannot have an interface stand by (capabilities.stands_by), or has both nodes, is
 * told nothing of one that does, whose 'host' is then 0: its node gets the device when it is live.
 */
#pragma once

#include "model/interface.h"

struct instance;
struct tx;

/* Two attachments, and not because it is shared. */
bool interface_is_transferred(const struct interface *i);
/* Whether it may begin: INTERFACE_IN_USE (it is managed, foreign, or that instance's already),
 * INTERFACE_STATE, DEVICE_INDEX_PRIMARY, INSTANCE_ATTACH_STATE, INTERFACE_RIGHT */
must_check int interface_check_transfer(const struct model *m, const struct caller *c,
					const struct interface *i, uint64_t instance,
					struct refusal *reterr);
/* Begins; '*ret_id' is the second attachment's. */
must_check int interface_begin_transfer(struct tx *tx, const struct interface *i,
					const struct instance *n, uint32_t device_index,
					uint64_t *ret_id);
/* The host of an attachment that is waited for has said how it went. */
must_check int interface_acknowledge_transfer(struct tx *tx, const struct attachment *a,
					      bool failed);
/* Something else is to become of '*a': ends the transfer where that is possible, so that '*a', as
 * it is then, can be dealt with as any other.  NULL: there is nothing (more) to do with it.
 * 'gone': its host does not have it, whatever it has said. */
must_check int interface_yield(struct tx *tx, const struct attachment **a, bool gone);
/* The one that is to become live, and cannot because its host is lost; or NULL. */
const struct attachment *interface_lost_target(struct model *m, const struct interface *i,
					       uint64_t now_ms);
