/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/nearest.h"

#include <string.h>

#include "base/limits.h"

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* The optimal string alignment distance: three rows of the usual table, for the exchange looks two
 * back. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t rows[3][LIMIT_CTL_WORD_LENGTH + 1];

	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		const size_t *above = rows[(i - 1) % 3], *two = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < row[j])
				row[j] = two[j - 2] + 1;
		}
	}
	return rows[n_a % 3][n_b];
}

struct nearest nearest_to(const char *word, size_t length)
{
	return (struct nearest){word, length, NULL, (length + 2) / 3 + 1};
}

void nearest_offer(struct nearest *n, const char *word)
{
	size_t length = strlen(word), d;

	if (n->length > LIMIT_CTL_WORD_LENGTH || length > LIMIT_CTL_WORD_LENGTH)
		return;
	d = distance(n->word, n->length, word, length);
	if (d >= n->distance)
		return;
	n->distance = d;
	n->best = word;
}
