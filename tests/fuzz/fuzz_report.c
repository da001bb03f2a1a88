/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host's report of what it can do, as it comes on the wire: whatever it says, the host either has
 * a choice of what was probed and is possible, or carries no traffic and it is said why.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/agent.pb-c.h"
#include "manager/message.h"
#include "model/host.h"
#include "model/pair.h"
#include "tests/unit/model/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct model *m, const struct host *h, const struct host *other)
{
	struct wish out, in;

	pair_wish(m, h, other, &pair_all, &out);
	pair_wish(m, other, h, &pair_all, &in);
	if (!*out.reason || !*in.reason)
		abort();
	if ((out.send == FORMAT_NONE) != (in.send == FORMAT_NONE))
		abort();
	if (!host_is_capable(h) && out.send != FORMAT_NONE)
		abort();
	if (out.send != FORMAT_NONE && !(h->can.formats & FORMAT_BIT(out.send)))
		abort();
	if (out.send != FORMAT_NONE && h->can.disallowed_formats & FORMAT_BIT(out.send))
		abort();
	if (out.features & h->can.disallowed_features)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cluster c;
	Viaduct__Agent__Capabilities *m;
	struct capabilities can;
	struct refusal refusal;
	struct tx *tx;
	int r;

	if (!c.m)
		cluster_init_network(&c, 2);
	m = viaduct__agent__capabilities__unpack(NULL, size, data);
	if (!m)
		return 0;
	can = message_capabilities(m);
	tx = cluster_tx(&c);
	r = host_report(tx, c.hosts[0], &can, &refusal);
	cluster_end(&c, r);
	if (r)
		abort();
	check(c.m, host_by_number(c.m, c.hosts[0]), host_by_number(c.m, c.hosts[1]));
	viaduct__agent__capabilities__free_unpacked(m, NULL);
	return 0;
}
