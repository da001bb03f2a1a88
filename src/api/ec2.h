/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EC2 Query protocol: a signed form names an action and its parameters, the answer is XML.
 * STS shares it as far as clients ask who they are (GetCallerIdentity).
 */
#pragma once

#include "api/api.h"

#define EC2_NAMESPACE "http://ec2.amazonaws.com/doc/2016-11-15/"
#define STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"

void ec2_handle(struct api *a, const struct http_request *r, struct api_answer *ret);
