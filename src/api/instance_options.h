/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What EC2 tells of every instance and is the same for all of ours: the answer of DescribeInstances
 * and its filters say it in the same words.
 */
#pragma once

#define INSTANCE_PLATFORM        "Linux/UNIX"
#define INSTANCE_OPERATION       "RunInstances"
#define INSTANCE_RESERVATION     "open"
#define INSTANCE_METADATA_STATE  "applied"
#define INSTANCE_METADATA_TOKENS "optional"
#define INSTANCE_OFF             "disabled"
#define INSTANCE_HOSTNAME        "ip-name"

enum { INSTANCE_METADATA_HOPS = 1 };
