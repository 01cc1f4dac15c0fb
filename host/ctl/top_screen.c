/* SPDX-License-Identifier: BSD-2-Clause */
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/answer.h"
#include "ctl/table.h"
#include "ctl/top.h"

#define LINE 256

/* The whole screen: a window of our own, for ncurses' variables would become
 * symbols of this program, which loads plugins. */
static WINDOW *win;

static int64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- drawing ---- */

static void
draw_summary(const struct top *t)
{
	char line[LINE], buf[TEXT_MAX], cell[TOP_CELL];
	const json_t *s = t->status;

	(void)snprintf(line, sizeof(line),
	    "hostd %s on %s, %s, generation %lld, up %s",
	    text_of(s, "version", "?"), text_of(s, "node", "?"),
	    text_of(s, "state", "?"),
	    (long long)json_integer_value(json_object_get(s, "generation")),
	    text_ms(buf, json_integer_value(json_object_get(s, "uptime_ms"))));
	(void)mvwaddnstr(win, 0, 0, line, getmaxx(win));
	(void)snprintf(line, sizeof(line),
	    "%zu workers, cpu %.1f%%, memory %s, %lld connections, "
	    "%.1f requests/s, p99 ",
	    t->n, t->all.cpu, text_bytes(buf, t->all.rss),
	    (long long)t->all.connections, t->all.rate);
	(void)mvwaddnstr(win, 1, 0, line, getmaxx(win));
	if (t->all.p99 != 0)
		(void)snprintf(cell, sizeof(cell), "<%llums",
		    (unsigned long long)t->all.p99);
	(void)waddnstr(
	    win, t->all.p99 != 0 ? cell : "-", getmaxx(win) - getcurx(win));
}

/* The first column is aligned to the left. */
static void
draw_cell(int y, int *x, enum top_column c, const char *s)
{
	char line[LINE];
	int width = top_heads[c].width;

	(void)snprintf(line, sizeof(line),
	    c == TOP_WORKER ? "%-*.*s" : " %*.*s", width, width, s);
	if (*x < getmaxx(win))
		(void)mvwaddnstr(win, y, *x, line, getmaxx(win) - *x);
	*x += (int)strlen(line);
}

static void
draw_head(int y, enum top_column sorted)
{
	int c, x = 0;

	for (c = 0; c < TOP_COLUMNS; c++) {
		(void)wattrset(
		    win, c == (int)sorted ? A_REVERSE | A_BOLD : A_BOLD);
		draw_cell(y, &x, (enum top_column)c, top_heads[c].name);
	}
	(void)wattrset(win, A_NORMAL);
}

static void
draw_row(int y, const struct top_row *r)
{
	char buf[TOP_CELL];
	int c, x = 0;

	for (c = 0; c < TOP_COLUMNS; c++)
		draw_cell(y, &x, (enum top_column)c,
		    top_cell(r, (enum top_column)c, buf));
}

static void
draw_keys(int y)
{
	char line[LINE] = "q quit; sort by";
	size_t n;
	int c;

	for (c = 0; c < TOP_COLUMNS; c++) {
		n = strlen(line);
		(void)snprintf(line + n, sizeof(line) - n, " %c:%s",
		    top_heads[c].key, top_heads[c].name);
	}
	(void)mvwaddnstr(win, y, 0, line, getmaxx(win));
}

static void
draw(const struct top *t, enum top_column sorted)
{
	size_t i;

	(void)werase(win);
	draw_summary(t);
	draw_head(3, sorted);
	for (i = 0; i < t->n && (int)i < getmaxy(win) - 5; i++)
		draw_row(4 + (int)i, &t->rows[i]);
	if (getmaxy(win) > 5)
		draw_keys(getmaxy(win) - 1);
	(void)wrefresh(win);
}

/* ---- keys ---- */

/* 0: quit */
static int
key_pressed(int key, enum top_column *sorted)
{
	int c;

	if (key == 'q' || key == 'Q')
		return 0;
	for (c = 0; c < TOP_COLUMNS; c++)
		if (top_heads[c].key == key)
			*sorted = (enum top_column)c;
	if (key == KEY_RIGHT)
		*sorted = (enum top_column)((*sorted + 1) % TOP_COLUMNS);
	if (key == KEY_LEFT)
		*sorted = (enum top_column)(
		    (*sorted + TOP_COLUMNS - 1) % TOP_COLUMNS);
	return 1;
}

static int
top_loop(struct top *t, const struct ctl *ctl, int64_t interval_ms)
{
	enum top_column sorted = TOP_WORKER;
	int64_t left;
	int rc = CTL_OK, key;

	do {
		top_sort(t, sorted);
		draw(t, sorted);
		left = t->at_ms + interval_ms - clock_ms();
		wtimeout(win, left > 0 ? (int)left : 0);
		key = wgetch(win);
		if (clock_ms() - t->at_ms >= interval_ms)
			rc = top_look(t, ctl);
	} while (rc == CTL_OK && (key == ERR || key_pressed(key, &sorted)));
	return rc;
}

int
top_screen(struct top *t, const struct ctl *ctl, int64_t interval_ms)
{
	SCREEN *s = newterm(NULL, stdout, stdin);
	const char *term = getenv("TERM");
	int rc;

	if (s == NULL) {
		(void)fprintf(stderr,
		    "hostctl: the terminal \"%s\" is not known; "
		    "hostctl top --json does without it\n",
		    term != NULL ? term : "");
		return CTL_FAILED;
	}
	win = newwin(0, 0, 0, 0);
	if (win == NULL) {
		(void)endwin();
		delscreen(s);
		return CTL_FAILED;
	}
	(void)cbreak();
	(void)noecho();
	(void)curs_set(0);
	(void)keypad(win, TRUE);
	(void)set_escdelay(25);
	rc = top_loop(t, ctl, interval_ms);
	(void)delwin(win);
	(void)endwin();
	delscreen(s);
	if (rc != CTL_OK)
		(void)fprintf(stderr, "hostctl: hostd has gone\n");
	return rc;
}
