/* SPDX-License-Identifier: BSD-2-Clause */
/* Are these workers worse than those?  Figures in, a verdict out. */
#ifndef MASTER_JUDGE_H
#define MASTER_JUDGE_H

#include <stddef.h>
#include <stdint.h>

/* What some workers have done within a time. */
struct judge_figures {
	uint64_t requests, errors;	/* errors: answered with 5xx */
	uint64_t callbacks, callback_ms;	/* calls into plugins */
};

enum judge_verdict { JUDGE_FINE, JUDGE_FEW, JUDGE_WORSE };

/* Less than this says nothing. */
#define JUDGE_LEAST	50	/* requests, or callbacks, of each side */
#define JUDGE_ERRORS	5
#define JUDGE_CALL_MS	100	/* in which a coarse clock is right */

/*
 * Worse is a share of 5xx, or a mean time in callbacks, of more than factor
 * times the others'.  why gets the figures, whatever the verdict.
 */
enum judge_verdict judge(const struct judge_figures *fresh,
	    const struct judge_figures *old, double factor, char *why,
	    size_t size);
/* Is it so bad that there is nothing to wait for? */
int	judge_hopeless(const struct judge_figures *fresh,
	    const struct judge_figures *old, double factor);

#endif
