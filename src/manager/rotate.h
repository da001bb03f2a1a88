/* SPDX-License-Identifier: Apache-2.0 */
/* Rotates the keys that hosts seal with when they are old enough, a few hosts at a time. */
#pragma once

struct manager;

void rotate_tick(struct manager *manager);
