/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/decode.h"

#include <arpa/inet.h>
#include <string.h>

#include "abi/substrate.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/complain.h"
#include "ctl/table.h"

/* 'length' bits of the topology, which begins behind the version's two bits. */
static unsigned int take_bits(const struct ipaddr *a, unsigned int *at, unsigned int length)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < length; i++, (*at)++)
		value = value << 1 | (a->b[*at / 8] >> (7 - *at % 8) & 1);
	return value;
}

static void take_topology(const struct ipaddr *a, unsigned int locale, unsigned int area,
			  unsigned int rack, struct decode_address *d)
{
	unsigned int at = 34;

	d->locale = take_bits(a, &at, locale);
	d->area = take_bits(a, &at, area);
	d->rack = take_bits(a, &at, rack);
	d->host = take_bits(a, &at, 8);
}

int decode_address(const struct ipaddr *a, struct decode_address *ret)
{
	struct decode_address d = {.version = substrate_version(a->b), .vni = substrate_vni(a->b)};

	if (ipaddr_is_v4(a))
		return -EINVAL;
	switch (d.version) {
	case SUBSTRATE_VERSION_SIIT_1:
		d.layout = 1;
		take_topology(a, 6, 8, 8, &d);
		d.slot = a->b[8] >> 2;
		d.u = a->b[8] >> 1 & 1;
		d.g = a->b[8] & 1;
		break;
	case SUBSTRATE_VERSION_SIIT_2:
		d.layout = 2;
		take_topology(a, 4, 4, 6, &d);
		d.neutral = substrate_siit_2_is_valid(a->b);
		break;
	default:
		return -EINVAL;
	}
	d.inner = ipaddr_from_v4(ntohl(substrate_v4(a->b)));
	*ret = d;
	return 0;
}

static json_t *to_json(const struct ipaddr *a, const struct decode_address *d)
{
	char text[IPADDR_TEXT_SIZE], inner[IPADDR_TEXT_SIZE];
	json_t *j =
		json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:s}", "address", ipaddr_text(a, text),
			  "layout", d->layout == 1 ? "siit/1" : "siit/2", "locale", (int)d->locale,
			  "area", (int)d->area, "rack", (int)d->rack, "host", (int)d->host, "vni",
			  (int)d->vni, "virtual_address", ipaddr_text(&d->inner, inner));

	if (!j)
		return NULL;
	if (d->layout == 2)
		json_object_set_new(j, "checksum_neutral", json_boolean(d->neutral));
	if (d->layout == 1) {
		json_object_set_new(j, "slot", json_integer(d->slot));
		json_object_set_new(j, "by_slot", json_boolean(d->u));
		json_object_set_new(j, "group", json_boolean(d->g));
	}
	return j;
}

static int run_decode(const struct invocation *inv)
{
	static const struct table_column columns[] = {
		{"ADDRESS", "address"}, {"LAYOUT", "layout"},
		{"LOCALE", "locale"},   {"AREA", "area"},
		{"RACK", "rack"},       {"HOST", "host"},
		{"VNI", "vni"},         {"VIRTUAL ADDRESS", "virtual_address"},
	};
	_cleanup_json_ json_t *list = json_array(), *whole = NULL;

	for (size_t i = 0; i < inv->n_arguments; i++) {
		struct decode_address d;
		struct ipaddr a;

		if (ipaddr_parse(inv->arguments[i], &a) || decode_address(&a, &d))
			return complain_usage("\"%s\" is no substrate address of Viaduct",
					      inv->arguments[i]);
		if (json_array_append_new(list, to_json(&a, &d)))
			return complain_memory();
	}
	if (!invocation_option(inv, "json"))
		return table_print(stdout, list, columns, ARRAY_SIZE(columns)) ? complain_memory()
									       : 0;
	whole = json_pack("{s:O}", "addresses", list);
	if (!whole || json_dumpf(whole, stdout, JSON_INDENT(2)))
		return complain_memory();
	putchar('\n');
	return 0;
}

const struct command decode_command = {
	.word = "decode",
	.help = "what substrate addresses say: place, network, virtual address",
	.arguments = "ADDRESS...",
	.min_arguments = 1,
	.max_arguments = LIMIT_CTL_WORDS,
	.run = run_decode,
};
