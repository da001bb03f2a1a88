/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building answers: beginning one, and turning it into an error in the form of its protocol.
 */
#pragma once

#include "api/api.h"

void answer_init(struct api_answer *answer, enum api_protocol protocol);
/* Throws away what the body holds and writes an error instead. */
void answer_error(struct api_answer *answer, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A real fault: -ENOMEM and the like. */
void answer_fault(struct api_answer *answer, int r);
