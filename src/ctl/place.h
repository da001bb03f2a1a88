/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where nodes go: what hosts have room for, the dry run, starting a node, and the cluster's
 * settings.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "ctl/command.h"

/* Of "host add" and "host set". */
#define PLACE_ROOM_OPTIONS                                                                         \
	{"memory", "MIB", "that instances may have (default, and 0: as much as they like)",        \
	 false},                                                                                   \
		{"vcpus", "N", "likewise", false}, {"bandwidth", "MBPS", "likewise", false},       \
		{"disk", "GIB", "likewise", false},                                                \
		{"ports", "N", "interfaces of instances (default and at most 1023)", false},       \
	{                                                                                          \
		"cost", "N", "of a node there; the cheaper hosts are taken first", false           \
	}
enum { PLACE_HOST_OPTIONS = 9 };
extern const struct command_option place_host_options[PLACE_HOST_OPTIONS];

must_check int place_set_room(const struct invocation *inv, json_t *body);
int place_run_host_set(const struct invocation *inv);

extern const struct command place_command;
extern const struct command place_settings_command;
