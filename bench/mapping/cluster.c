/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <arpa/inet.h>
#include <sys/resource.h>

#include "manager/descriptors.h"
#include "model/interface.h"
#include "store/store.h"
#include "store/store_sqlite.h"
#include "wire/session.h"

static void submit(struct change *change, void *data)
{
	struct cluster *cluster = data;
	int r = journal_submit(cluster->manager->journal, change);

	if (r)
		bench_die("journal_submit", r);
	if (model_revision(cluster->manager->model) % 64 == 0)
		cluster_settle(cluster);
}

void cluster_settle(struct cluster *cluster)
{
	while (journal_is_pending(cluster->manager->journal))
		if (loop_turn(cluster->loop, 5))
			bench_die("loop", -EIO);
}

void cluster_work(struct cluster *cluster)
{
	if (loop_turn(cluster->loop, 10))
		bench_die("loop", -EIO);
}

bool cluster_all_attached(const struct cluster *cluster)
{
	struct model_iter it = model_iter_kind(cluster->manager->model, KIND_INTERFACE);
	const struct interface *i;

	while ((i = (const struct interface *)model_iter_next(&it)))
		if (i->attachment.state != ATTACHMENT_ATTACHED)
			return false;
	return !journal_is_pending(cluster->manager->journal);
}

struct tx *cluster_begin(struct cluster *cluster)
{
	struct tx *tx;
	int r = tx_begin(cluster->manager->model, 1764000000000, &tx);

	if (r)
		bench_die("tx_begin", r);
	return tx;
}

void cluster_submit(struct cluster *cluster, struct tx *tx, int r)
{
	struct change *change;

	if (!r)
		r = tx_end(tx, &change);
	if (!r)
		r = journal_submit(cluster->manager->journal, change);
	if (r)
		bench_die("change", r);
}

static void open_store(struct cluster *cluster, const char *path, struct store **ret)
{
	struct store_error error;
	int r;

	if (path) {
		r = store_sqlite_open(path, ret, &error);
	} else {
		r = store_disk_new(&cluster->disk);
		if (!r)
			r = store_memory_open(cluster->disk, ret);
	}
	if (r)
		bench_die("store", r);
}

static void open_gate(struct cluster *cluster)
{
	static const char *const names[] = {"127.0.0.1"};
	struct pki_validity validity = {clock_wall_ms(&cluster->clock), 1};
	socklen_t size = sizeof(cluster->addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	r = pki_make_ca("bench", validity, &cluster->ca);
	if (!r)
		r = pki_make_server(&cluster->ca, names, 1, validity, &cluster->server);
	cluster->addr.sin_family = AF_INET;
	cluster->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!r && (bind(fd, (struct sockaddr *)&cluster->addr, size) || listen(fd, 4096) ||
		   getsockname(fd, (struct sockaddr *)&cluster->addr, &size)))
		r = -errno;
	if (!r)
		r = gate_new(cluster->manager, cluster->ca.certificate, &cluster->server, fd,
			     &descriptors_unlimited, &cluster->gate);
	if (r)
		bench_die("gate", r);
}

struct cluster *cluster_new(size_t n_hosts, size_t n_instances, const char *store)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	struct manager_config config = {.lease_seconds = 3600};
	struct rlimit limit;
	int r;

	if (!cluster)
		bench_die("cluster", -ENOMEM);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	clock_init_real(&cluster->clock);
	r = loop_new(&cluster->clock, &cluster->loop);
	if (r)
		bench_die("loop", r);
	open_store(cluster, store, &config.store);
	config.loop = cluster->loop;
	config.model = population_model();
	r = manager_new(&config, &cluster->manager);
	if (r)
		bench_die("manager", r);
	cluster->population = (struct population){
		.model = cluster->manager->model, .submit = submit, .data = cluster};
	population_add_hosts(&cluster->population, population_hosts_for(n_instances, n_hosts));
	cluster_settle(cluster);
	population_enable_hosts(&cluster->population);
	population_add_instances(&cluster->population, n_instances, 1);
	cluster_settle(cluster);
	for (size_t i = 0; i < cluster->population.n_hosts; i++)
		host_set_connected(cluster->manager->model, cluster->population.numbers[i], false);
	open_gate(cluster);
	return cluster;
}

struct cluster *cluster_free(struct cluster *cluster)
{
	gate_free(cluster->gate);
	manager_free(cluster->manager);
	pki_pair_deinit(&cluster->ca);
	pki_pair_deinit(&cluster->server);
	loop_free(cluster->loop);
	store_disk_free(cluster->disk);
	free(cluster);
	return NULL;
}

void cluster_clients_begin(struct cluster_clients *clients, struct cluster *cluster)
{
	clients->cluster = cluster;
	clock_init_real(&clients->clock);
	if (loop_new(&clients->clock, &clients->loop))
		bench_die("client loop", -ENOMEM);
}

void cluster_connect(struct cluster_clients *clients, struct sim_agent *agent, size_t host)
{
	const struct cluster *cluster = clients->cluster;
	struct pki_validity validity = {clock_wall_ms(&clients->clock), 1};
	struct pki_pair pair;
	struct tls_context *tls;
	struct session *session;
	int r;

	r = pki_make_host(&cluster->ca, cluster->population.host_ids[host], validity, &pair);
	if (!r)
		r = tls_client_new(cluster->ca.certificate, &pair, &tls);
	if (!r)
		r = session_connect(clients->loop, tls, (const struct sockaddr *)&cluster->addr,
				    sizeof(cluster->addr), NULL, &sim_agent_callbacks, agent,
				    &session);
	if (r)
		bench_die("connect", r);
	tls_free(tls);
	pki_pair_deinit(&pair);
}

void cluster_turn(struct cluster_clients *clients)
{
	if (loop_turn(clients->loop, 10))
		bench_die("client loop", -EIO);
}

void cluster_clients_end(struct cluster_clients *clients)
{
	loop_free(clients->loop);
}
