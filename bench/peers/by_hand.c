/* The core, written by hand for nothing but speed: what a search could cost.  Breadth first, a byte a cell, fingerprints of 64 bits
 * in one open table, no way back to the beginning kept.
 *
 *   cc -O3 -march=native -pthread -DN=3 -DM=3 -DQ=4 -DK=2 -DTHREADS=1 by_hand.c && ./a.out LOG2_OF_PLACES STATES_OF_A_LEVEL
 *
 * N partitions, M regions, Q ports, at most K regions in a queue.  With one thread nothing is atomic. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AHEAD 64
#define PIECE 1024

enum { CLOSED, CONNECTED, DISCONNECTED };
typedef struct { uint8_t owner[M], mapped[N * M], status[Q], at[Q], peer[Q], event[Q], queue[Q * K]; } State;
#define WORDS ((sizeof(State) + 7) / 8)
typedef union { State s; uint64_t w[WORDS]; } Packed;
typedef struct { Packed *out; uint64_t count, new, calls; Packed waiting[AHEAD]; uint64_t marks[AHEAD]; int n; } Worker;

static uint64_t *table, mask, size, next, most;
static Packed *level;
static Worker workers[THREADS];

static inline uint64_t mark_of(const Packed *u)
{
    uint64_t h = 0x9E3779B97F4A7C15ull;
    for (unsigned i = 0; i < WORDS; i++) {
        __uint128_t p = (__uint128_t)(u->w[i] ^ h) * 0xA0761D6478BD642Full;
        h = (uint64_t)p ^ (uint64_t)(p >> 64) ^ (0xE7037ED1A0B428DBull * (i + 1));
    }
    return h | 1;
}

static int is_bad(const State *s)
{
    uint8_t seen[M + 1] = {0};
    for (int r = 0; r < M; r++)
        for (int p = 0; p < N; p++)
            if (s->mapped[p * M + r] != (s->owner[r] == p + 1))
                return 1;
    for (int q = 0; q < Q; q++) {
        for (int i = 0; i < K && s->queue[q * K + i]; i++) {
            int r = s->queue[q * K + i];
            if (s->owner[r - 1] != s->at[q] || seen[r])
                return 1;
            seen[r] = 1;
        }
        int d = s->peer[q];
        if (s->status[q] == CONNECTED && (!d || d == q + 1 || s->status[d - 1] != CONNECTED || s->peer[d - 1] != q + 1))
            return 1;
    }
    return 0;
}

static int enter(uint64_t mark)
{
    for (uint64_t at = mark & mask;; at = (at + 1) & mask) {
#if THREADS > 1
        uint64_t there = __atomic_load_n(&table[at], __ATOMIC_RELAXED);
        if (!there && __atomic_compare_exchange_n(&table[at], &there, mark, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return 1;
#else
        uint64_t there = table[at];
        if (!there) {
            table[at] = mark;
            return 1;
        }
#endif
        if (there == mark)
            return 0;
    }
}

static void flush(Worker *w)
{
    for (int i = 0; i < w->n; i++) {
        if (!enter(w->marks[i]))
            continue;
        if (is_bad(&w->waiting[i].s) || w->count == most) {
            puts(w->count == most ? "a level has no room" : "an invariant is broken");
            exit(1);
        }
        w->new++;
        w->out[w->count++] = w->waiting[i];
    }
    w->n = 0;
}

static inline void came(Worker *w, const Packed *u)
{
    w->calls++;
    w->waiting[w->n] = *u;
    w->marks[w->n] = mark_of(u);
    __builtin_prefetch(&table[w->marks[w->n] & mask]);
    if (++w->n == AHEAD)
        flush(w);
}

static void regions(Worker *w, const Packed *u, const uint8_t *queued)
{
    for (int r = 0; r < M; r++) {
        int p = u->s.owner[r];
        for (int to = 1; !p && to <= N; to++) {
            Packed t = *u;
            t.s.owner[r] = (uint8_t)to;
            t.s.mapped[(to - 1) * M + r] = 1;
            came(w, &t);
        }
        if (p && !queued[r + 1]) {
            Packed t = *u;
            t.s.owner[r] = t.s.mapped[(p - 1) * M + r] = 0;
            came(w, &t);
        }
    }
}

static void connect(Worker *w, const Packed *u, int q)
{
    for (int d = q + 1; d < Q; d++)
        for (int a = 1; u->s.status[d] == CLOSED && a <= N; a++)
            for (int b = 1; b <= N; b++) {
                if (a == b)
                    continue;
                Packed t = *u;
                t.s.status[q] = t.s.status[d] = CONNECTED;
                t.s.at[q] = (uint8_t)a, t.s.at[d] = (uint8_t)b;
                t.s.peer[q] = (uint8_t)(d + 1), t.s.peer[d] = (uint8_t)(q + 1);
                t.s.event[q] = t.s.event[d] = 1;
                came(w, &t);
            }
}

static void send(Worker *w, const Packed *u, int q, const uint8_t *queued)
{
    int d = u->s.peer[q] - 1, p = u->s.at[q], length = 0;
    while (length < K && u->s.queue[d * K + length])
        length++;
    for (int r = 0; length < K && r < M; r++) {
        if (u->s.owner[r] != p || queued[r + 1])
            continue;
        Packed t = *u;
        int o = t.s.at[d];
        t.s.mapped[(p - 1) * M + r] = 0;
        t.s.mapped[(o - 1) * M + r] = 1;
        t.s.owner[r] = (uint8_t)o;
        t.s.queue[d * K + length] = (uint8_t)(r + 1);
        if (!length)
            t.s.event[d] = 1;
        came(w, &t);
    }
}

static void close_port(Worker *w, const Packed *u, int q)
{
    Packed t = *u;
    for (int i = 0; i < K && u->s.queue[q * K + i]; i++) {
        int r = u->s.queue[q * K + i] - 1;
        t.s.owner[r] = t.s.mapped[(u->s.at[q] - 1) * M + r] = 0;
    }
    memset(&t.s.queue[q * K], 0, K);
    if (u->s.status[q] == CONNECTED) {
        t.s.status[u->s.peer[q] - 1] = DISCONNECTED;
        t.s.peer[u->s.peer[q] - 1] = 0;
    }
    t.s.status[q] = t.s.at[q] = t.s.peer[q] = t.s.event[q] = 0;
    came(w, &t);
}

static void expand(Worker *w, const Packed *u)
{
    uint8_t queued[M + 1] = {0};
    for (int i = 0; i < Q * K; i++)
        queued[u->s.queue[i]] = 1;
    regions(w, u, queued);
    for (int q = 0; q < Q; q++) {
        if (u->s.status[q] == CLOSED) {
            connect(w, u, q);
            continue;
        }
        if (u->s.status[q] == CONNECTED)
            send(w, u, q, queued);
        if (u->s.queue[q * K]) {
            Packed t = *u;
            memmove(&t.s.queue[q * K], &u->s.queue[q * K + 1], K - 1);
            t.s.queue[q * K + K - 1] = 0;
            came(w, &t);
        }
        if (u->s.event[q]) {
            Packed t = *u;
            t.s.event[q] = 0;
            came(w, &t);
        }
        close_port(w, u, q);
    }
}

static void *work(void *given)
{
    Worker *w = given;
    for (;;) {
        uint64_t at = __atomic_fetch_add(&next, PIECE, __ATOMIC_RELAXED), end = at + PIECE < size ? at + PIECE : size;
        if (at >= size)
            break;
        for (; at < end; at++)
            expand(w, &level[at]);
    }
    flush(w);
    return NULL;
}

int main(int count, char **given)
{
    mask = (1ull << (count > 1 ? atoi(given[1]) : 24)) - 1;
    most = count > 2 ? strtoull(given[2], NULL, 0) : 6000000;
    table = calloc(mask + 1, 8);
    level = calloc(THREADS * most, sizeof *level);
    for (int i = 0; i < THREADS; i++)
        workers[i].out = malloc(most * sizeof *level);
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    enter(mark_of(level));
    size = 1;
    uint64_t states = 1, calls = 0, depth = 0;
    while (size) {
        next = 0;
        pthread_t threads[THREADS];
        for (int i = 1; i < THREADS; i++)
            pthread_create(&threads[i], NULL, work, &workers[i]);
        work(&workers[0]);
        for (int i = 1; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        size = 0;
        for (int i = 0; i < THREADS; i++) {
            memcpy(level + size, workers[i].out, workers[i].count * sizeof *level);
            size += workers[i].count;
            states += workers[i].new, calls += workers[i].calls;
            workers[i].count = workers[i].new = workers[i].calls = 0;
        }
        depth += size > 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    double took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    printf("states %lu transitions %lu depth %lu search %.3f s\n", states, calls, depth, took);
    return 0;
}
