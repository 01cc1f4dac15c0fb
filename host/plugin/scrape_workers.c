/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include "plugin/plugins.h"
#include "plugin/scrape.h"

/* What is said of a cell, which may be freed meanwhile. */
struct process {
	char pool[64], slot[16], pid[16], generation[16];
	const char *state;
	uint64_t started_ms, cpu_us, resident, descriptors, max_descriptors;
};

/* 0: it is none, or that of a probe. */
static int
process_read(const struct board_cell *c, struct process *p)
{
	uint32_t state = atomic_load(&c->state);

	if (state == CELL_FREE || state == CELL_DEAD || c->pool[0] == '\0')
		return 0;
	(void)snprintf(p->pool, sizeof(p->pool), "%.63s", c->pool);
	(void)snprintf(p->slot, sizeof(p->slot), "%u", c->slot);
	(void)snprintf(p->pid, sizeof(p->pid), "%u", c->pid);
	(void)snprintf(p->generation, sizeof(p->generation), "%u",
	    c->generation);
	p->state = board_state_name(state);
	p->started_ms = c->started_ms;
	p->cpu_us = c->counters.cpu_us;
	p->resident = c->resident;
	p->descriptors = c->descriptors;
	p->max_descriptors = c->max_descriptors;
	return 1;
}

enum what { STARTED, CPU, RESIDENT, DESCRIPTORS, MAX_DESCRIPTORS, STATE };

static void
put_process(const struct process *p, enum what what, struct exposition *x)
{
	const char *labels = what == STATE ? exposition_labels(x, "pool",
	    p->pool, "slot", p->slot, "pid", p->pid, "generation",
	    p->generation, "state", p->state, NULL) : exposition_labels(x,
	    "pool", p->pool, "slot", p->slot, "pid", p->pid, NULL);
	const uint64_t value[] = { p->started_ms, p->cpu_us, p->resident,
		p->descriptors, p->max_descriptors, 1 };
	static const unsigned scale[] = { 1000, 1000000, 1, 1, 1, 1 };

	exposition_value_of(x, (int64_t)value[what], scale[what], labels);
}

static void
put_processes(const struct board *b, enum what what, const char *name,
    enum exposition_type type, const char *help, struct exposition *x)
{
	struct process p;
	int i;

	exposition_family(x, name, type, help);
	for (i = 0; i < BOARD_CELLS; i++)
		if (process_read(&b->cells[i], &p))
			put_process(&p, what, x);
}

static void
put_lag(const struct board_counters *n, struct exposition *x)
{
	struct exposition_bucket b[BOARD_LAGS];
	unsigned i;

	for (i = 0; i < BOARD_LAGS; i++)
		b[i] = (struct exposition_bucket){ board_lags[i], n->lag[i] };
	exposition_family(x, "hostd_event_loop_lag_seconds",
	    EXPOSITION_HISTOGRAM, "How long turns of workers' event loops "
	    "took, while all others had to wait.");
	exposition_histogram(x, b, BOARD_LAGS, n->lag[BOARD_LAGS],
	    (int64_t)n->lag_ms, 1000, "");
}

/* Of a pool that has had none, 0: whoever looks for a change has to see what
 * was before. */
static void
put_restarts(const struct board_node *node, const struct conf *conf,
    struct exposition *x)
{
	const struct board_restarts *r = node->restarts;
	const struct board_restarts *end = r + BOARD_POOLS;
	const struct conf_pool *p;
	char pool[64];

	exposition_family(x, "hostd_worker_restarts", EXPOSITION_COUNTER,
	    "Workers that were started again after they had ended by "
	    "themselves.");
	TAILQ_FOREACH(p, &conf->pools, entry) {
		for (r = node->restarts; r < end; r++)
			if (strncmp(r->pool, p->name, sizeof(r->pool)) == 0)
				break;
		if (r == end)
			exposition_value(x, 0, 1, "pool", p->name, NULL);
	}
	for (r = node->restarts; r < end && r->pool[0] != '\0'; r++) {
		(void)snprintf(pool, sizeof(pool), "%.63s", r->pool);
		exposition_value(x, (int64_t)r->n, 1, "pool", pool, NULL);
	}
}

static void
put_node(const struct board_node *node, struct exposition *x)
{
	char version[32];

	(void)snprintf(version, sizeof(version), "%.31s",
	    node->hostd_version);
	exposition_family(x, "hostd_build_info", EXPOSITION_GAUGE,
	    "1, and which hostd it is.");
	exposition_value(x, 1, 1, "version", version, NULL);
	exposition_family(x, "hostd_start_time_seconds", EXPOSITION_GAUGE,
	    "When this node was started, in unix time.");
	exposition_value(x, (int64_t)node->started_ms, 1000, NULL);
	scrape_one(x, "hostd_ready", EXPOSITION_GAUGE, node->unready == 0,
	    "1 as long as this node wants clients: neither drained nor "
	    "stopping.");
	scrape_one(x, "hostd_generation", EXPOSITION_GAUGE, node->generation,
	    "Which configuration is served; each reload makes the next.");
	scrape_one(x, "hostd_reloads", EXPOSITION_COUNTER, node->reloads,
	    "Reloads and rollbacks that went well.");
	scrape_one(x, "hostd_reload_failures", EXPOSITION_COUNTER,
	    node->reload_failures, "The others; they have changed nothing.");
	scrape_one(x, "hostd_last_reload_successful", EXPOSITION_GAUGE,
	    node->reload_failed == 0, "Whether the last one went well.");
	exposition_family(x, "hostd_last_reload_success_timestamp_seconds",
	    EXPOSITION_GAUGE, "Since when what is served is.");
	exposition_value(x, (int64_t)node->reloaded_ms, 1000, NULL);
}

void
scrape_workers(const struct plugins *all, struct exposition *x)
{
	const struct board *b = all->board;
	struct board_sums sums;

	put_node(b->node, x);
	put_restarts(b->node, all->conf, x);
	put_processes(b, STATE, "hostd_worker_info", EXPOSITION_GAUGE,
	    "1, and who the worker is.", x);
	put_processes(b, STARTED, "process_start_time_seconds",
	    EXPOSITION_GAUGE, "When the worker was started, in unix time.", x);
	put_processes(b, CPU, "process_cpu_seconds", EXPOSITION_COUNTER,
	    "CPU time of the worker.", x);
	put_processes(b, RESIDENT, "process_resident_memory_bytes",
	    EXPOSITION_GAUGE, "Memory of the worker, shared memory "
	    "included.", x);
	put_processes(b, DESCRIPTORS, "process_open_fds", EXPOSITION_GAUGE,
	    "Descriptors that the worker has open.", x);
	put_processes(b, MAX_DESCRIPTORS, "process_max_fds", EXPOSITION_GAUGE,
	    "Descriptors that it may have open.", x);
	board_sum(b, &sums);
	exposition_family(x, "hostd_cpu_seconds", EXPOSITION_COUNTER,
	    "CPU time of all workers, ended ones included.");
	exposition_value(x, (int64_t)sums.n.cpu_us, 1000000, NULL);
	put_lag(&sums.n, x);
}
