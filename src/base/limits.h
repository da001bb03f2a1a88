/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every size and limit of Viaduct, each with its reason.  A limit is enforced where it is used and
 * tested there.  Fixed by a protocol: in abi/, not here.
 */
#pragma once

/* Log: a hostile node must not fill the disk through one call site, and an operator must still see
 * each kind of event every few seconds. */
#define LIMIT_LOG_BURST       10
#define LIMIT_LOG_INTERVAL_MS 5000
/* One line: what journald and syslog take without splitting. */
#define LIMIT_LOG_LINE_SIZE 2048

/* Loop: iterations of loop_settle() before it says that the program spins. */
#define LIMIT_LOOP_SETTLE 100000

/* Configuration files are written by people; more than this is a mistake in the path. */
#define LIMIT_CONFIG_SIZE (1024 * 1024)

/* Descriptors passed to a child: sockets of a daemon and of its log; far below RLIMIT_NOFILE. */
#define LIMIT_PROCESS_FDS 16

/* Arena: a chunk serves most requests whole. */
#define LIMIT_ARENA_CHUNK_SIZE 4096

/* Store.  A batch is what waited during one sync: thousands of operations of some 500 bytes. */
#define LIMIT_STORE_BATCH_SIZE (64 * 1024 * 1024)
/* Batches made durable by one sync; what waits beyond goes with the next. */
#define LIMIT_STORE_COMMIT_BATCHES 256
/* Writes whose commit's completions come in one turn of the loop: each costs a microsecond or
 * three. */
#define LIMIT_STORE_TURN_WRITES 1024
/* How soon a store that works again is seen to, when nobody writes; each try syncs once. */
#define LIMIT_STORE_PROBE_S 1
/* Reading this much log takes 0.1 s at start, and folding it is cheap beside having written it. */
#define LIMIT_STORE_TAIL_SIZE (16 * 1024 * 1024)
/* One step of compaction: 1 to 3 ms between two commits. */
#define LIMIT_STORE_STEP_SIZE  (1024 * 1024)
#define LIMIT_STORE_STEP_ROWS  1024
#define LIMIT_STORE_CHUNK_SIZE (256 * 1024)

/* API.  EC2 takes bodies up to 64 KiB and some; a RunInstances with user data and tags must fit. */
#define LIMIT_API_BODY_SIZE (1024 * 1024)
/* What all headers, the path and the query may take together: as web servers have it. */
#define LIMIT_API_HEADER_SIZE (64 * 1024)
/* Parameters of one request: 1,000 ids, or 200 filters with their values, and some. */
#define LIMIT_API_PARAMS 4096
/* Memory that one request may take while it is handled; its answer comes on top. */
#define LIMIT_API_ARENA_SIZE (32 * 1024 * 1024)
/* An answer: 1,000 instances with all they have are 4 MB; describing a million interfaces in one
 * page is refused rather than built. */
#define LIMIT_API_ANSWER_SIZE (64 * 1024 * 1024)
/* Elements of one list in a request, ids or values of a filter: EC2's. */
#define LIMIT_API_LIST 1000
/* Pages, as EC2 has them. */
#define LIMIT_API_PAGE_MIN 5
#define LIMIT_API_PAGE_MAX 1000
/* Hosts of which all pairs are told in one answer: 10,000 pairs. */
#define LIMIT_API_PAIR_HOSTS 100
/* More interfaces than this are not told one by one to those who read metrics: 400 bytes each. */
#define LIMIT_API_METRICS_INTERFACES 10000
/* SigV4: how far clocks may be apart, and how long a presigned request may be good; AWS's. */
#define LIMIT_SIGV4_SKEW_S    900
#define LIMIT_SIGV4_EXPIRES_S 604800

/* Netlink: the kernel's dumps come in buffers of up to 32 KiB when asked with one as large. */
#define LIMIT_RTNL_BUFFER_SIZE 32768
/* The kernel answers at once; a lost answer must not hang a daemon. */
#define LIMIT_RTNL_TIMEOUT_MS 5000
/* Events held by the kernel for a monitor that is slow: some 10,000 of them. */
#define LIMIT_RTNL_MONITOR_BUFFER_SIZE (4 * 1024 * 1024)
/* A dump that changes under our eyes is taken again; one that never stands still is an error. */
#define LIMIT_RTNL_DUMP_RETRIES 16
/* Datagrams decoded per call of rtnl_monitor_read(), so that a storm of events leaves the loop time
 * for its other work. */
#define LIMIT_RTNL_MONITOR_BATCH 64

/* Agent protocol.  The largest frame is a full Desired (some 200 bytes per interface) or a Hello
 * with every mapping held (30 bytes each): this is 80,000 interfaces or half a million mappings. */
#define LIMIT_WIRE_FRAME_SIZE (16 * 1024 * 1024)
/* Decoded, a held mapping takes some 120 bytes for its 30; a record that needs more is made to
 * hurt. */
#define LIMIT_WIRE_DECODE_SIZE (8 * LIMIT_WIRE_FRAME_SIZE)
/* What may wait for a peer: the largest frame and pushes behind it.  A peer that leaves this much
 * lying resyncs more cheaply than it catches up. */
#define LIMIT_WIRE_QUEUE_SIZE (2 * LIMIT_WIRE_FRAME_SIZE)
/* A busy host may stall for seconds, a dead one should be known before people look. */
#define LIMIT_WIRE_PING_MS 5000
#define LIMIT_WIRE_DEAD_MS 15000
/* An edge that is gone takes all that goes in and out with it: it has to be known before
 * connections give up.  From its first acknowledgement in a session on. */
#define LIMIT_WIRE_EDGE_PING_MS 1000
#define LIMIT_WIRE_EDGE_DEAD_MS 4000
#define LIMIT_WIRE_HANDSHAKE_MS 10000
#define LIMIT_WIRE_GOODBYE_MS   1000
/* A host's certificate.  It is renewed over the session in the last third of its life, so a host
 * may be away for months; one that was stolen is of use until its host is removed, or for as
 * long. */
#define LIMIT_HOST_CERTIFICATE_DAYS       365
#define LIMIT_HOST_CERTIFICATE_RENEW_DAYS (LIMIT_HOST_CERTIFICATE_DAYS / 3)

/* Flow logs: what one keeps, 64 MiB, some 600,000 lines; and how long what belonged to a deleted
 * one may stay. */
#define LIMIT_FLOW_FILE_SIZE (4 * 1024 * 1024)
#define LIMIT_FLOW_FILES     16
#define LIMIT_FLOW_SWEEP_MS  60000
/* What one answer of the operators' API tells of one. */
#define LIMIT_FLOW_ANSWER_SIZE (1024 * 1024)

/* Model: what one customer may have, so that none can crowd out the others; EC2's where EC2 has
 * one. */
#define LIMIT_MODEL_VPCS       4096
#define LIMIT_MODEL_SUBNETS    200
#define LIMIT_MODEL_INTERFACES (2 * 1024 * 1024)
#define LIMIT_MODEL_INSTANCES  (1024 * 1024)
#define LIMIT_MODEL_RUN_COUNT  1000 /* instances of one call: its answer must stay readable */
#define LIMIT_MODEL_KEYS       16
#define LIMIT_MODEL_PAYS_FOR   1000 /* accounts: looked through for each interface */
#define LIMIT_MODEL_BLOCKS     5
#define LIMIT_MODEL_HOST_PORTS 1023 /* interfaces on one host: DP_SLOTS_MAX without slot 0 */
#define LIMIT_MODEL_BLOCKS6    1
/* EC2's most of each family; DP_PORT_ADDRS_MAX must hold both and a link-local one */
#define LIMIT_MODEL_INTERFACE_ADDRS 50
/* Security groups of an account; 2,500 at EC2. */
#define LIMIT_MODEL_GROUPS 2500
/* Rules of a group, by direction and family, and groups of an interface: EC2's, unless the operator
 * allows an account more; together at most what a new connection can be compared with in a few
 * microseconds. */
#define LIMIT_MODEL_GROUP_RULES            60
#define LIMIT_MODEL_GROUP_RULES_MAX        1000
#define LIMIT_MODEL_INTERFACE_GROUPS_USUAL 5
#define LIMIT_MODEL_INTERFACE_GROUPS       16 /* DP_GROUPS_MAX */
/* Prefix lists of an account, entries of one (EC2's), and entries of the versions that are kept for
 * being restored: a list whose entries all change has a few of them, and a record stays below a
 * megabyte. */
#define LIMIT_MODEL_LISTS        100
#define LIMIT_MODEL_LIST_ENTRIES 1000
#define LIMIT_MODEL_LIST_KEPT    2000
/* Network ACLs of a VPC, and entries of one by direction: EC2's; the second as far as EC2 lets it
 * be raised. */
#define LIMIT_MODEL_ACLS            200
#define LIMIT_MODEL_ACL_ENTRIES     20
#define LIMIT_MODEL_ACL_ENTRIES_MAX 40 /* both directions: DP_ACL_ENTRIES_MAX */
/* Placement groups of an account: EC2's. */
#define LIMIT_MODEL_PLACEMENT_GROUPS 500
/* What a node may be near to: each is compared with every host. */
#define LIMIT_MODEL_NEAR               16
#define LIMIT_MODEL_INTERFACE_ACCOUNTS 64 /* in each list of one interface */
#define LIMIT_MODEL_ATTACHMENTS        16 /* of one shared interface: DP_PEER_SET_MAX */
#define LIMIT_MODEL_INTERFACE_ROUTES                                                               \
	16 /* what a DHCP option of 255 bytes holds, with room for the rest */
#define LIMIT_MODEL_DHCP_OPTIONS    1000 /* sets of an account, EC2's */
#define LIMIT_MODEL_INSIGHTS        1000 /* paths, and analyses, of an account */
#define LIMIT_MODEL_TABLES          200
#define LIMIT_MODEL_ROUTES          100 /* of one table; EC2 gives 50 */
#define LIMIT_MODEL_EGRESS_GATEWAYS 5
#define LIMIT_MODEL_PEERINGS        125                       /* of one VPC, EC2's most */
#define LIMIT_MODEL_PEERING_MS      (7ULL * 24 * 3600 * 1000) /* until one is accepted */
#define LIMIT_MODEL_NAT_GATEWAYS    64                        /* of one VPC */
#define LIMIT_MODEL_NAT_PORTS       256                       /* static ones of one gateway */
#define LIMIT_MODEL_ADDRESSES       256 /* elastic ones of an account; EC2 gives 5 */
/* How long a node keeps its connections of a public address that is another's now: as long as EC2's
 * load balancers may let those of a target end at most. */
#define LIMIT_MODEL_DRAIN_MS (3600ULL * 1000)
#define LIMIT_MODEL_DRAINS                                                                         \
	4 /* of one public address: those that had it last; abi/gateway.h has room for them */
/* How long an edge's agent may be away before others get what the edge has, while the machine lives
 * and goes on forwarding: longer than an agent takes to start or to come back. A machine that has
 * gone silent is not waited for. */
#define LIMIT_MODEL_EDGE_LOST_MS 10000
#define LIMIT_MODEL_EDGE_MOVES   4096 /* in one transaction */
/* Flow logs of one resource: each line of it is written once for each. */
#define LIMIT_MODEL_FLOW_LOGS 8
#define LIMIT_MODEL_FLOW_TEXT 1000 /* the name of a destination */
/* Traffic mirroring: EC2's, but for the sources of a target, where its largest instance types have
 * 100. */
#define LIMIT_MODEL_MIRROR_TARGETS  200
#define LIMIT_MODEL_MIRROR_FILTERS  100
#define LIMIT_MODEL_MIRROR_RULES    10 /* of one filter and direction */
#define LIMIT_MODEL_MIRROR_SESSIONS 3  /* of one source: DP_MIRROR_SESSIONS */
#define LIMIT_MODEL_MIRROR_SOURCES  100
/* Policies for negotiation: the administrators' are all looked at for each pair of hosts, a
 * customer's for each pair with its networks. */
#define LIMIT_MODEL_CHOICE_POLICIES         256
#define LIMIT_MODEL_ACCOUNT_CHOICE_POLICIES 64
#define LIMIT_MODEL_TAGS                    50
#define LIMIT_MODEL_TAG_KEY                 128
#define LIMIT_MODEL_TAG_VALUE               256
#define LIMIT_MODEL_TEXT                    255   /* descriptions and names, as EC2's */
#define LIMIT_MODEL_USER_DATA               22000 /* 16 KiB in base64, EC2's limit */
#define LIMIT_MODEL_TOKEN                   64    /* characters, EC2's */
#define LIMIT_MODEL_TOKEN_MS                (24ULL * 3600 * 1000)
/* Usage is asked for after the month that it belongs to. */
#define LIMIT_MODEL_USAGE_MS (62ULL * 24 * 3600 * 1000)
/* A label rests at least so long after nobody uses it: packets under way have died (RFC 793:
 * MSL). */
#define LIMIT_MODEL_LABEL_REST_MS (120ULL * 1000)
#define LIMIT_MODEL_TERMINATED_MS (3600ULL * 1000) /* EC2 shows them for about an hour */
/* A record in the store; the largest is a prefix list with the versions that are kept. */
#define LIMIT_MODEL_RECORD_SIZE (1024 * 1024)

/* Driver: EC2's largest instances have 15 interfaces. */
#define LIMIT_NODE_INTERFACES 16
/* A record of a node with that many interfaces takes some 2,000 bytes. */
#define LIMIT_NODE_RECORD_SIZE 8192
#define LIMIT_PROC_STAT_SIZE   4096
/* Nodes that a host makes, changes or ends at a time: one that hangs must not hold up the others,
 * and more than a few would only wait for each other inside the kernel. */
#define LIMIT_DRIVER_WORKERS 4
/* A port is this old before its device gets a link in place of the filter: putting one there keeps
 * whoever else changes devices waiting, and more ports may be coming. */
#define LIMIT_DATAPATH_SETTLE_MS 2000
/* Processes of a node that is stopped get this long to end by themselves. */
#define LIMIT_NODE_STOP_MS 200
/* A process that forks while it is being killed leaves a child; more rounds than this is an
 * attack. */
#define LIMIT_NODE_KILL_ROUNDS 10
/* RFC 791: every host takes 576 bytes; less than that breaks DHCP. */
#define LIMIT_NODE_MTU_MIN 576

/* Preloaded networks: half of what an agent holds (LIMIT_AGENT_MAPPINGS), so that one customer's
 * mark leaves room for all other networks of the host. */
#define LIMIT_PRELOAD_INTERFACES (128 * 1024)
/* Mappings pushed to one host ahead of its acknowledgements: enough to keep it busy, and far below
 * LIMIT_UPDATES_WAITING, so that changes are never refused for them. */
#define LIMIT_PRELOAD_WINDOW 8192
/* Interfaces and addresses that a walk over a network looks at in one turn for one agent
 * (manager/offer.h): a millisecond's. */
#define LIMIT_PRELOAD_TURN 4096
/* NAT gateways on their way from one edge to another at a time (manager/handoff.h), or waiting to be
 * tried again; how long an edge may take for an answer; after how long it is tried again. */
#define LIMIT_HANDOFFS         4
#define LIMIT_HANDOFFS_WAITING 64
#define LIMIT_HANDOFF_MS       5000
#define LIMIT_HANDOFF_STRETCH  1024 /* translations in one message, of up to 60 bytes each */
#define LIMIT_HANDOFF_AGAIN_MS 2000
/* As often as the edge that has it fails, it is told nothing more of, and moved as from a lost
 * one. */
#define LIMIT_HANDOFF_FAILURES 3
/* A host that let go what is preloaded had no room, or not yet the peer: it is offered again after
 * so long. */
#define LIMIT_PRELOAD_AGAIN_MS 60000

/* Agent.  Every mapping held goes into one Hello; half of a frame is left for what else is in
 * it. */
#define LIMIT_AGENT_MAPPINGS (256 * 1024)
/* A refusal or a departure is remembered this long: packets to nowhere must not become questions,
 * and an address that comes to life must not stay dead. */
#define LIMIT_AGENT_NEGATIVE_MS 2000
/* Mappings come up for use this long before their lifetime ends, so that one in use is renewed.
 * Short, because packets for it would wait for an agent that dies meanwhile; long enough for a slow
 * flow. */
#define LIMIT_AGENT_RENEWAL_MS 2000
/* A lifetime without a word of the manager, and the shortest that is believed. */
#define LIMIT_AGENT_LEASE_S     300
#define LIMIT_AGENT_LEASE_MIN_S 5
/* A packet that waits longer than this for its mapping is of no use to its sender: TCP has sent it
 * again, ping has given up. */
#define LIMIT_AGENT_QUESTION_MS 3000
/* The manager cannot say yet: ask again soon, not at once. */
#define LIMIT_AGENT_RETRY_MS            200
#define LIMIT_AGENT_QUESTIONS_PER_FRAME 256
/* A NAT gateway that goes to another edge: how long an end waits for the next word of it, longer
 * than the manager waits for an answer and a commit takes; in how many stretches one answer looks
 * for what is new, some milliseconds'; how long what is handed over lasts at least; and what is
 * remembered to have been told, 32 MiB of one gateway. */
#define LIMIT_AGENT_HANDOFF_MS        16000
#define LIMIT_AGENT_HANDOFF_STRETCHES 16
#define LIMIT_AGENT_HANDOFF_LASTS_S   60
#define LIMIT_AGENT_TOLD              (4 * 1024 * 1024)
/* Hosts that have not heard of an address that is gone are told of this much later, many in one
 * frame; the same one again after the manager's word has had the time to reach it and be
 * applied. */
#define LIMIT_AGENT_STALE_MS        100
#define LIMIT_AGENT_STALE_AGAIN_MS  5000
#define LIMIT_AGENT_STALE_PER_FRAME 256
/* Such addresses of one host at a time, and of all: a host that lost one push lost few others; one
 * that tries addresses leaves room for the rest. */
#define LIMIT_AGENT_STALE_PER_PEER 64
#define LIMIT_AGENT_STALE          4096
/* Questions under way: more distinct ones in three seconds is a scan. */
#define LIMIT_AGENT_QUESTIONS          16384
#define LIMIT_AGENT_QUESTIONS_PER_PORT 1024
/* Packets held: a burst of one port at the start of its flows; GSO packets may be 64 KiB each. */
#define LIMIT_AGENT_HELD_PER_PORT       512
#define LIMIT_AGENT_HELD_BYTES_PER_PORT (4 * 1024 * 1024)
#define LIMIT_AGENT_HELD_BYTES          (64 * 1024 * 1024)
/* A packet written back that comes up again although its mapping is live: once or twice is a race,
 * thousands a second are a loop. */
#define LIMIT_AGENT_REPEATS_PER_S 4096
/* Flow logs: a record is of a minute at most, as EC2's are on its newer machines.  Before the
 * records of a window are read, a program that was at a packet has finished it long ago. */
#define LIMIT_AGENT_FLOW_S         60
#define LIMIT_AGENT_FLOW_SETTLE_MS 100
#define LIMIT_AGENT_FLOW_RECORDS   4096 /* in one frame: half a megabyte */
/* Copies of packets sent on in one turn of the loop: each may become 45 packets. */
#define LIMIT_AGENT_COPIES_PER_TURN 64
/* Upcalls read in one turn of the loop, so that the session is served as well. */
#define LIMIT_AGENT_UPCALLS_PER_TURN 256
/* Numbers of ports go round in this range; the data plane says how many it takes at once. */
#define LIMIT_AGENT_PORTS 65535
/* Next hops: half for this life of the agent, half for what an earlier one left. */
#define LIMIT_AGENT_NEXTHOPS 1024
/* The kernel forgets a neighbour after 30 s or more without a sign of life. */
#define LIMIT_AGENT_NEXTHOP_PROBE_MS  10000
#define LIMIT_AGENT_NEXTHOP_SEARCH_MS 1000
/* Changes of routes come in swarms (a link goes down with all that uses it). */
#define LIMIT_AGENT_NEXTHOP_SWARM_MS 50
/* Failures told in one Ack: more of them have one cause. */
#define LIMIT_AGENT_FAILURES 256
/* Without its manager a host goes on; so it need not hurry, but a restart of the manager should be
 * over for its hosts in seconds. */
#define LIMIT_AGENT_BACKOFF_MIN_MS     200
#define LIMIT_AGENT_BACKOFF_MAX_MS     4000
#define LIMIT_AGENT_BACKOFF_REFUSED_MS 20000
/* From dialling to the Welcome: more than the handshake's time. */
#define LIMIT_AGENT_PATIENCE_MS 15000
/* A DHCP answer takes some 400 bytes, a DNS answer at most 600. */
#define LIMIT_AGENT_REPLY_SIZE 1500
/* DNS queries that wait for the manager; a node that asks more at once is no resolver's client. */
#define LIMIT_AGENT_DNS          1024
#define LIMIT_AGENT_DNS_PER_PORT 64
/* Names kept: some 130 bytes each. */
#define LIMIT_AGENT_NAMES 4096
/* Turns in which mappings may wait for upcalls to end before they go live. */
#define LIMIT_AGENT_DRAINS 16
/* Counters, when the manager does not say how often. */
#define LIMIT_AGENT_STATS_S 10
/* Sampled drops told in one frame, and how long they are gathered. */
#define LIMIT_AGENT_EVENTS    256
#define LIMIT_AGENT_EVENTS_MS 200
/* Changes of the desired state are gathered this long before they are saved durably. */
#define LIMIT_AGENT_SAVE_MS 500
/* A sealing worker that ended, or could not be told, is started or told again after this time. */
#define LIMIT_AGENT_SEAL_RETRY_MS 1000
/* How long a class stays with the worker when the programs give it nothing any more: longer than a
 * busy machine keeps the worker from what is in the device's queue. */
#define LIMIT_AGENT_SEAL_LEAVE_MS 1000
/* The kernel is asked for the path MTU of peers to which packets are sealed this often, and for so
 * many of them at once: a question takes some 15 us, and the loop has other work. */
#define LIMIT_AGENT_SEALED_PATH_MS 500
#define LIMIT_AGENT_SEALED_PATHS   64
/* What a router has said about the way to a peer: RFC 8201 4 has it tried again after some ten
 * minutes. */
#define LIMIT_AGENT_NARROW_PATH_MS (10 * 60 * 1000)
/* A node that ended by itself is known within this time. */
#define LIMIT_AGENT_CHECK_MS 1000
/* Nodes that become ready one after another are acknowledged together, this late at most. */
#define LIMIT_AGENT_ACK_MS 10
/* Everything is compared anew this often: nobody else should change it, somebody might. */
#define LIMIT_AGENT_RESYNC_MS 60000
/* A join bundle: three PEM texts and a list of managers. */
#define LIMIT_AGENT_BUNDLE_SIZE (64 * 1024)
#define LIMIT_AGENT_MANAGERS    16
/* Tracked connections of a host: fewer are of no use, and more take more memory than a host gives
 * away (a GiB or several). */
#define LIMIT_AGENT_CONNECTIONS_MIN 1024U
#define LIMIT_AGENT_CONNECTIONS_MAX (16U * 1024 * 1024)
/* Ports whose connections are counted for one report. */
#define LIMIT_AGENT_COUNTED_PORTS 16U
/* Connections listed at a time: people read them. */
#define LIMIT_AGENT_CONNECTIONS_LISTED 10000
/* Addresses announced in one turn of the loop, and how long until the next ones; each is said twice
 * (RFC 5227 2.3: ANNOUNCE_NUM, ANNOUNCE_INTERVAL; RFC 4861 7.2.6 allows three, a second apart). */
#define LIMIT_AGENT_ANNOUNCED_PER_TURN 64
#define LIMIT_AGENT_ANNOUNCE_TURN_MS   10
#define LIMIT_AGENT_ANNOUNCE_TIMES     2
#define LIMIT_AGENT_ANNOUNCE_AGAIN_MS  2000
/* IPv6 addresses of networks that wait for that at a time: of what is more the routers outside find
 * out by themselves, when the edge that they know does not answer (RFC 4861 7.3: within a minute).
 * Tables that may change together before all that is known is announced. */
#define LIMIT_AGENT_ANNOUNCED        16384
#define LIMIT_AGENT_ANNOUNCED_TABLES 16
/* Flows that the programs remember the verdict of, per processor and direction: 200 bytes each.  A
 * quarter as many of IPv6 beside them, 256 bytes each. */
#define LIMIT_AGENT_FLOWS 16384
/* The control socket: a request is a few words; the longest answer lists every mapping. */
#define LIMIT_AGENT_CONTROL_CLIENTS 32
#define LIMIT_AGENT_CONTROL_LINE    4096
#define LIMIT_AGENT_CONTROL_ANSWER  (64 * 1024 * 1024)

/* Command line: a request of the operator waits at most for a detach (5 s) and a commit. */
#define LIMIT_CTL_REQUEST_MS 30000
/* A probe loads programs and seals packets: a second, on a busy machine many; how often its end is
 * asked for. */
#define LIMIT_CTL_PROBE_MS      60000
#define LIMIT_CTL_PROBE_POLL_MS 100
/* One page of the API, with room to spare. */
#define LIMIT_CTL_ANSWER_SIZE (64 * 1024 * 1024)
/* Options that one command takes, and words on one line: commands are written by people. */
#define LIMIT_CTL_OPTIONS 24
#define LIMIT_CTL_WORDS   256
/* Letters of a command or option, for what a mistyped one may have been. */
#define LIMIT_CTL_WORD_LENGTH 32
/* Words of a command below each other, with the program's name: viaduct account key create. */
#define LIMIT_CTL_DEPTH 4

/* Lab: hosts share one machine, and a host's number has 8 bits on the substrate. */
#define LIMIT_LAB_HOSTS 64
/* More edges than this show nothing that fewer do not. */
#define LIMIT_LAB_EDGES 8
#define LIMIT_LAB_NODES (LIMIT_LAB_HOSTS + LIMIT_LAB_EDGES)
/* A lab's daemons answer in a second or two; a machine under load may need many times that. */
#define LIMIT_LAB_START_MS 300000
/* What a daemon gets to end by itself before it is killed. */
#define LIMIT_LAB_STOP_MS 3000
/* Times that a lab's namespaces are looked for when it ends: the second finds what its daemons made
 * while they were ending, the third that there is nothing. */
#define LIMIT_LAB_DOWN_ROUNDS 5
#define LIMIT_LAB_FILE_SIZE   (1024 * 1024)

/* Manager.  Changes whose commit has not come back: with more the disk hangs, and refusing is
 * kinder. */
#define LIMIT_JOURNAL_PENDING 10000
/* How many messages a second, all hosts together, only tell of steps of choices that change; and
 * how often it is looked whose turn it is.  A thousand hosts hear of theirs once a second, twenty
 * at once. */
#define LIMIT_PACE_TOLD_PER_S 1000
#define LIMIT_PACE_ROUND_NS   20000000
/* What one host has not acknowledged: the whole state of the largest host; with more it resyncs. */
#define LIMIT_OUTBOX_ITEMS (128 * 1024)
/* Differences kept for a host that is away; with more it gets its whole state when it comes
 * back. */
#define LIMIT_OUTBOX_AWAY 4096
/* Mappings pushed to one host and not acknowledged; with more it is not listening. */
#define LIMIT_UPDATES_WAITING (64 * 1024)
/* Questions in one Resolve: many times what an agent gathers in one turn of its loop. */
#define LIMIT_RESOLVE_QUESTIONS 4096
/* Senders that have not heard, in one Stale: more than an agent may gather
 * (LIMIT_AGENT_STALE_PER_FRAME).  To a host that has so many pushes before it that it has not
 * acknowledged, what it should know is on its way already. */
#define LIMIT_STALE_MAPPINGS 1024
#define LIMIT_STALE_BEHIND   1024
/* Frames of questions of one host that wait for a commit. */
#define LIMIT_RESOLVES_WAITING 1024
/* Transitions of instances of one host that wait for the store: each of its instances, twice. */
#define LIMIT_INTAKE_REPORTS 4096
/* How long one turn of the loop takes up reports of agents, and how many steps of choices of pairs
 * these make go on: each takes some 20 us, in the model, the store and the outboxes. */
#define LIMIT_INTAKE_TURN_NS    5000000
#define LIMIT_INTAKE_TURN_STEPS 256
/* Objects sent to hosts in one turn of the loop, or planned for those that get everything; and the
 * time after which no other host is told, for a message is some work as well. */
#define LIMIT_PUBLISH_TURN_ITEMS 2048
#define LIMIT_PUBLISH_TURN_NS    5000000
/* Usage is stored that often: what is lost with the manager is what hosts cannot say again. */
#define LIMIT_METERING_STORE_MS 60000
/* Usage stored and looked through in one tick. */
#define LIMIT_METERING_PER_TICK  1024
#define LIMIT_METERING_EXPIRE_MS (3600ULL * 1000)
/* Events kept for people to look at. */
#define LIMIT_EVENTS 1024
/* Connections of agents: hosts, twice over while all of them reconnect; below RLIMIT_NOFILE. */
#define LIMIT_SESSIONS 16384
/* From the handshake to the Hello: a probe of capabilities may lie between. */
#define LIMIT_HELLO_MS 10000
/* Handshakes begun in one turn of the loop: 1 ms each. */
#define LIMIT_ACCEPT_PER_TURN 8
/* Turns of the loop that the goodbyes may take at the end. */
#define LIMIT_SHUTDOWN_TURNS 100
/* Work of one tick, so that it does not hold up the loop: some milliseconds each. */
#define LIMIT_HOLDERS_EXPIRED_PER_TICK 4096
#define LIMIT_MODEL_EXPIRED_PER_TICK   256
#define LIMIT_MODEL_SHIFTS_PER_TICK    256
/* A policy is applied to so many directions between hosts in the transaction that makes it, and by
 * a step of a pass to so many later: each takes some 15 us, in the model, the store and the
 * outboxes; whoever asks waits for a step, and for what else a turn of the loop does: no more than
 * 20 ms together. */
#define LIMIT_MODEL_CHOICE_AT_ONCE 1024
#define LIMIT_MODEL_CHOICE_STEP    256
/* How long hosts seal with the keys of one epoch, unless the operator says otherwise: AES-GCM bears
 * 2^32 packets under a key with room to spare, an hour is some 2^32 at a million a second.  Hosts
 * that are looked at in one tick, each with all its peers, and the time after which no other one
 * is. */
#define LIMIT_KEY_S         3600
#define LIMIT_KEYS_PER_TICK 4
#define LIMIT_KEYS_TICK_NS  2000000
/* Packets are on the substrate, or in a queue before it, for no longer than this. */
#define LIMIT_MODEL_SHIFT_GRACE_MS 2000
/* HTTP: EC2 allows 16 KiB of user data, and a signed request has a few KiB of headers. */
#define LIMIT_HTTP_HEADERS_SIZE (64 * 1024)
#define LIMIT_HTTP_BODY_SIZE    (1024 * 1024)
#define LIMIT_HTTP_HEADERS      128
/* A client that is slower than this keeps a connection for nothing; the second is for those that
 * come when half of what there may be is in use. */
#define LIMIT_HTTP_TIMEOUT_S       60
#define LIMIT_HTTP_CROWD_TIMEOUT_S 10
/* HTTP connections at once, twice as many as may wait for the store; further clients wait to be
 * accepted. */
#define LIMIT_HTTP_CLIENTS 16384
/* How often is looked whether there is room again. */
#define LIMIT_HTTP_PAUSE_MS 50
/* How often it is said that there is none. */
#define LIMIT_HTTP_TELL_S 60
/* Descriptors for all but connections: the store, flow logs, the loop. */
#define LIMIT_FILES 256
/* Requests whose answer waits for the store; more are refused at once. */
#define LIMIT_HTTP_WAITING 8192
/* How long a call waits until all hosts have acknowledged that an address or an interface has left
 * its node; then it answers, and what is not acknowledged is not given away. */
#define LIMIT_RELEASE_WAIT_MS 5000
/* Files of the state directory: certificates and credentials. */
#define LIMIT_STATE_FILE_SIZE (64 * 1024)
