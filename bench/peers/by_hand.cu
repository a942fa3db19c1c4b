/* The core on a GPU, written by hand for nothing but speed: a thread a state, a byte a cell, fingerprints of 64 bits in one open
 * table, no way back to the beginning kept.
 *
 *   nvcc -O3 -arch=native -DN=3 -DM=4 -DQ=4 -DK=2 by_hand.cu && ./a.out LOG2_OF_PLACES STATES_OF_A_LEVEL
 *
 * N partitions, M regions, Q ports, at most K regions in a queue. */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

enum { CLOSED, CONNECTED, DISCONNECTED };
struct State { uint8_t owner[M], mapped[N * M], status[Q], at[Q], peer[Q], event[Q], queue[Q * K]; };
#define WORDS ((sizeof(State) + 7) / 8)
union Packed { State s; uint64_t w[WORDS]; };
typedef unsigned long long Count;

struct Told { Count found, calls, bad; };
struct Work { Count *table; uint64_t mask; const Packed *level; Count count; Packed *next; Count room; Told *told; };

__host__ __device__ inline uint64_t mark_of(const Packed *u)
{
    uint64_t h = 0x9E3779B97F4A7C15ull;
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned __int128 p = (unsigned __int128)(u->w[i] ^ h) * 0xA0761D6478BD642Full;
        h = (uint64_t)p ^ (uint64_t)(p >> 64) ^ (0xE7037ED1A0B428DBull * (i + 1));
    }
    return h | 1;
}

__device__ bool is_bad(const State *s)
{
    unsigned seen = 0;
    for (int r = 0; r < M; r++)
        for (int p = 0; p < N; p++)
            if (s->mapped[p * M + r] != (s->owner[r] == p + 1))
                return true;
    for (int q = 0; q < Q; q++) {
        for (int i = 0; i < K && s->queue[q * K + i]; i++) {
            const int r = s->queue[q * K + i];
            if (s->owner[r - 1] != s->at[q] || (seen >> r & 1))
                return true;
            seen |= 1u << r;
        }
        const int d = s->peer[q];
        if (s->status[q] == CONNECTED && (!d || d == q + 1 || s->status[d - 1] != CONNECTED || s->peer[d - 1] != q + 1))
            return true;
    }
    return false;
}

__device__ void came(const Work &work, const Packed &u, unsigned &calls)
{
    calls++;
    const Count mark = mark_of(&u);
    for (uint64_t at = mark & work.mask;; at = (at + 1) & work.mask) {
        Count there = work.table[at];
        if (!there)
            there = atomicCAS(&work.table[at], 0ull, mark);
        if (there == mark)
            return;
        if (!there)
            break;
    }
    if (is_bad(&u.s))
        atomicAdd(&work.told->bad, 1ull);
    const Count at = atomicAdd(&work.told->found, 1ull);
    if (at < work.room)
        work.next[at] = u;
}

__device__ void drop(State *s, int region)
{
    s->mapped[(s->owner[region] - 1) * M + region] = 0;
    s->owner[region] = 0;
}

__global__ void expand(const Work work)
{
    const uint64_t number = blockIdx.x * (uint64_t)blockDim.x + threadIdx.x;
    if (number >= work.count)
        return;
    const Packed u = work.level[number];
    const State *s = &u.s;
    unsigned calls = 0, queued = 0;
    for (int i = 0; i < Q * K; i++)
        queued |= 1u << s->queue[i];
    for (int r = 0; r < M; r++)
        if (!s->owner[r])
            for (int p = 1; p <= N; p++) {
                Packed t = u;
                t.s.owner[r] = p;
                t.s.mapped[(p - 1) * M + r] = 1;
                came(work, t, calls);
            }
        else if (!(queued >> (r + 1) & 1)) {
            Packed t = u;
            drop(&t.s, r);
            came(work, t, calls);
        }
    for (int q = 0; q < Q; q++) {
        if (s->status[q] == CLOSED) {
            for (int other = q + 1; other < Q; other++)
                for (int a = 1; s->status[other] == CLOSED && a <= N; a++)
                    for (int b = 1; b <= N; b++)
                        if (a != b) {
                            Packed t = u;
                            t.s.status[q] = t.s.status[other] = CONNECTED;
                            t.s.at[q] = a;
                            t.s.at[other] = b;
                            t.s.peer[q] = other + 1;
                            t.s.peer[other] = q + 1;
                            t.s.event[q] = t.s.event[other] = 1;
                            came(work, t, calls);
                        }
            continue;
        }
        const int mine = s->at[q], peer = s->peer[q] - 1;
        if (s->status[q] == CONNECTED) {
            int long_now = 0;
            while (long_now < K && s->queue[peer * K + long_now])
                long_now++;
            for (int r = 0; long_now < K && r < M; r++)
                if (s->owner[r] == mine && !(queued >> (r + 1) & 1)) {
                    Packed t = u;
                    drop(&t.s, r);
                    t.s.owner[r] = s->at[peer];
                    t.s.mapped[(s->at[peer] - 1) * M + r] = 1;
                    t.s.queue[peer * K + long_now] = r + 1;
                    if (!long_now)
                        t.s.event[peer] = 1;
                    came(work, t, calls);
                }
        }
        if (s->queue[q * K]) {
            Packed t = u;
            for (int i = 0; i < K - 1; i++)
                t.s.queue[q * K + i] = s->queue[q * K + i + 1];
            t.s.queue[q * K + K - 1] = 0;
            came(work, t, calls);
        }
        if (s->event[q]) {
            Packed t = u;
            t.s.event[q] = 0;
            came(work, t, calls);
        }
        Packed t = u;
        for (int i = 0; i < K && s->queue[q * K + i]; i++) {
            drop(&t.s, s->queue[q * K + i] - 1);
            t.s.queue[q * K + i] = 0;
        }
        if (s->status[q] == CONNECTED) {
            t.s.status[peer] = DISCONNECTED;
            t.s.peer[peer] = 0;
        }
        t.s.status[q] = CLOSED;
        t.s.at[q] = t.s.peer[q] = t.s.event[q] = 0;
        came(work, t, calls);
    }
    atomicAdd(&work.told->calls, (Count)calls);
}

static void checked(cudaError_t error)
{
    if (error) {
        printf("the GPU answers: %s\n", cudaGetErrorString(error));
        exit(1);
    }
}

static double now(void)
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int count, char **words)
{
    if (count != 3)
        return 2;
    Work work = {};
    work.mask = (1ull << atoi(words[1])) - 1;
    work.room = strtoull(words[2], 0, 0);
    Packed *level, first = {};
    Told told = {};
    checked(cudaMalloc(&work.table, 8 * (work.mask + 1)));
    checked(cudaMalloc(&level, sizeof first * work.room));
    checked(cudaMalloc(&work.next, sizeof first * work.room));
    checked(cudaMalloc(&work.told, sizeof told));
    checked(cudaMemset(work.table, 0, 8 * (work.mask + 1)));
    const Count mark = mark_of(&first);
    checked(cudaMemcpy(&work.table[mark & work.mask], &mark, 8, cudaMemcpyHostToDevice));
    checked(cudaMemcpy(level, &first, sizeof first, cudaMemcpyHostToDevice));
    Count states = 1, calls = 0;
    const double began = now();
    for (work.count = 1; work.count; work.count = told.found) {
        work.level = level;
        checked(cudaMemset(work.told, 0, sizeof told));
        expand<<<(work.count + 127) / 128, 128>>>(work);
        checked(cudaMemcpy(&told, work.told, sizeof told, cudaMemcpyDeviceToHost));
        states += told.found;
        calls += told.calls;
        if (told.bad || told.found > work.room || states > work.mask / 10 * 8) {
            printf("%s\n", told.bad ? "an invariant is broken" : "it is full");
            return 1;
        }
        Packed *done = level;
        level = work.next;
        work.next = done;
    }
    printf("states %llu transitions %llu search %.4f s\n", states, calls, now() - began);
}
