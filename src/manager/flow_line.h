/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of a flow log as a line of text: the fields of its format with spaces between them, "-"
 * where a field has no value (Amazon VPC Flow Logs, "Flow log records").
 */
#pragma once

#include "abi/agent.pb-c.h"
#include "base/buf.h"
#include "model/flow_log.h"
#include "model/model.h"

struct interface;

enum flow_status { FLOW_STATUS_OK, FLOW_STATUS_NODATA, FLOW_STATUS_SKIPDATA };

/* What a line is made from. */
struct flow_line {
	const struct model *m;
	const struct interface *interface;
	uint64_t instance; /* that it is attached to on the host; 0: none */
	enum flow_status status;
	uint64_t start_ms, end_ms;
	const Viaduct__Agent__FlowRecord *record; /* OK: whose addresses have 16 bytes each */
};

void flow_line_write(struct buf *b, const enum flow_field *fields, size_t n,
		     const struct flow_line *line);
