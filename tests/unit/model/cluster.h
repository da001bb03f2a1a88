/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model in the state that most tests begin with, and shorthand for operations in transactions of
 * their own.  One account, an operator, 'n' connected hosts on an IPv6 substrate, in zone a.
 */
#pragma once

#include "abi/format.h"
#include "model/account.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/model.h"
#include "model/subnet.h"
#include "model/tx.h"
#include "model/vpc.h"
#include "tests/unit/test.h"

#define ACCOUNT_ID   123456789012
#define ACCOUNT_TEXT "123456789012"

enum { CLUSTER_HOSTS_MAX = 8 };

struct cluster {
	struct model *m;
	uint64_t random; /* state of the generator of ids */
	uint64_t now_ms;
	struct caller me;
	struct caller admin;
	struct caller stranger;
	struct refusal refusal;
	char vpc[ID_TEXT_SIZE];
	char subnet[ID_TEXT_SIZE];
	uint32_t hosts[CLUSTER_HOSTS_MAX]; /* numbers */
	size_t choice_at_once;             /* the model's */
};

void cluster_init(struct cluster *c, size_t n_hosts);
/* The same, policies and reports being applied to no more than so many directions at once: 1 makes a
 * pass, or steps, of each; the hosts' first reports have reached all pairs. */
void cluster_init_passes(struct cluster *c, size_t n_hosts, size_t choice_at_once);
/* The same with a VPC 10.0.0.0/16 and a subnet 10.0.0.0/24. */
void cluster_init_network(struct cluster *c, size_t n_hosts);
/* These two, in a cluster that has none. */
void cluster_make_network(struct cluster *c);
void cluster_deinit(struct cluster *c);

/* A transaction of one operation:  cluster_end(c, vpc_create(cluster_tx(c), ...));  The change is
 * committed, or on a refusal there is none; returns the operation's result. */
struct tx *cluster_tx(struct cluster *c);
int cluster_end(struct cluster *c, int r);
/* Ends the transaction and keeps the change. */
struct change *cluster_end_change(struct cluster *c, int r);

uint32_t cluster_add_host(struct cluster *c, const char *name, const char *v4, const char *v6,
			  uint32_t formats, uint32_t mtu);
/* A connected edge on an IPv6 substrate; its number. */
uint32_t cluster_add_edge(struct cluster *c, const char *name, const char *v6);
void cluster_make_vpc(struct cluster *c, const char *cidr, char ret_id[ID_TEXT_SIZE]);
void cluster_make_subnet(struct cluster *c, const char *vpc, const char *cidr,
			 char ret_id[ID_TEXT_SIZE]);
/* An internet gateway; 'vpc' NULL: attached to none. */
void cluster_make_internet(struct cluster *c, const char *vpc, char ret_id[ID_TEXT_SIZE]);
int cluster_make_interface(struct cluster *c, const char *subnet, const char *ip,
			   char ret_id[ID_TEXT_SIZE]);
int cluster_run(struct cluster *c, const char *subnet, char ret_id[ID_TEXT_SIZE]);
/* On hosts[host]; all hosts are connected afterwards. */
int cluster_run_on(struct cluster *c, size_t host, const char *subnet, char ret_id[ID_TEXT_SIZE]);
/* instance_start(), instance_stop() or instance_terminate() of one. */
typedef int (*cluster_transition_fn)(struct tx *tx, const struct caller *caller,
				     const char *const *ids, size_t n,
				     struct instance_transition *ret, struct refusal *reterr);
int cluster_transition(struct cluster *c, cluster_transition_fn fn, const char *id);
/* The manager starts again with what it has stored. */
void cluster_restart(struct cluster *c);
/* Every host that is there acknowledges everything. */
void cluster_acknowledge(struct cluster *c);
/* Choices that change settle: each step is acknowledged, the grace times pass; none is left. */
void cluster_settle_choices(struct cluster *c);

/* Whosever they are; they must be there. */
const struct vpc *cluster_vpc(struct cluster *c, const char *id);
const struct subnet *cluster_subnet(struct cluster *c, const char *id);
const struct instance *cluster_instance(struct cluster *c, const char *id);
const struct interface *cluster_interface(struct cluster *c, const char *id);
const struct interface *cluster_interface_of(struct cluster *c, const char *instance_id);
