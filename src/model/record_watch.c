/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What looks on: flow logs, traffic mirroring, paths that are analysed.
 */
#include "model/record_tables.h"

#include "model/flow_log.h"
#include "model/insights.h"
#include "model/mirror.h"

/* Six tags. */
#define FILTER(tag_, name_, struct_, member_)                                                      \
	FN(tag_, FIELD_ADDR, name_ "_source", struct_, member_.src),                               \
		FN(tag_ + 1, FIELD_ADDR, name_ "_destination", struct_, member_.dst),              \
		FN(tag_ + 2, FIELD_U32, name_ "_source_port_from", struct_,                        \
		   member_.src_ports.from),                                                        \
		FN(tag_ + 3, FIELD_U32, name_ "_source_port_to", struct_, member_.src_ports.to),   \
		FN(tag_ + 4, FIELD_U32, name_ "_destination_port_from", struct_,                   \
		   member_.dst_ports.from),                                                        \
		FN(tag_ + 5, FIELD_U32, name_ "_destination_port_to", struct_,                     \
		   member_.dst_ports.to)

static const struct field insights_path_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct insights_path, source_kind, .text = record_kind_text),
	F(11, FIELD_U64, struct insights_path, source),
	F(12, FIELD_U32, struct insights_path, destination_kind, .text = record_kind_text),
	F(13, FIELD_U64, struct insights_path, destination),
	F(14, FIELD_ADDR, struct insights_path, source_addr),
	F(15, FIELD_ADDR, struct insights_path, destination_addr),
	F(16, FIELD_U32, struct insights_path, protocol),
	F(17, FIELD_U32, struct insights_path, port),
	FILTER(18, "at_source", struct insights_path, at_source),
	FILTER(24, "at_destination", struct insights_path, at_destination),
};
RECORD(insights_path, struct insights_path);

static const struct field reach_step_fields[] = {
	F(1, FIELD_U32, struct reach_step, what),
	F(2, FIELD_U32, struct reach_step, code),
	F(3, FIELD_BOOL, struct reach_step, back),
	F(4, FIELD_BOOL, struct reach_step, egress),
	F(5, FIELD_U32, struct reach_step, kind, .text = record_kind_text),
	F(6, FIELD_U64, struct reach_step, id),
	F(7, FIELD_U32, struct reach_step, attached_kind, .text = record_kind_text),
	F(8, FIELD_U64, struct reach_step, attached),
	F(9, FIELD_U64, struct reach_step, rule),
	F(10, FIELD_BOOL, struct reach_step, allow),
	F(11, FIELD_U32, struct reach_step, protocol),
	F(12, FIELD_U32, struct reach_step, from),
	F(13, FIELD_U32, struct reach_step, to),
	F(14, FIELD_PREFIX, struct reach_step, prefix),
	F(15, FIELD_U64, struct reach_step, group),
	F(16, FIELD_U32, struct reach_step, target_kind, .text = record_kind_text),
	F(17, FIELD_U64, struct reach_step, target),
	F(18, FIELD_U64, struct reach_step, list),
};
PART(reach_step, struct reach_step);

static const struct field insights_analysis_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct insights_analysis, path, .kind = KIND_INSIGHTS_PATH),
	F(11, FIELD_BOOL, struct insights_analysis, found),
	ARRAY(12, struct insights_analysis, steps, reach_step_record),
	F(13, FIELD_U32, struct insights_analysis, port_from),
	F(14, FIELD_U32, struct insights_analysis, port_to),
	F(15, FIELD_U32, struct insights_analysis, to_port_from),
	F(16, FIELD_U32, struct insights_analysis, to_port_to),
};
RECORD(insights_analysis, struct insights_analysis);

static const struct field flow_log_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct flow_log, resource_kind, .text = record_kind_text),
	F(11, FIELD_U64, struct flow_log, resource),
	F(12, FIELD_U32, struct flow_log, traffic, .text = flow_traffic_text),
	F(13, FIELD_U32, struct flow_log, interval),
	F(14, FIELD_STRING, struct flow_log, format),
	F(15, FIELD_BOOL, struct flow_log, s3),
	F(16, FIELD_STRING, struct flow_log, destination),
	F(17, FIELD_STRING, struct flow_log, group_name),
	F(18, FIELD_STRING, struct flow_log, role),
};
RECORD(flow_log, struct flow_log);

static const struct field mirror_target_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct mirror_target, interface, .kind = KIND_INTERFACE),
	F(11, FIELD_STRING, struct mirror_target, description),
};
RECORD(mirror_target, struct mirror_target);

static const struct field mirror_rule_fields[] = {
	F(1, FIELD_ID, struct mirror_rule, id, .prefix = ID_PREFIX_MIRROR_RULE),
	F(2, FIELD_BOOL, struct mirror_rule, egress),
	F(3, FIELD_BOOL, struct mirror_rule, accept),
	F(4, FIELD_BOOL, struct mirror_rule, has_source_ports),
	F(5, FIELD_BOOL, struct mirror_rule, has_destination_ports),
	F(6, FIELD_U32, struct mirror_rule, number),
	F(7, FIELD_U32, struct mirror_rule, protocol),
	F(8, FIELD_U32, struct mirror_rule, source_from),
	F(9, FIELD_U32, struct mirror_rule, source_to),
	F(10, FIELD_U32, struct mirror_rule, destination_from),
	F(11, FIELD_U32, struct mirror_rule, destination_to),
	F(12, FIELD_PREFIX, struct mirror_rule, source),
	F(13, FIELD_PREFIX, struct mirror_rule, destination),
	F(14, FIELD_STRING, struct mirror_rule, description),
};
PART(mirror_rule, struct mirror_rule);

static const struct field mirror_filter_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct mirror_filter, description),
	F(11, FIELD_BOOL, struct mirror_filter, dns),
	ARRAY(12, struct mirror_filter, rules, mirror_rule_record),
};
RECORD(mirror_filter, struct mirror_filter);

static const struct field mirror_session_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct mirror_session, interface, .kind = KIND_INTERFACE),
	F(11, FIELD_ID, struct mirror_session, target, .kind = KIND_MIRROR_TARGET),
	F(12, FIELD_ID, struct mirror_session, filter, .kind = KIND_MIRROR_FILTER),
	F(13, FIELD_U32, struct mirror_session, number),
	F(14, FIELD_U32, struct mirror_session, length),
	F(15, FIELD_U32, struct mirror_session, vni),
	F(16, FIELD_STRING, struct mirror_session, description),
};
RECORD(mirror_session, struct mirror_session);
