/* SPDX-License-Identifier: Apache-2.0 */
/* The generated skeleton of bpf/, whose code converts more freely than ours. */
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "bpf/viaduct.skel.h"
#pragma GCC diagnostic pop
