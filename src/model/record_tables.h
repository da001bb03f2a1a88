/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: the fields of each kind of object, and what they are written down with.  The
 * tables are in record_*.c, by what they are about; record_tables.c says which one a kind has.
 *
 * Tags 1 to 9 are those of struct object.  A tag is never given to another field; within a table
 * they ascend.
 */
#pragma once

#include "base/err.h"
#include "model/object.h"
#include "model/record.h"

/* A field of the name of its member; what follows are further members of struct field. */
#define F(tag_, type_, struct_, member_, ...)                                                      \
	{                                                                                          \
		.tag = tag_, .type = type_, .name = #member_,                                      \
		.offset = offsetof(struct_, member_), __VA_ARGS__                                  \
	}
/* A field with another name than its member. */
#define FN(tag_, type_, name_, struct_, member_, ...)                                              \
	{                                                                                          \
		.tag = tag_, .type = type_, .name = name_, .offset = offsetof(struct_, member_),   \
		__VA_ARGS__                                                                        \
	}
/* 'member_' points to n_'member_' elements that 'record_' describes; */
#define ARRAY(tag_, struct_, member_, record_)                                                     \
	{                                                                                          \
		.tag = tag_, .type = FIELD_ARRAY, .name = #member_,                                \
		.offset = offsetof(struct_, member_), .size = sizeof(*((struct_ *)NULL)->member_), \
		.count_offset = offsetof(struct_, n_##member_), .element = &(record_)              \
	}
/* to as many numbers of objects. */
#define IDS(tag_, struct_, member_)                                                                \
	{                                                                                          \
		.tag = tag_, .type = FIELD_IDS, .name = #member_,                                  \
		.offset = offsetof(struct_, member_), .size = sizeof(uint64_t),                    \
		.count_offset = offsetof(struct_, n_##member_)                                     \
	}
/* The fields 'name_'_fields as a record: of a kind, declared below, */
#define RECORD(name_, struct_)                                                                     \
	const struct record name_##_record = {#name_, sizeof(struct_), ARRAY_SIZE(name_##_fields), \
					      name_##_fields}
/* or of the elements of an array in the same file. */
#define PART(name_, struct_)                                                                       \
	static const struct record name_##_record = {#name_, sizeof(struct_),                      \
						     ARRAY_SIZE(name_##_fields), name_##_fields}

/* What all objects have. */
#define OBJECT_FIELDS                                                                              \
	FN(1, FIELD_ID, "account", struct object, account, .kind = KIND_ACCOUNT),                  \
		FN(2, FIELD_U64, "revision", struct object, revision),                             \
		FN(3, FIELD_U64, "serial", struct object, serial),                                 \
		FN(4, FIELD_TIME, "created", struct object, created_ms),                           \
		ARRAY(5, struct object, tags, tag_record)

/* The name of a kind, for fields that hold one. */
const char *record_kind_text(uint32_t v);

extern const struct record tag_record;
extern const struct record account_record;
extern const struct record key_record;
extern const struct record host_record;
extern const struct record vpc_record;
extern const struct record subnet_record;
extern const struct record interface_record;
extern const struct record instance_record;
extern const struct record token_record;
extern const struct record counters_record;
extern const struct record release_record;
extern const struct record group_record;
extern const struct record rule_record;
extern const struct record acl_record;
extern const struct record list_record;
extern const struct record dhcp_options_record;
extern const struct record choice_policy_record;
extern const struct record choice_change_record;
extern const struct record choice_pass_record;
extern const struct record permission_record;
extern const struct record usage_record;
extern const struct record insights_path_record;
extern const struct record insights_analysis_record;
extern const struct record route_table_record;
extern const struct record internet_gateway_record;
extern const struct record egress_gateway_record;
extern const struct record nat_gateway_record;
extern const struct record elastic_record;
extern const struct record drain_record;
extern const struct record pair_shift_record;
extern const struct record label_record;
extern const struct record peering_record;
extern const struct record pool_record;
extern const struct record flow_log_record;
extern const struct record mirror_target_record;
extern const struct record mirror_filter_record;
extern const struct record mirror_session_record;
extern const struct record placement_group_record;
extern const struct record settings_record;
