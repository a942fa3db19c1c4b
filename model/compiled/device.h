/* A search on a GPU: what is the same for every specification and scope.
 *
 * A thread expands one state.  The states of the level at hand and of the next stand in a ring, the new ones behind those that wait;
 * a launch is given no more states than there is room for what they can lead to, so that no thread finds anything full.  With
 * OO_EMULATED, how many bytes of memory the GPU has, the same is C for a CPU: a launch is a loop in two threads.
 */
#include <stddef.h>
#include <stdlib.h>

#ifdef OO_EMULATED
#include <pthread.h>
#define OO_KERNEL static void
#define OO_GIVEN const
#define OO_INDEX oo_index
typedef enum { cudaSuccess = 0, cudaErrorMemoryAllocation = 2 } cudaError_t;
#else
#define OO_KERNEL static __global__ void
#define OO_GIVEN const __grid_constant__
#define OO_INDEX ((uint64_t)blockIdx.x * blockDim.x + threadIdx.x)
#define OO_IN_BLOCK 128
#endif

/* It judges, and keeps no transitions, so that nothing is followed. */
#define OO_COLOURS(work) oo_plain
#define OO_OWN(run, number) 0
#define OO_JUDGES(run) 1

#define OO_MOST_PROBED 256
#define OO_MOST_PARENTS 64

/* What a launch is told and tells; 0 is no fingerprint. */
struct oo_told {
    uint64_t found, bad, transitions, cut, dead, late;
    uint64_t broken_states[OO_INVARIANTS + 1], broken_steps[OO_STEPS + 1];
    uint64_t late_before[OO_WHOLE], late_after[OO_WHOLE];
    int32_t misnamed, late_full;
    uint8_t reached[OO_CLAUSES + 1];
};

struct oo_work {
    uint64_t *keys;
    uint32_t *parents;
    uint64_t places;
    uint64_t *states;
    uint64_t room;
    uint64_t begin, end, count;
    uint64_t *scratch;
    uint64_t at_once;
    uint64_t *late, *late_keys;
    uint64_t late_places;
    struct oo_told *told;
    uint64_t *broken_states, *broken_steps;
    uint8_t *reached;
};

struct oo_run {
    const struct oo_work *work;
    uint64_t mark;
    uint32_t transitions, cut;
    int alive;
};

OO_FN inline uint64_t oo_added(uint64_t *to, uint64_t more)
{
#ifdef OO_EMULATED
    return __atomic_fetch_add(to, more, __ATOMIC_RELAXED);
#else
    return atomicAdd((unsigned long long *)to, (unsigned long long)more);
#endif
}

/* As oo_added of 1; threads of a warp that come here together add what they are at once. */
OO_FN inline uint64_t oo_one_more(uint64_t *to)
{
#ifdef OO_EMULATED
    return oo_added(to, 1);
#else
    const unsigned here = __activemask(), me = threadIdx.x & 31, first = __ffs(here) - 1;
    unsigned long long at = 0;
    if (me == first)
        at = oo_added(to, __popc(here));
    return __shfl_sync(here, at, first) + __popc(here & ((1u << me) - 1));
#endif
}

/* Threads of a block that is as good as done add up what they have counted before one of them tells it. */
OO_FN inline void oo_counted(uint64_t *to, uint32_t count)
{
#ifdef OO_EMULATED
    oo_added(to, count);
#else
    __shared__ uint32_t all;
    if (!threadIdx.x)
        all = 0;
    __syncthreads();
    if (count)
        atomicAdd(&all, count);
    __syncthreads();
    if (!threadIdx.x && all)
        oo_added(to, all);
#endif
}

OO_FN inline void oo_lowest(uint64_t *least, uint64_t mark)
{
    uint64_t there = *(volatile uint64_t *)least;
    while (!there || mark < there) {
        const uint64_t was = oo_swapped(least, there, mark);
        if (was == there)
            return;
        there = was;
    }
}

/* Many threads reach a clause, but few are the first. */
OO_FN inline void oo_reach(struct oo_run *run, int clause)
{
    if (!run->work->reached[clause])
        run->work->reached[clause] = 1;
}

OO_FN inline void oo_cut(struct oo_run *run)
{
    run->cut++;
}

OO_FN inline uint64_t *oo_in_ring(const struct oo_work *work, uint64_t at)
{
    return &work->states[(at < work->room ? at : at - work->room) * OO_WORDS];
}

/* A call that takes effect, by operation number `by`. */
OO_FN inline void oo_came(struct oo_run *run, const struct oo_state *before, const struct oo_state *now, int by, uint64_t call)
{
    const struct oo_work *work = run->work;
    (void)call;
    run->transitions++;
    if (oo_same(before, now))
        return;
    run->alive = 1;
    const uint64_t mark = oo_named(run->work, now);
    if (!oo_enter(work->keys, work->parents, work->places, mark, (uint32_t)(run->mark >> 32), 1))
        return;
    if (!oo_judged(work, now, mark, by)) {
        oo_added(&work->told->bad, 1);
        return;
    }
    uint64_t *state = oo_in_ring(work, work->end + oo_one_more(&work->told->found));
    for (int n = 0; n < OO_WORDS; n++)
        state[n] = now->w[n];
}

/* A call that wrote outputs: of those that agree in what is asked of them one is told, once in a search. */
OO_FN inline void oo_outputs(struct oo_run *run, const struct oo_state *before, const struct oo_state *now)
{
    const struct oo_work *work = run->work;
    if (!oo_has_outputs(now) || !work->late_places)
        return;
    const uint64_t key = oo_late_key(before, now, work->told->late_before, work->told->late_after);
    uint64_t at = oo_place(key, work->late_places);
    for (int probed = 0; probed < OO_MOST_PROBED; probed++) {
        uint64_t there = *(volatile uint64_t *)&work->late_keys[at];
        if (!there)
            there = oo_swapped(&work->late_keys[at], 0, key);
        if (there == key)
            return;
        if (!there) {
            uint64_t *pair = &work->late[2 * OO_WHOLE * oo_added(&work->told->late, 1)];
            for (int n = 0; n < OO_WHOLE; n++) {
                pair[n] = before->w[n];
                pair[OO_WHOLE + n] = now->w[n];
            }
            return;
        }
        if (++at == work->late_places)
            at = 0;
    }
    work->told->late_full = 1;
}

#ifdef OO_EMULATED
static __thread uint64_t oo_index;

struct oo_half {
    void (*kernel)(const struct oo_work);
    const struct oo_work *work;
    uint64_t first, count;
};

static void *oo_halved(void *given)
{
    const struct oo_half *half = given;
    for (oo_index = half->first; oo_index < half->count; oo_index += 2)
        half->kernel(*half->work);
    return 0;
}

static void oo_launch(void (*kernel)(const struct oo_work), const struct oo_work *work, uint64_t count)
{
    struct oo_half halves[2] = {{kernel, work, 0, count}, {kernel, work, 1, count}};
    pthread_t other;
    const int alone = pthread_create(&other, 0, oo_halved, &halves[1]);
    oo_halved(&halves[0]);
    if (alone)
        oo_halved(&halves[1]);
    else
        pthread_join(other, 0);
}

static const char *cudaGetErrorString(cudaError_t error) { return error ? "out of memory" : "no error"; }
static int cudaGetLastError(void) { return cudaSuccess; }
static int cudaDeviceSynchronize(void) { return cudaSuccess; }
static int cudaFree(void *memory) { free(memory); return cudaSuccess; }

static int oo_memory(void **memory, uint64_t size)
{
    return (*memory = calloc(size, 1)) ? cudaSuccess : cudaErrorMemoryAllocation;
}

static int oo_blank(void *memory, uint64_t size) { memset(memory, 0, size); return cudaSuccess; }
static int oo_copy(void *to, const void *from, uint64_t size) { memcpy(to, from, size); return cudaSuccess; }

static int oo_free_memory(uint64_t *bytes) { *bytes = OO_EMULATED; return cudaSuccess; }
#else
#define oo_launch(kernel, work, count) kernel<<<(unsigned)(((count) + OO_IN_BLOCK - 1) / OO_IN_BLOCK), OO_IN_BLOCK>>>(*(work))

static int oo_memory(void **memory, uint64_t size) { return cudaMalloc(memory, size); }
static int oo_blank(void *memory, uint64_t size) { return cudaMemset(memory, 0, size); }
static int oo_copy(void *to, const void *from, uint64_t size) { return cudaMemcpy(to, from, size, cudaMemcpyDefault); }

/* What is free, without the stacks that canonical forms need, which call themselves. */
static int oo_free_memory(uint64_t *bytes)
{
    size_t left, all, stacks = 0;
    int error = cudaFree(0);
#ifdef OO_NAMES
    const size_t stack = 4096 + (OO_FREE + 1) * (8 * OO_NAMES + 512);
    int several, threads;
    if (!error)
        error = cudaDeviceSetLimit(cudaLimitStackSize, stack);
    if (!error)
        error = cudaDeviceGetAttribute(&several, cudaDevAttrMultiProcessorCount, 0);
    if (!error)
        error = cudaDeviceGetAttribute(&threads, cudaDevAttrMaxThreadsPerMultiProcessor, 0);
    if (!error)
        stacks = stack * several * threads;
#endif
    if (!error)
        error = cudaMemGetInfo(&left, &all);
    *bytes = error || left < stacks ? 0 : left - stacks;
    return error;
}
#endif

/* Expand state `number` of those from `begin` on. */
OO_FN inline void oo_expand_one(struct oo_run *run, uint64_t number)
{
    const struct oo_work *work = run->work;
    struct oo_state state = {{0}};
    const uint64_t *words = oo_in_ring(work, work->begin + number);
    for (int n = 0; n < OO_WORDS; n++)
        state.w[n] = words[n];
    run->mark = oo_named(work, &state);
    run->alive = 0;
#ifdef OO_NAMES
    if (!work->told->misnamed) {
        const int misnamed = oo_misnamed(work, &state);
        if (misnamed)
            work->told->misnamed = misnamed;
    }
#endif
    oo_calls(run, &state);
    if (!run->alive)
        work->scratch[oo_added(&work->told->dead, 1)] = run->mark;
    if (run->cut)
        oo_added(&work->told->cut, run->cut);
}

/* Expand `count` states of the ring from `begin` on. */
OO_KERNEL oo_expanding(OO_GIVEN struct oo_work work)
{
    struct oo_run run;
    run.work = &work;
    run.transitions = run.cut = 0;
    if (OO_INDEX < work.count)
        oo_expand_one(&run, OO_INDEX);
    oo_counted(&work.told->transitions, run.transitions);
}

/* Enter `count` fingerprints that stand in the scratch memory, those of their parents in its second half. */
OO_KERNEL oo_entering(OO_GIVEN struct oo_work work)
{
    const uint64_t n = OO_INDEX;
    if (n < work.count)
        oo_enter(work.keys, work.parents, work.places, work.scratch[n], (uint32_t)work.scratch[work.at_once / 2 + n], 1);
}

/* Of the fingerprint that stands in the scratch memory, put there those of which one is its parent's, behind their number;
 * OO_MOST_PARENTS + 1 says that it was never entered. */
OO_KERNEL oo_asking(OO_GIVEN struct oo_work work)
{
    if (OO_INDEX)
        return;
    const uint64_t at = oo_at(work.keys, work.places, work.scratch[0]);
    if (at == work.places)
        work.scratch[0] = OO_MOST_PARENTS + 1;
    else
        work.scratch[0] = oo_alike_in(work.keys, work.places, work.parents[at], work.scratch + 1, OO_MOST_PARENTS);
}

/* What the host calls; each gives 0, or the number of an error. */
#ifdef __cplusplus
extern "C" {
#endif

const char *oo_said(int error) { return cudaGetErrorString((cudaError_t)error); }

int oo_free_bytes(uint64_t *bytes) { return oo_free_memory(bytes); }

int oo_copied(void *to, const void *from, uint64_t size) { return oo_copy(to, from, size); }

/* Forget which calls with outputs were told, and have room for as many as `late_places` says. */
int oo_late_afresh(struct oo_work *work)
{
    cudaFree(work->late);
    cudaFree(work->late_keys);
    work->late = work->late_keys = 0;
    int error = oo_memory((void **)&work->late, 16 * OO_WHOLE * work->late_places);
    if (!error)
        error = oo_memory((void **)&work->late_keys, 8 * work->late_places);
    return error ? error : oo_blank(work->late_keys, 8 * work->late_places);
}

void oo_freed(struct oo_work *work)
{
    void *all[] = {work->keys, work->parents, work->states, work->scratch, work->late, work->late_keys, work->told};
    for (unsigned n = 0; n < sizeof all / sizeof *all; n++)
        cudaFree(all[n]);
}

/* Forget all fingerprints. */
int oo_forgotten(struct oo_work *work) { return oo_blank(work->keys, 8 * work->places); }

/* Have memory as large as `work` says; the table is to be emptied. */
int oo_allocated(struct oo_work *work)
{
    int error = oo_memory((void **)&work->keys, 8 * work->places);
    if (!error)
        error = oo_memory((void **)&work->parents, 4 * work->places);
    if (!error)
        error = oo_memory((void **)&work->states, 8 * OO_WORDS * work->room);
    if (!error)
        error = oo_memory((void **)&work->scratch, 8 * work->at_once);
    if (!error)
        error = oo_memory((void **)&work->told, sizeof *work->told);
    if (!error && work->late_places)
        error = oo_late_afresh(work);
    if (error)
        return error;
    work->broken_states = (uint64_t *)((char *)work->told + offsetof(struct oo_told, broken_states));
    work->broken_steps = (uint64_t *)((char *)work->told + offsetof(struct oo_told, broken_steps));
    work->reached = (uint8_t *)work->told + offsetof(struct oo_told, reached);
    return cudaSuccess;
}

static int oo_waited(void)
{
    const int error = cudaGetLastError();
    return error ? error : cudaDeviceSynchronize();
}

int oo_expanded(const struct oo_work *work, struct oo_told *told)
{
    int error = oo_copy(work->told, told, sizeof *told);
    if (error)
        return error;
    oo_launch(oo_expanding, work, work->count);
    error = oo_waited();
    return error ? error : oo_copy(told, work->told, sizeof *told);
}

int oo_entered(const struct oo_work *work)
{
    oo_launch(oo_entering, work, work->count);
    return oo_waited();
}

int oo_asked(const struct oo_work *work)
{
    oo_launch(oo_asking, work, 1);
    return oo_waited();
}

#ifdef __cplusplus
}
#endif
