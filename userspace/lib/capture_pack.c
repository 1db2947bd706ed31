// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blocks are coded each for itself, so that as many as there are processors can
 * be under way: a ring of them, filled and written by the caller, coded and
 * compressed by threads in between.  Short ones aren't worth waking another for,
 * and where there is one processor none is.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "capture_pack.h"
#include "internal.h"

/* Level 1 is nearly as small here: the coder has left little to be found. */
#define LEVEL 1

/* A walk keeps about as many busy. */
#define THREADS 2

/* Beside those under way one that fills, and one for who is done first. */
#define JOBS (THREADS + 2)

/* Bytes below which a block isn't handed to a thread. */
#define SHORT 16384

enum job_state { JOB_FREE, JOB_READY, JOB_TAKEN, JOB_DONE };

struct job {
	enum job_state state;
	struct mml_packed packed;
	bool plain;
	uint8_t *records;
	uint8_t *coded;
	uint8_t *frame;
	size_t frame_room;
	struct mml_coder *coder;
	ZSTD_CCtx *zstd;
	int error;
};

struct mml_packer {
	unsigned int page_shift;
	struct job jobs[JOBS];
	unsigned int used;		/* of them */
	unsigned int filling;
	unsigned int oldest;		/* not written yet, or @filling */
	pthread_mutex_t lock;		/* states, @oldest and @end */
	pthread_cond_t ready;
	pthread_cond_t done;
	bool end;
	pthread_t threads[THREADS];
	unsigned int wanted;		/* threads */
	unsigned int begun;
};

/* ---- one block ---- */

static size_t code(struct job *job, unsigned int page_shift)
{
	const size_t length = job->packed.block.length;
	size_t at = 0, n = 0;

	mml_coder_reset(job->coder, page_shift);
	while (at < length) {
		const struct mmlens_record *rec =
			(const void *)(job->records + at);

		n += mml_encode(job->coder, rec, job->coded + n);
		at += rec->size;
	}
	return n;
}

static void pack(struct job *job, unsigned int page_shift)
{
	struct mml_block *block = &job->packed.block;
	const uint8_t *data = job->plain ? job->records : job->coded;
	size_t n;

	block->coded = job->plain ? block->length : code(job, page_shift);
	n = ZSTD_compress2(job->zstd, job->frame, job->frame_room, data,
			   block->coded);
	job->error = ZSTD_isError(n) ? -ENOMEM : 0;
	job->packed.data = job->frame;
	block->size = n;
}

/* ---- threads ---- */

/* The oldest that nobody has taken; NULL: none. */
static struct job *ready_job(struct mml_packer *p)
{
	for (unsigned int i = 0; i < p->used; i++) {
		struct job *job = &p->jobs[(p->oldest + i) % p->used];

		if (job->state == JOB_READY)
			return job;
	}
	return NULL;
}

static void *work(void *context)
{
	struct mml_packer *p = context;
	struct job *job;

	pthread_mutex_lock(&p->lock);
	while (!p->end) {
		job = ready_job(p);
		if (!job) {
			pthread_cond_wait(&p->ready, &p->lock);
			continue;
		}
		job->state = JOB_TAKEN;
		pthread_mutex_unlock(&p->lock);
		pack(job, p->page_shift);
		pthread_mutex_lock(&p->lock);
		job->state = JOB_DONE;
		pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the caller.  Where no thread can be had it goes without. */
static void begin_threads(struct mml_packer *p)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->begun < p->wanted &&
	       !pthread_create(&p->threads[p->begun], NULL, work, p))
		p->begun++;
	p->wanted = p->begun;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void end_threads(struct mml_packer *p)
{
	pthread_mutex_lock(&p->lock);
	p->end = true;
	pthread_cond_broadcast(&p->ready);
	pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 0; i < p->begun; i++)
		pthread_join(p->threads[i], NULL);
}

static unsigned int processors(void)
{
	cpu_set_t set;

	/* More than fit into it are enough. */
	return sched_getaffinity(0, sizeof(set), &set) ? CPU_SETSIZE :
							 CPU_COUNT(&set);
}

/* ---- from one to the next ---- */

ZSTD_CCtx *mml_compressor(void)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	if (zstd) {
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL);
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	}
	return zstd;
}

static bool prepare(struct job *job)
{
	job->frame_room = ZSTD_compressBound(MML_CODED_MAX);
	job->records = malloc(MML_BLOCK_MAX);
	job->coded = malloc(MML_CODED_MAX);
	job->frame = malloc(job->frame_room);
	job->coder = malloc(sizeof(*job->coder));
	job->zstd = mml_compressor();
	return job->records && job->coded && job->frame && job->coder &&
	       job->zstd;
}

struct mml_packer *mml_packer_open(unsigned int page_shift)
{
	struct mml_packer *p = calloc(1, sizeof(*p));
	const unsigned int others = processors() - 1;

	if (!p)
		return NULL;
	p->page_shift = page_shift;
	p->wanted = others < THREADS ? others : THREADS;
	p->used = p->wanted ? p->wanted + 2 : 1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->ready, NULL);
	pthread_cond_init(&p->done, NULL);
	for (unsigned int i = 0; i < p->used; i++) {
		if (prepare(&p->jobs[i]))
			continue;
		mml_packer_close(p);
		return NULL;
	}
	return p;
}

void mml_packer_close(struct mml_packer *p)
{
	if (!p)
		return;
	end_threads(p);
	for (unsigned int i = 0; i < p->used; i++) {
		free(p->jobs[i].records);
		free(p->jobs[i].coded);
		free(p->jobs[i].frame);
		free(p->jobs[i].coder);
		ZSTD_freeCCtx(p->jobs[i].zstd);
	}
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->ready);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

uint8_t *mml_packer_room(struct mml_packer *p)
{
	return p->jobs[p->filling].records;
}

void mml_packer_filled(struct mml_packer *p, size_t answer, size_t length,
		       uint64_t first, bool plain)
{
	struct job *job = &p->jobs[p->filling];

	job->packed = (struct mml_packed) {
		.answer = answer,
		.block = { .length = length, .first = first },
	};
	job->plain = plain;
	if (length >= SHORT && p->begun < p->wanted)
		begin_threads(p);
	if (length < SHORT || !p->begun) {
		pack(job, p->page_shift);
		job->state = JOB_DONE;
	} else {
		pthread_mutex_lock(&p->lock);
		job->state = JOB_READY;
		pthread_cond_signal(&p->ready);
		pthread_mutex_unlock(&p->lock);
	}
	p->filling = (p->filling + 1) % p->used;
}

int mml_packer_next(struct mml_packer *p, bool all, struct mml_packed *packed)
{
	struct job *job = &p->jobs[p->oldest];
	const bool wait = all || p->oldest == p->filling;
	enum job_state state;

	pthread_mutex_lock(&p->lock);
	while (wait && (job->state == JOB_READY || job->state == JOB_TAKEN))
		pthread_cond_wait(&p->done, &p->lock);
	state = job->state;
	if (state == JOB_DONE) {
		job->state = JOB_FREE;
		p->oldest = (p->oldest + 1) % p->used;
	}
	pthread_mutex_unlock(&p->lock);
	if (state != JOB_DONE)
		return 0;
	*packed = job->packed;
	return job->error ? job->error : 1;
}
