/* SPDX-License-Identifier: BSD-2-Clause */
/* What workers do per second: the difference of two looks at them. */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include <stddef.h>
#include <stdint.h>
#include "base/latency.h"
#include "ctl/ctl.h"

struct top_row {
	char worker[80];	/* "web.0" */
	char state[24];
	int64_t pid;		/* 0: none */
	int64_t cpu_ms, requests;	/* ever */
	uint64_t latency[LATENCY_BUCKETS];
	int64_t rss, connections, websockets, restarts;
	double cpu;		/* percent of one processor */
	double rate;		/* requests a second */
	uint64_t p99;		/* ms, below; 0: no requests */
};

enum top_column {
	TOP_WORKER, TOP_PID, TOP_STATE, TOP_CPU, TOP_MEMORY, TOP_CONNECTIONS,
	TOP_RATE, TOP_P99, TOP_RESTARTS, TOP_COLUMNS
};

struct top {
	int64_t at_ms, interval_ms;	/* of the look, since the one before */
	json_t *status;
	struct top_row *rows;
	size_t n;
	struct top_row all;		/* the sums */
};

/* Look again.  The exit status of hostctl; what was before stays then. */
int	top_look(struct top *, const struct ctl *);
void	top_free(struct top *);
/* The greatest first, but names and states by the alphabet. */
void	top_sort(struct top *, enum top_column);

/* A cell's text, and the key that sorts by its column. */
#define TOP_CELL 32
const char *top_cell(const struct top_row *, enum top_column,
	    char buf[TOP_CELL]);
extern const struct top_head {
	const char *name;
	int width;
	char key;
} top_heads[TOP_COLUMNS];

/* ---- top_screen.c ---- */

/* Until q is pressed.  The exit status. */
int	top_screen(struct top *, const struct ctl *, int64_t interval_ms);

#endif
