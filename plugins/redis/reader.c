/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader.h"

#define ELEMENTS_MAX	(1 << 20)	/* of one list */

/* Memory for all elements would be taken before the first of them is there. */
static void *
create_array(const redisReadTask *t, redis_count n)
{
	struct redis_reader *r = t->privdata;

	r->too_many = n > ELEMENTS_MAX;
	return r->too_many ? NULL : r->create_array(t, n);
}

int
redis_reader_open(struct redis_reader *r, size_t max)
{
	if ((r->reader = redisReaderCreate()) == NULL)
		return -1;
	r->functions = *r->reader->fn;
	r->create_array = r->functions.createArray;
	r->functions.createArray = create_array;
	r->reader->fn = &r->functions;
	r->reader->privdata = r;
	r->max = max;
	r->too_many = 0;
	return 0;
}

void
redis_reader_close(struct redis_reader *r)
{
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	r->reader = NULL;
}

int
redis_reader_feed(struct redis_reader *r, const void *p, size_t n)
{
	return redisReaderFeed(r->reader, p, n) == REDIS_OK ? 0 : -1;
}

int
redis_reader_next(struct redis_reader *r, redisReply **out, const char **why)
{
	void *reply = NULL;

	if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
		*why = r->too_many ? "its list is too long" :
		    r->reader->errstr;
		return -1;
	}
	if ((*out = reply) != NULL)
		return 1;
	if (r->reader->len - r->reader->pos <= r->max)
		return 0;
	*why = "it is too long";
	return -1;
}
