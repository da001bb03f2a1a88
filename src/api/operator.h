/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operators' JSON API under /v1/ (docs/openapi.yaml): routes, who may use them, pages.
 *
 * An operator (bearer token) sees everything; an account (SigV4, service ec2) sees its own networks
 * and what is in them, and nothing of the substrate but host names.  routes.def has all routes.
 */
#pragma once

#include "api/api.h"

void operator_handle(struct api *a, const struct http_request *r, struct api_answer *ret);
