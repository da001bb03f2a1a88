/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and analyses of network insights as XML, inside an element that is open. */
#pragma once

#include "api/call.h"
#include "model/insights.h"

void insights_write_path(struct ec2_call *c, const struct insights_path *p);
void insights_write_analysis(struct ec2_call *c, const struct insights_analysis *a);
