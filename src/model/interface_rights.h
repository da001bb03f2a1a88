/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with an interface (NIC-1).
 *
 * Its owner and operators may do everything.  Its lists name other accounts that may attach it,
 * detach it, set its addresses (and take them from it), or change its attributes; without a list of
 * detachers the list of attachers serves.  A permission (EC2's CreateNetworkInterfacePermission)
 * counts as a place in such a list. Who owns the instance that an interface is attached to may
 * detach it.  Whoever may do anything with an interface may see it; to all others it does not
 * exist.
 */
#pragma once

#include "model/interface.h"

struct caller;
struct model;

enum interface_right {
	INTERFACE_SEE,
	INTERFACE_ATTACH,
	INTERFACE_DETACH, /* any of its attachments */
	INTERFACE_SET,    /* its addresses */
	INTERFACE_MODIFY,
	INTERFACE_ASSOCIATE, /* public addresses with it */
	INTERFACE_OWN,       /* the lists, tags, its end */
};

bool interface_permits(const struct model *m, const struct interface *i, const struct caller *c,
		       enum interface_right right);
/* 0, INTERFACE_RIGHT, INTERFACE_MANAGED (but to see it), or INTERFACE_NOT_FOUND when the caller may
 * not even see it. */
must_check int interface_check_right(const struct model *m, const struct interface *i,
				     const struct caller *c, enum interface_right right,
				     struct refusal *reterr);
/* The same for ending an attachment of it, which is also the right of its instance's owner. */
must_check int interface_check_detach(const struct model *m, const struct attachment *a,
				      const struct caller *c, struct refusal *reterr);
/* The interface 'id' for somebody who wants to do that with it: INTERFACE_NOT_FOUND,
 * INTERFACE_RIGHT */
must_check int interface_find_for(const struct model *m, const struct caller *c, const char *id,
				  enum interface_right right, const struct interface **ret,
				  struct refusal *reterr);
