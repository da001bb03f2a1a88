/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What everything else stands on: accounts and their keys, hosts, the counters that numbers come
 * from, the cluster's settings, and the tokens of requests.
 */
#include "model/record_tables.h"

#include "model/account.h"
#include "model/counters.h"
#include "model/host.h"
#include "model/settings.h"
#include "model/token.h"

static const struct field tag_fields[] = {
	F(1, FIELD_STRING, struct tag, key),
	F(2, FIELD_STRING, struct tag, value),
};
RECORD(tag, struct tag);

static const struct field account_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct account, name),
	FN(11, FIELD_U32, "rules_per_security_group", struct account, group_rules),
	FN(12, FIELD_U32, "security_groups_per_interface", struct account, interface_groups),
	FN(13, FIELD_U32, "entries_per_network_acl", struct account, acl_entries),
	IDS(14, struct account, pays_for),
};
RECORD(account, struct account);

static const char *role_text(uint32_t v)
{
	return key_role_text((enum key_role)v);
}

static const struct field key_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct key, access_key_id),
	F(11, FIELD_SECRET, struct key, secret),
	F(12, FIELD_U32, struct key, role, .text = role_text),
};
RECORD(key, struct key);

static const struct field host_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct host, name),
	F(11, FIELD_STRING, struct host, zone),
	F(12, FIELD_U32, struct host, number),
	FN(13, FIELD_U32, "locale", struct host, place.locale),
	FN(14, FIELD_U32, "area", struct host, place.area),
	FN(15, FIELD_U32, "rack", struct host, place.rack),
	FN(16, FIELD_U32, "rack_slot", struct host, place.host),
	FN(17, FIELD_PREFIX, "siit1", struct host, locators.siit1),
	FN(18, FIELD_PREFIX, "siit2", struct host, locators.siit2),
	FN(19, FIELD_ADDR, "v4", struct host, locators.v4),
	FN(20, FIELD_ADDR, "v6", struct host, locators.v6),
	FN(21, FIELD_U32, "formats", struct host, can.formats),
	FN(22, FIELD_U32, "substrate_mtu", struct host, can.substrate_mtu),
	FN(23, FIELD_BOOL, "tcx", struct host, can.tcx),
	FN(24, FIELD_BOOL, "tap_uso", struct host, can.tap_uso),
	FN(25, FIELD_STRING, "kernel", struct host, can.kernel),
	FN(26, FIELD_STRING, "refused", struct host, can.refused),
	FN(27, FIELD_TIME, "probed", struct host, can.probed_ms),
	FN(28, FIELD_STRING, "probe_error", struct host, can.error),
	F(60, FIELD_BOOL, struct host, edge),
	F(61, FIELD_BOOL, struct host, instances),
	FN(62, FIELD_U32, "features", struct host, can.features),
	FN(63, FIELD_U32, "required_features", struct host, can.required_features),
	FN(64, FIELD_U32, "disallowed_features", struct host, can.disallowed_features),
	FN(65, FIELD_U32, "disallowed_formats", struct host, can.disallowed_formats),
	FN(66, FIELD_U64, "generation", struct host, can.generation),
	F(67, FIELD_U32, struct host, key_epoch),
	FN(68, FIELD_TIME, "keyed", struct host, keyed_ms),
	FN(70, FIELD_PREFIX, "aliases", struct host, locators.aliases),
	FN(90, FIELD_U32, "memory", struct host, capacity[HOST_MEMORY]),
	FN(91, FIELD_U32, "vcpus", struct host, capacity[HOST_VCPUS]),
	FN(92, FIELD_U32, "bandwidth", struct host, capacity[HOST_BANDWIDTH]),
	FN(93, FIELD_U32, "disk", struct host, capacity[HOST_DISK]),
	FN(94, FIELD_U32, "ports", struct host, capacity[HOST_PORTS]),
	F(95, FIELD_U32, struct host, cost),
	F(96, FIELD_BOOL, struct host, foreign),
	FN(97, FIELD_BOOL, "carries_nothing", struct host, can.carries_nothing),
	F(98, FIELD_BOOL, struct host, drained),
	F(99, FIELD_U32, struct host, changing_at),
	FN(100, FIELD_U32, "former_formats", struct host, former.formats),
	FN(101, FIELD_U32, "former_substrate_mtu", struct host, former.substrate_mtu),
	FN(102, FIELD_TIME, "former_probed", struct host, former.probed_ms),
	FN(103, FIELD_U32, "former_features", struct host, former.features),
	FN(104, FIELD_U32, "former_required_features", struct host, former.required_features),
	FN(105, FIELD_U32, "former_disallowed_features", struct host, former.disallowed_features),
	FN(106, FIELD_U32, "former_disallowed_formats", struct host, former.disallowed_formats),
	F(107, FIELD_U32, struct host, former_key_epoch),
	FN(108, FIELD_BOOL, "stands_by", struct host, can.stands_by),
	FN(109, FIELD_BOOL, "hands_over", struct host, can.hands_over),
	FN(110, FIELD_U64, "incarnation", struct host, can.incarnation),
	FN(111, FIELD_U32, "incarnations", struct host, n_incarnations),
	FN(112, FIELD_TIME, "incarnated", struct host, incarnated_ms),
	FN(113, FIELD_U64, "former_incarnation", struct host, former.incarnation),
	FN(114, FIELD_U32, "former_incarnations", struct host, former_n_incarnations),
};
RECORD(host, struct host);

static const struct field token_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct token, operation),
	F(11, FIELD_STRING, struct token, token),
	F(12, FIELD_BYTES, struct token, digest, .size = TOKEN_DIGEST_SIZE),
	FN(13, FIELD_TIME, "expires", struct token, expires_ms),
	F(14, FIELD_U32, struct token, result_kind, .text = record_kind_text),
	IDS(15, struct token, results),
};
RECORD(token, struct token);

static const struct field counters_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct counters, last_vni),
	F(11, FIELD_U32, struct counters, last_host),
	F(12, FIELD_U32, struct counters, last_group),
	F(13, FIELD_U32, struct counters, last_acl),
	F(60, FIELD_U32, struct counters, last_handle),
	F(61, FIELD_U32, struct counters, last_table),
	F(90, FIELD_U32, struct counters, last_placed),
};
RECORD(counters, struct counters);

static const char *placement_text_of(uint32_t v)
{
	return placement_strategy_text((enum placement_strategy)v);
}

static const struct field settings_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct settings, placement, .text = placement_text_of),
};
RECORD(settings, struct settings);
