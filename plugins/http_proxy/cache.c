/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache's life. */
#include <stdlib.h>
#include <string.h>
#include "cache_inside.h"

static int32_t
bind_services(struct cache *c, struct hostd_err *err)
{
	const struct hostd_host *host = c->easy->host;

	c->fetch = host->get_ext(host, HOSTD_EXT_FETCH);
	c->timer = host->get_ext(host, HOSTD_EXT_TIMER);
	c->work = host->get_ext(host, HOSTD_EXT_WORK);
	if (c->timer == NULL || !HOSTD_HAS(c->timer, stop))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_TIMER);
	if (c->work == NULL || !HOSTD_HAS(c->work, submit))
		return hostd_fail(err, HOSTD_E_NOTSUP,
		    "this host does not serve " HOSTD_EXT_WORK);
	return HOSTD_OK;
}

int32_t
cache_create(struct hostd_inst *in, const struct hostd_easy *easy,
    const struct hostd_conf *conf, void (*ready)(struct hostd_inst *,
    struct cache_use *, enum cache_verdict), struct cache **out,
    struct hostd_err *err)
{
	struct cache *c;
	int64_t where = 0;
	int32_t rc;

	*out = NULL;
	(void)conf->get_int(conf, "cache", &where);
	if (where == 0)
		return HOSTD_OK;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return hostd_fail(err, HOSTD_E_NOMEM, "out of memory");
	c->inst = in;
	c->easy = easy;
	c->ready = ready;
	c->disk.dir = -1;
	if ((rc = bind_services(c, err)) != HOSTD_OK ||
	    (rc = cache_read_conf(c, conf, err)) != HOSTD_OK) {
		cache_destroy(c);
		return rc;
	}
	*out = c;
	return HOSTD_OK;
}

void
cache_ours(struct cache *c, int (*is_ours)(const struct hostd_inst *,
    hostd_buf name))
{
	if (c != NULL)
		c->is_ours = is_ours;
}

int32_t
cache_start(struct cache *c)
{
	return c == NULL ? HOSTD_OK : purge_start(c);
}

void
cache_destroy(struct cache *c)
{
	struct cache_flight *f;
	unsigned i;

	if (c == NULL)
		return;
	for (i = 0; i < FLIGHT_BUCKETS; i++)
		while ((f = LIST_FIRST(&c->flights[i])) != NULL)
			flight_end(c, f);
	orders_forget(c);
	if (c->memory.buckets != NULL)
		memory_free(&c->memory);
	disk_close(&c->disk);
	free(c);
}
