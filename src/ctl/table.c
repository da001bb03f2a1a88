/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"

#define TABLE_GAP 2

static void put_text(struct buf *b, const json_t *value, int depth);

static void put_string(struct buf *b, const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			buf_put_printf(b, "\\x%02x", (unsigned char)*s);
		else
			buf_put(b, s, 1);
}

static void put_list(struct buf *b, const json_t *value, int depth)
{
	const json_t *item;
	size_t i;

	if (!json_array_size(value))
		buf_put_str(b, "-");
	json_array_foreach (value, i, item) {
		if (i)
			buf_put_str(b, ",");
		put_text(b, item, depth + 1);
	}
}

static void put_object(struct buf *b, const json_t *value, int depth)
{
	const char *key, *gap = "";
	json_t *item;

	if (!json_object_size(value))
		buf_put_str(b, "-");
	if (depth)
		buf_put_str(b, "{");
	json_object_foreach ((json_t *)value, key, item) {
		buf_put_str(b, gap);
		gap = " ";
		put_string(b, key);
		buf_put_str(b, "=");
		put_text(b, item, depth + 1);
	}
	if (depth)
		buf_put_str(b, "}");
}

static void put_text(struct buf *b, const json_t *value, int depth)
{
	if (!value || json_is_null(value))
		buf_put_str(b, "-");
	else if (json_is_string(value))
		put_string(b, *json_string_value(value) ? json_string_value(value) : "-");
	else if (json_is_integer(value))
		buf_put_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		buf_put_printf(b, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		buf_put_str(b, json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		put_list(b, value, depth);
	else
		put_object(b, value, depth);
}

char *table_text(const json_t *value)
{
	_cleanup_buf_ struct buf b;
	char *text;

	buf_init(&b, LIMIT_CTL_ANSWER_SIZE);
	put_text(&b, value, 0);
	return buf_take(&b, &text, NULL) ? NULL : text;
}

const json_t *table_value(const json_t *row, const char *path)
{
	while (row && *path) {
		size_t length = strcspn(path, ".");

		row = json_object_getn(row, path, length);
		path += length + (path[length] == '.');
	}
	return row;
}

/* All cells of a table, row by row, the titles first. */
struct cells {
	char **text;
	size_t n;
};

static void cells_deinit(struct cells *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->text[i]);
	free(c->text);
}

static int cells_fill(struct cells *c, const json_t *rows, const struct table_column *columns,
		      size_t n_columns)
{
	size_t n_rows = json_array_size(rows);

	c->text = calloc((n_rows + 1) * n_columns, sizeof(*c->text));
	if (!c->text)
		return -ENOMEM;
	for (size_t row = 0; row <= n_rows; row++)
		for (size_t i = 0; i < n_columns; i++) {
			char *text = row ? table_text(table_value(json_array_get(rows, row - 1),
								  columns[i].path))
					 : strdup(columns[i].title);

			if (!text)
				return -ENOMEM;
			c->text[c->n++] = text;
		}
	return 0;
}

/* Characters, not bytes: the API's JSON is UTF-8. */
static size_t text_width(const char *s)
{
	size_t width = 0;

	for (; *s; s++)
		width += ((unsigned char)*s & 0xc0) != 0x80;
	return width;
}

static size_t cells_width(const struct cells *c, size_t column, size_t n_columns)
{
	size_t width = 0;

	for (size_t i = column; i < c->n; i += n_columns)
		if (text_width(c->text[i]) > width)
			width = text_width(c->text[i]);
	return width;
}

static void print_rows(FILE *out, const struct cells *c, const size_t *widths, size_t n_columns)
{
	for (size_t i = 0; i < c->n; i++) {
		const size_t column = i % n_columns;

		fputs(c->text[i], out);
		if (column < n_columns - 1)
			fprintf(out, "%*s",
				(int)(widths[column] - text_width(c->text[i])) + TABLE_GAP, "");
		else
			fputc('\n', out);
	}
}

/* A row is a block of lines, one for each column, and an empty line follows it. */
static void print_blocks(FILE *out, const struct cells *c, size_t n_columns)
{
	size_t width = 0;

	for (size_t i = 0; i < n_columns; i++)
		if (text_width(c->text[i]) > width)
			width = text_width(c->text[i]);
	for (size_t i = n_columns; i < c->n; i++) {
		const char *title = c->text[i % n_columns];

		fprintf(out, "%s%*s%s\n", title, (int)(width - text_width(title)) + TABLE_GAP, "",
			c->text[i]);
		if (i % n_columns == n_columns - 1)
			fputc('\n', out);
	}
}

int table_print_within(FILE *out, const json_t *rows, const struct table_column *columns,
		       size_t n_columns, size_t most)
{
	_cleanup_(cells_deinit) struct cells c = {0};
	_cleanup_free_ size_t *widths = calloc(n_columns, sizeof(*widths));
	size_t whole = (n_columns - 1) * TABLE_GAP;
	int r;

	if (!widths)
		return -ENOMEM;
	r = cells_fill(&c, rows, columns, n_columns);
	if (r)
		return r;
	for (size_t i = 0; i < n_columns; i++)
		whole += widths[i] = cells_width(&c, i, n_columns);
	if (most && whole > most && c.n > n_columns)
		print_blocks(out, &c, n_columns);
	else
		print_rows(out, &c, widths, n_columns);
	return 0;
}

/* Of the terminal that 'out' is; 0: it is none, or does not know. */
static size_t terminal_width(FILE *out)
{
	struct winsize size = {0};

	return isatty(fileno(out)) && !ioctl(fileno(out), TIOCGWINSZ, &size) ? size.ws_col : 0;
}

int table_print(FILE *out, const json_t *rows, const struct table_column *columns, size_t n_columns)
{
	return table_print_within(out, rows, columns, n_columns, terminal_width(out));
}

int table_print_object(FILE *out, const json_t *object, const struct table_column *columns,
		       size_t n_columns)
{
	for (size_t i = 0; i < n_columns; i++) {
		_cleanup_free_ char *text = table_text(table_value(object, columns[i].path));

		if (!text)
			return -ENOMEM;
		fprintf(out, "%s: %s\n", columns[i].title, text);
	}
	return 0;
}
