/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the BPF back-end: what becomes of pinned tables when a release changes their layout
 * (abi/tables.def).
 *
 * A table whose layout is this build's is adopted by its pin.  In the place of another a new one is
 * made, filled by a conversion or by the agent, while the programs that run go on with theirs.
 * When they are replaced, what they have written meanwhile is carried over once more, twice:
 * before, so that hardly anything is left, and after the last of them has ended. Until then the old
 * pins stay, so an agent that dies on the way leaves its successor all that it found itself.
 */
#pragma once

#include "datapath/bpf_host.h"

/* Where a table of this build is pinned. */
void bpf_layout_path(const struct bpf_host *h, const char *table, char ret[static PATH_MAX + 64]);
/* Before the programs are loaded: what is there, and what it will be.  -EINVAL: nothing can be
 * kept. */
must_check int bpf_layout_plan(struct bpf_host *h);
/* After that: fills what is converted.  -EINVAL: it is of another size. */
must_check int bpf_layout_fill(struct bpf_host *h);
/* Around the replacement of the programs. */
must_check int bpf_layout_begin(struct bpf_host *h);
must_check int bpf_layout_finish(struct bpf_host *h);
void bpf_layout_close(struct bpf_host *h);
void bpf_layout_adoption(const struct datapath *dp, struct dp_adoption *ret);
