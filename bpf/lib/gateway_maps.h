/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of abi/gateway.h.  Those of an edge alone take no memory elsewhere. */
#pragma once

#include "abi/gateway.h"
#include "bpf/lib/maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_TABLES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, DP_ROUTES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_route_key);
	__type(value, struct dp_route_value);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_PEERINGS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_peering_key);
	__type(value, __u32);
} peerings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_HANDLES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct dp_handle_value);
} handles SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_PUBLICS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __be32);
	__type(value, struct dp_public_value);
} publics SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_PUBLICS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_mapping_v4_key);
	__type(value, struct dp_public_of_value);
} publics_of SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_PUBLICS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __be32);
	__type(value, struct dp_formers_value);
} formers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_STATICS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_inside_key);
	__type(value, __u32);
} statics SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DP_FRAGMENTS_MAX);
	__type(key, struct dp_fragment_key);
	__type(value, struct dp_fragment_value);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DP_GATEWAYS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(max_entries, DP_BINDINGS);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct dp_binding));
		});
} bindings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DP_GATEWAYS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_LRU_HASH);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(struct dp_inside_key));
			__uint(value_size, sizeof(__u32));
		});
} inside SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DP_GATEWAYS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_LRU_HASH);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(struct dp_session_key));
			__uint(value_size, sizeof(struct dp_session_value));
		});
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DP_GATEWAYS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_LRU_HASH);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(struct dp_session6_key));
			__uint(value_size, sizeof(struct dp_session_value));
		});
} sessions6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, DP_NETWORKS6_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_network6_key);
	__type(value, __u32);
} networks6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DP_GATEWAYS_MAX);
	__type(key, __u32);
	__type(value, struct dp_gateway_counters_value);
} gateway_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct dp_flow_edge);
} flows_edge SEC(".maps");
