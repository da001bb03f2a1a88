/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tree.h"

#include <string.h>

#include "ctl/agents.h"
#include "ctl/completion.h"
#include "ctl/connections.h"
#include "ctl/decode.h"
#include "ctl/flow_log.h"
#include "ctl/host.h"
#include "ctl/interface.h"
#include "ctl/lab_command.h"
#include "ctl/network.h"
#include "ctl/operate.h"
#include "ctl/place.h"
#include "ctl/policy.h"
#include "ctl/show.h"

static const struct command account = {
	.word = "account",
	.help = "accounts and their keys",
	.children = operate_account_commands,
	.n_children = OPERATE_ACCOUNT_COMMANDS,
};
static const struct command pool = {
	.word = "pool",
	.help = "pools of public addresses",
	.children = operate_pool_commands,
	.n_children = OPERATE_POOL_COMMANDS,
};
static const struct command agent = {
	.word = "agent",
	.help = "what the agents of this machine know, without a manager too",
	.children = agents_commands,
	.n_children = AGENTS_COMMANDS,
};
static const struct command lab = {
	.word = "lab",
	.help = "a whole cluster in namespaces of this machine",
	.children = lab_commands,
	.n_children = LAB_COMMANDS,
};

const struct command *tree_root(void)
{
	static struct command children[SHOW_COMMANDS + 20];
	static const struct command root = {
		.word = "viaduct",
		.help = "the command line of Viaduct, virtual private cloud networks",
		.children = children,
		.n_children = ARRAY_SIZE(children),
	};

	/* what looks, what changes, what is of this machine: the order of --help */
	memcpy(children, show_commands, sizeof(show_commands));
	children[SHOW_COMMANDS] = flow_log_command;
	children[SHOW_COMMANDS + 1] = connections_command;
	children[SHOW_COMMANDS + 2] = agent;
	children[SHOW_COMMANDS + 3] = decode_command;
	children[SHOW_COMMANDS + 4] = host_command;
	children[SHOW_COMMANDS + 5] = policy_command;
	children[SHOW_COMMANDS + 6] = place_command;
	children[SHOW_COMMANDS + 7] = place_settings_command;
	children[SHOW_COMMANDS + 8] = network_preload_command;
	children[SHOW_COMMANDS + 9] = network_environment_command;
	children[SHOW_COMMANDS + 10] = network_unknown_macs_command;
	children[SHOW_COMMANDS + 11] = network_router_command;
	children[SHOW_COMMANDS + 12] = interface_command;
	children[SHOW_COMMANDS + 13] = interface_share_command;
	children[SHOW_COMMANDS + 14] = operate_nat_command;
	children[SHOW_COMMANDS + 15] = pool;
	children[SHOW_COMMANDS + 16] = operate_release_command;
	children[SHOW_COMMANDS + 17] = account;
	children[SHOW_COMMANDS + 18] = lab;
	children[SHOW_COMMANDS + 19] = completion_command;
	return &root;
}
