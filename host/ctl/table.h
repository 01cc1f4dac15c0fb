/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns for people to read, as wide as they need to be. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS 12

struct table {
	size_t ncolumns;
	size_t nrows;
	char **cells;		/* row by row; the first is the head */
};

/* head: NULL-ended. */
void	table_begin(struct table *, const char *const *head);
/* The next cell, from left to right. */
void	table_cell(struct table *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	table_print(const struct table *);
void	table_free(struct table *);

/* "12ms", "3.4s", "5m 6s", "2d 3h" and "512", "1.5k", "2.0m". */
#define TEXT_MAX 32
const char *text_ms(char buf[TEXT_MAX], int64_t ms);
const char *text_bytes(char buf[TEXT_MAX], int64_t bytes);

#endif
