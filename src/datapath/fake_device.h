/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the fake data plane; inside of it only. */
#pragma once

#include <string.h>

#include "datapath/fake_tables.h"

/* A new one for a handle. */
must_check int fake_preparer_new(struct fake_host *h, struct dp_preparer **ret);
/* A port comes to a device that it was not on. */
void fake_device_enter(struct fake_host *h, const struct dp_port *port);
/* A port that stands, 'was' until now, becomes watched. */
void fake_device_watch(struct fake_host *h, const struct dp_port *was);
