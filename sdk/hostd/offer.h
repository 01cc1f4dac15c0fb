/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds that plugins offer to each other.
 *
 * hostd.p.offer/1 is the table of a plugin that offers some: its get_ext
 * returns it by this id.  An instance of another plugin that provides such a
 * kind is a user: it gets what is offered by get_ext of its host, under the id
 * that goes with the kind, as it gets the host's own tables.  hostd.offer/1 is
 * what the host gives to those who offer.
 *
 *   create         of the one who offers
 *   attach         of each user, just before that one's create
 *   enter, leave   around each call of a user's function
 *   detach         behind the user's destroy
 *   destroy        of the one who offers
 *
 * A user is created in the workers in which the one who offers is.  Where
 * several instances offer a kind, the key "offered_by" of the user's block in
 * the configuration names one.
 *
 * All is of one worker, on its loop.  What users are given must hold the SDK's
 * promises, as the host's tables do: no call of a user's function from within
 * one of its own calls, and struct_size first.
 */
#ifndef HOSTD_OFFER_H
#define HOSTD_OFFER_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_P_OFFER	"hostd.p.offer/1"
#define HOSTD_EXT_OFFER	"hostd.offer/1"

/* An instance that uses what is offered. */
typedef struct {
	uint64_t id;
} hostd_user;

struct hostd_user_info {
	uint32_t struct_size;
	uint32_t reserved;
	const char *name;	/* of the instance, in the configuration */
	const char *provide;	/* the name of what it provides */
	const void *ops;	/* its table of the kind, as it is in the
				   plugin: look at struct_size */
};

/* One kind.  All [loop]. */
struct hostd_offer {
	uint32_t struct_size;
	uint32_t reserved;
	const char *kind;	/* "<name>/<rev>": none of the host's */
	const char *ext;	/* what users ask get_ext for; NULL: nothing is
				   given to them */
	/*
	 * A user comes.  info is [call], its texts and ops are good until
	 * detach.  *table is for the user, and this user only: good until
	 * detach; NULL where ext is.
	 * Negative: refused, with the reason in err; nothing of it is called.
	 */
	int32_t (*attach)(struct hostd_inst *, hostd_user,
	    const struct hostd_user_info *info, const void **table,
	    struct hostd_err *err);
	/* It has gone, or its create has failed. */
	void (*detach)(struct hostd_inst *, hostd_user);
};

struct hostd_p_offer {
	uint32_t struct_size;
	uint32_t reserved;
	const struct hostd_offer *const *offers;	/* NULL-ended */
};

/* The host's table.  All [loop]. */
struct hostd_offer_api {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Before a function of the user's is called: what it is called with.
	 * What it does, how long it takes and that it crashes is the user's
	 * from now on.  NULL: it has not been started, or it is stale or not
	 * ours, or this is not the loop: call nothing.
	 * Since 1.5.
	 */
	struct hostd_inst *(*enter)(const struct hostd_host *, hostd_user);
	/* Behind it.  Nothing happens between the two but that call.  Since
	 * 1.5. */
	void (*leave)(const struct hostd_host *, hostd_user);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_OFFER_H */
