/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two hosts use between them: the policies, changes of them that have not reached all pairs,
 * steps from one choice to another, and labels.
 */
#include "model/record_tables.h"

#include "model/choice_note.h"
#include "model/choice_pass.h"
#include "model/choice_policy.h"
#include "model/label.h"
#include "model/pair_shift.h"

static const struct field pair_shift_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct pair_shift, from),
	F(11, FIELD_U32, struct pair_shift, to),
	FN(12, FIELD_U32, "vni", struct pair_shift, class.vni),
	FN(13, FIELD_U32, "peer_vni", struct pair_shift, class.peer_vni),
	FN(14, FIELD_ID, "interface", struct pair_shift, class.interface, .kind = KIND_INTERFACE),
	FN(15, FIELD_ID, "peer_interface", struct pair_shift, class.peer_interface,
	   .kind = KIND_INTERFACE),
	FN(16, FIELD_U64, "sender_revision", struct pair_shift, shift.sender_revision),
	FN(17, FIELD_U64, "receiver_revision", struct pair_shift, shift.receiver_revision),
	FN(18, FIELD_TIME, "past_since", struct pair_shift, shift.past_ms),
	FN(20, FIELD_U32, "using_format", struct pair_shift, shift.using.format),
	FN(21, FIELD_U32, "using_beside", struct pair_shift, shift.using.beside),
	FN(22, FIELD_U32, "using_features", struct pair_shift, shift.using.features),
	FN(23, FIELD_U32, "using_key_epoch", struct pair_shift, shift.using.key.epoch),
	FN(24, FIELD_BOOL, "using_outer_v6", struct pair_shift, shift.using.outer_v6),
	FN(25, FIELD_U64, "using_sender", struct pair_shift, shift.using.key.sender),
	FN(26, FIELD_U64, "using_receiver", struct pair_shift, shift.using.key.receiver),
	FN(30, FIELD_BOOL, "told", struct pair_shift, shift.told.set),
	FN(31, FIELD_U32, "told_format", struct pair_shift, shift.told.terms.format),
	FN(32, FIELD_U32, "told_beside", struct pair_shift, shift.told.terms.beside),
	FN(33, FIELD_U32, "told_features", struct pair_shift, shift.told.terms.features),
	FN(34, FIELD_U32, "told_key_epoch", struct pair_shift, shift.told.terms.key.epoch),
	FN(35, FIELD_BOOL, "told_outer_v6", struct pair_shift, shift.told.terms.outer_v6),
	FN(36, FIELD_U64, "told_sender", struct pair_shift, shift.told.terms.key.sender),
	FN(37, FIELD_U64, "told_receiver", struct pair_shift, shift.told.terms.key.receiver),
	FN(40, FIELD_BOOL, "offered", struct pair_shift, shift.offered.set),
	FN(41, FIELD_U32, "offered_format", struct pair_shift, shift.offered.terms.format),
	FN(42, FIELD_U32, "offered_beside", struct pair_shift, shift.offered.terms.beside),
	FN(43, FIELD_U32, "offered_features", struct pair_shift, shift.offered.terms.features),
	FN(44, FIELD_U32, "offered_key_epoch", struct pair_shift, shift.offered.terms.key.epoch),
	FN(45, FIELD_BOOL, "offered_outer_v6", struct pair_shift, shift.offered.terms.outer_v6),
	FN(46, FIELD_U64, "offered_sender", struct pair_shift, shift.offered.terms.key.sender),
	FN(47, FIELD_U64, "offered_receiver", struct pair_shift, shift.offered.terms.key.receiver),
	FN(50, FIELD_BOOL, "past", struct pair_shift, shift.past.set),
	FN(51, FIELD_U32, "past_format", struct pair_shift, shift.past.terms.format),
	FN(52, FIELD_U32, "past_beside", struct pair_shift, shift.past.terms.beside),
	FN(53, FIELD_U32, "past_features", struct pair_shift, shift.past.terms.features),
	FN(54, FIELD_U32, "past_key_epoch", struct pair_shift, shift.past.terms.key.epoch),
	FN(55, FIELD_BOOL, "past_outer_v6", struct pair_shift, shift.past.terms.outer_v6),
	FN(56, FIELD_U64, "past_sender", struct pair_shift, shift.past.terms.key.sender),
	FN(57, FIELD_U64, "past_receiver", struct pair_shift, shift.past.terms.key.receiver),
};
RECORD(pair_shift, struct pair_shift);

static const struct field label_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct label, addr),
	F(11, FIELD_U32, struct label, host),
	F(12, FIELD_U32, struct label, vni),
	F(13, FIELD_ADDR, struct label, virtual),
	F(14, FIELD_U64, struct label, since),
	FN(15, FIELD_TIME, "rest", struct label, rest_ms),
};
RECORD(label, struct label);

static const struct field choice_text_fields[] = {
	F(1, FIELD_STRING, struct choice_text, text),
};
PART(choice_text, struct choice_text);

static const char *effect_text(uint32_t v)
{
	return choice_effect_text((enum choice_effect)v);
}

static const char *direction_text(uint32_t v)
{
	return choice_direction_text((enum choice_direction)v);
}

#define MEMBER_LABELS(tag_, name_, member_)                                                        \
	{                                                                                          \
		.tag = tag_, .type = FIELD_ARRAY, .name = name_,                                   \
		.offset = offsetof(struct choice_policy, member_.labels),                          \
		.size = sizeof(struct tag),                                                        \
		.count_offset = offsetof(struct choice_policy, member_.n_labels),                  \
		.element = &tag_record                                                             \
	}
/* Of a policy, and of one as it was before a change, which begins with it. */
#define CHOICE_POLICY_FIELDS                                                                       \
	F(10, FIELD_STRING, struct choice_policy, name),                                           \
		F(11, FIELD_STRING, struct choice_policy, environment),                            \
		FN(12, FIELD_ID, "host", struct choice_policy, one.host, .kind = KIND_HOST),       \
		FN(13, FIELD_ID, "network", struct choice_policy, one.vpc, .kind = KIND_VPC),      \
		FN(14, FIELD_ID, "match_account", struct choice_policy, one.account,               \
		   .kind = KIND_ACCOUNT),                                                          \
		MEMBER_LABELS(15, "host_labels", one),                                             \
		FN(16, FIELD_ID, "peer_host", struct choice_policy, other.host,                    \
		   .kind = KIND_HOST),                                                             \
		FN(17, FIELD_ID, "peer_network", struct choice_policy, other.vpc,                  \
		   .kind = KIND_VPC),                                                              \
		FN(18, FIELD_ID, "peer_account", struct choice_policy, other.account,              \
		   .kind = KIND_ACCOUNT),                                                          \
		MEMBER_LABELS(19, "peer_labels", other),                                           \
		FN(20, FIELD_ID, "interface", struct choice_policy, interfaces[0],                 \
		   .kind = KIND_INTERFACE),                                                        \
		FN(21, FIELD_ID, "peer_interface", struct choice_policy, interfaces[1],            \
		   .kind = KIND_INTERFACE),                                                        \
		F(22, FIELD_U32, struct choice_policy, direction, .text = direction_text),         \
		F(23, FIELD_U32, struct choice_policy, effect, .text = effect_text),               \
		ARRAY(24, struct choice_policy, what, choice_text_record),                         \
		F(25, FIELD_U64, struct choice_policy, rate_bits),                                 \
		F(26, FIELD_U32, struct choice_policy, rate_burst),                                \
		F(27, FIELD_BOOL, struct choice_policy, source_only)

static const struct field choice_policy_fields[] = {
	OBJECT_FIELDS,
	CHOICE_POLICY_FIELDS,
};
RECORD(choice_policy, struct choice_policy);

static const struct field choice_change_fields[] = {
	OBJECT_FIELDS,
	CHOICE_POLICY_FIELDS,
	FN(40, FIELD_ID, "policy", struct choice_change, former.id, .kind = KIND_CHOICE_POLICY),
	FN(41, FIELD_U64, "age", struct choice_change, former.age),
	FN(42, FIELD_ID, "owner", struct choice_change, former.owner, .kind = KIND_ACCOUNT),
	F(43, FIELD_BOOL, struct choice_change, made),
	F(44, FIELD_U64, struct choice_change, done),
	F(45, FIELD_U32, struct choice_change, about, .text = record_kind_text),
};
RECORD(choice_change, struct choice_change);

static const struct field choice_pass_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U64, struct choice_pass, through),
	F(11, FIELD_U32, struct choice_pass, phase),
	F(12, FIELD_U64, struct choice_pass, at),
};
RECORD(choice_pass, struct choice_pass);
