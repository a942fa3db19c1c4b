/* States of OO_WORDS words, their fingerprints, and a table of these: what is the same for threads and for a GPU.
 *
 * In the table stands of each fingerprint the upper half of that of the state from which it was found, which says nearly where in
 * the table that one stands, however large it grows.
 */
#include <string.h>

#ifdef __CUDACC__
#define OO_FN static __device__
#define OO_TABLE static __device__ const
#else
#define OO_FN static
#define OO_TABLE static const
#endif

struct oo_state { uint64_t w[OO_WHOLE]; };
struct oo_work;
struct oo_run;

OO_FN void oo_calls(struct oo_run *run, const struct oo_state *before);
OO_FN int oo_rests(const struct oo_state *before, int statement);
OO_FN int oo_judged(const struct oo_work *work, const struct oo_state *before, uint64_t mark, int by);
#ifdef OO_NAMES
OO_FN inline uint64_t oo_canonical(const struct oo_work *work, const struct oo_state *before);
OO_FN int oo_misnamed(const struct oo_work *work, const struct oo_state *before);
#endif

OO_FN inline uint64_t oo_mixed(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

OO_FN inline uint64_t oo_folded(uint64_t one, uint64_t other)
{
    const unsigned __int128 both = (unsigned __int128)one * other;
    return (uint64_t)both ^ (uint64_t)(both >> 64);
}

OO_FN inline int oo_lowest_bit(uint64_t bits)
{
#ifdef __CUDACC__
    return __ffsll((long long)bits) - 1;
#else
    return __builtin_ctzll(bits);
#endif
}

/* Of a state of one word the fingerprint is the state itself, mixed: no two have the same. */
OO_FN inline uint64_t oo_mark(const struct oo_state *state)
{
    uint64_t mark = 0x9e3779b97f4a7c15ull;
    for (int n = 0; n < OO_WORDS; n++)
        mark = oo_mixed(mark ^ state->w[n]);
    return mark ? mark : 1;
}

/* A state's fingerprint; with names that may be others, the same for all renamings of it that leave
 * those alone which begin with colours of their own. */
OO_FN inline uint64_t oo_named(const struct oo_work *work, const struct oo_state *state)
{
#ifdef OO_NAMES
    return oo_canonical(work, state);
#else
    (void)work;
    return oo_mark(state);
#endif
}

OO_FN inline uint64_t oo_place(uint64_t mark, uint64_t places)
{
    return (uint64_t)((unsigned __int128)mark * places >> 64);
}

OO_FN inline int oo_same(const struct oo_state *one, const struct oo_state *other)
{
    uint64_t apart = 0;
    for (int n = 0; n < OO_WORDS; n++)
        apart |= one->w[n] ^ other->w[n];
    return !apart;
}

/* What stands somewhere; if that is `there`, from now on `then`. */
OO_FN inline uint64_t oo_swapped(uint64_t *at, uint64_t there, uint64_t then)
{
#ifdef __CUDACC__
    return atomicCAS((unsigned long long *)at, (unsigned long long)there, (unsigned long long)then);
#else
    __atomic_compare_exchange_n(at, &there, then, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return there;
#endif
}

/* Whether a fingerprint is entered now, and was not there; `shared` says that others may enter some too. */
OO_FN inline int oo_enter(uint64_t *keys, uint32_t *parents, uint64_t places, uint64_t mark, uint32_t from, int shared)
{
    uint64_t at = oo_place(mark, places);
    for (;;) {
        uint64_t there = *(const volatile uint64_t *)&keys[at];
        if (!there && shared)
            there = oo_swapped(&keys[at], 0, mark);
        else if (!there)
            keys[at] = mark;
        if (!there) {
            parents[at] = from;
            return 1;
        }
        if (there == mark)
            return 0;
        if (++at == places)
            at = 0;
    }
}

/* Where a fingerprint stands, or `places`. */
OO_FN inline uint64_t oo_at(const uint64_t *keys, uint64_t places, uint64_t mark)
{
    for (uint64_t at = oo_place(mark, places); keys[at]; at = at + 1 == places ? 0 : at + 1)
        if (keys[at] == mark)
            return at;
    return places;
}

/* The fingerprints in a table whose upper half is `upper`, at most `room` of them. */
OO_FN inline uint64_t oo_alike_in(const uint64_t *keys, uint64_t places, uint32_t upper, uint64_t *found, uint64_t room)
{
    /* such fingerprints begin to be looked for in places side by side, and stand before the next place that is empty */
    uint64_t at = oo_place((uint64_t)upper << 32, places), last = oo_place((uint64_t)upper << 32 | 0xffffffffull, places);
    uint64_t count = 0;
    for (int beyond = 0;; at = at + 1 == places ? 0 : at + 1) {
        beyond |= at == last;
        if (!keys[at] && beyond)
            return count;
        if (keys[at] >> 32 == upper && count < room)
            found[count++] = keys[at];
    }
}

/* The part of a call with outputs by which it is told from others: what is asked of the states before and after it. */
OO_FN inline uint64_t oo_late_key(const struct oo_state *before, const struct oo_state *now, const uint64_t *late_before,
                                  const uint64_t *late_after)
{
    uint64_t key = 1;
    for (int n = 0; n < OO_WHOLE; n++) {
        key = oo_mixed(key ^ (before->w[n] & late_before[n]));
        key = oo_mixed(key ^ (now->w[n] & late_after[n]));
    }
    return key ? key : 1;
}

OO_FN inline int oo_has_outputs(const struct oo_state *now)
{
    uint64_t some = 0;
    for (int n = OO_WORDS; n < OO_WHOLE; n++)
        some |= now->w[n];
    return some != 0;
}
