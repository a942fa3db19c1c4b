/* A search by threads: what is the same for every specification and scope.
 *
 * A level is expanded by any number of threads, each with an oo_work of its own, over one table of fingerprints.
 */
#define OO_BATCH 64
#define OO_RECENT (1u << 14)
#define OO_LATE_KNOWN (1u << 14)
#define OO_KNOWN_BITS 14

/* What differs between the searches that one library serves. */
#define OO_COLOURS(work) (work)->colours
#define OO_OWN(run, number) (run)->work->own[number]
#define OO_JUDGES(run) (run)->work->judges

struct oo_work {
    uint64_t *keys;
    uint32_t *parents;
    uint64_t places;
    const uint64_t *todo;
    uint64_t todo_at, todo_count;
    uint64_t *found;
    uint64_t found_count, found_room;
    uint64_t entered, may_enter;
    uint64_t transitions, cut;
    uint64_t *marks;
    uint64_t *dead;
    uint64_t dead_count;
    uint64_t *edges;
    uint64_t edge_count, edge_room;
    uint64_t *late;
    uint64_t late_count, late_room;
    uint64_t *late_known;
    const uint64_t *late_before, *late_after;
    uint64_t *broken_states, *broken_steps;
    uint8_t *reached;
    uint64_t *recent;
    uint64_t *known;
    const uint32_t *colours;
    const uint64_t *own;
    uint64_t most_calls;
    const volatile int32_t *stop;
    int32_t misnamed;
    int32_t full;
    int32_t shared;
    int32_t judges;
};

struct oo_run {
    struct oo_work *work;
    uint64_t mark;
    uint64_t transitions;
    int alive;
    int pending;
    uint64_t marks[OO_BATCH];
    uint32_t from[OO_BATCH];
    uint8_t by[OO_BATCH];
    struct oo_state states[OO_BATCH];
};

static inline void oo_lowest(uint64_t *least, uint64_t mark)
{
    if (!*least || mark < *least)
        *least = mark;
}

static inline void oo_reach(struct oo_run *run, int clause)
{
    run->work->reached[clause] = 1;
}

static inline void oo_cut(struct oo_run *run)
{
    run->work->cut++;
}

static void oo_flush(struct oo_run *run)
{
    struct oo_work *work = run->work;
    for (int n = 0; n < run->pending; n++) {
        if (!oo_enter(work->keys, work->parents, work->places, run->marks[n], run->from[n], work->shared))
            continue;
        work->entered++;
        if (work->judges && !oo_judged(work, &run->states[n], run->marks[n], run->by[n]))
            continue;
        memcpy(&work->found[work->found_count++ * OO_WORDS], run->states[n].w, 8 * OO_WORDS);
    }
    run->pending = 0;
}

static inline void oo_edge(struct oo_work *work, uint64_t before, uint64_t after, uint64_t call)
{
    uint64_t *edge = &work->edges[3 * work->edge_count++];
    edge[0] = before;
    edge[1] = after;
    edge[2] = call;
}

/* A call that takes effect, by operation number `by`. */
static inline void oo_came(struct oo_run *run, const struct oo_state *before, const struct oo_state *now, int by, uint64_t call)
{
    struct oo_work *work = run->work;
    run->transitions++;
    if (oo_same(before, now))
        return;
    run->alive = 1;
    int at = run->pending;
#ifdef OO_NAMES
    uint64_t raw = oo_mark(now), *recent = &work->recent[2 * (raw & (OO_RECENT - 1))];
    if (recent[0] == raw) {
        if (work->edges)
            oo_edge(work, run->mark, recent[1], call);
        return;
    }
    uint64_t mark = oo_canonical(work, now);
    recent[0] = raw;
    recent[1] = mark;
#else
    uint64_t mark = oo_mark(now);
    uint64_t *recent = &work->recent[mark & (OO_RECENT - 1)];
    if (*recent == mark) {
        if (work->edges)
            oo_edge(work, run->mark, mark, call);
        return;
    }
    *recent = mark;
#endif
    run->states[at] = *now;
    if (work->edges)
        oo_edge(work, run->mark, mark, call);
    run->marks[at] = mark;
    run->from[at] = (uint32_t)(run->mark >> 32);
    run->by[at] = (uint8_t)by;
    __builtin_prefetch(&work->keys[oo_place(mark, work->places)]);
    if (++run->pending == OO_BATCH)
        oo_flush(run);
}

/* A call that wrote outputs: of those that agree in what is asked of them one is told. */
static inline void oo_outputs(struct oo_run *run, const struct oo_state *before, const struct oo_state *now)
{
    struct oo_work *work = run->work;
    if (!oo_has_outputs(now) || !work->late)
        return;
    const uint64_t key = oo_late_key(before, now, work->late_before, work->late_after);
    uint64_t *known = &work->late_known[key & (OO_LATE_KNOWN - 1)];
    if (*known == key || work->late_count == work->late_room)
        return;
    *known = key;
    memcpy(&work->late[2 * OO_WHOLE * work->late_count], before->w, 8 * OO_WHOLE);
    memcpy(&work->late[2 * OO_WHOLE * work->late_count + OO_WHOLE], now->w, 8 * OO_WHOLE);
    work->late_count++;
}

/* Expand states until all are, something is full, or it is to stop.  Of one state all calls are made or none. */
void oo_expand(struct oo_work *work)
{
    struct oo_run run;
    run.work = work;
    run.pending = 0;
    run.transitions = 0;
    work->full = 0;
    for (; work->todo_at < work->todo_count; work->todo_at++) {
        if (work->entered + OO_BATCH + work->most_calls > work->may_enter)
            work->full |= 1;
        if (work->found_count + OO_BATCH + work->most_calls > work->found_room)
            work->full |= 2;
        if (work->edges && work->edge_count + work->most_calls > work->edge_room)
            work->full |= 4;
        if (work->late && work->late_count + work->most_calls > work->late_room)
            work->full |= 8;
        if (work->full || *work->stop)
            break;
        struct oo_state state = {{0}};
        memcpy(state.w, &work->todo[work->todo_at * OO_WORDS], 8 * OO_WORDS);
        run.mark = oo_named(work, &state);
        work->marks[work->todo_at] = run.mark;
        run.alive = 0;
#ifdef OO_NAMES
        if (!work->misnamed)
            work->misnamed = oo_misnamed(work, &state);
#endif
        oo_calls(&run, &state);
        if (!run.alive)
            work->dead[work->dead_count++] = run.mark;
    }
    oo_flush(&run);
    work->transitions += run.transitions;
}

/* Enter the state in which a search begins, `from` 0: into `found` if it keeps the invariants; its fingerprint. */
uint64_t oo_begin(struct oo_work *work, const uint64_t *words)
{
    struct oo_state state = {{0}};
    memcpy(state.w, words, 8 * OO_WORDS);
    const uint64_t mark = oo_named(work, &state);
    work->entered += oo_enter(work->keys, work->parents, work->places, mark, 0, 0);
    if (!work->judges || oo_judged(work, &state, mark, -1))
        memcpy(&work->found[work->found_count++ * OO_WORDS], state.w, 8 * OO_WORDS);
    return mark;
}

/* The fingerprint of a state, as the search names it. */
uint64_t oo_marked(const struct oo_work *work, const uint64_t *words)
{
    struct oo_state state = {{0}};
    memcpy(state.w, words, 8 * OO_WORDS);
    return oo_named(work, &state);
}

/* Which of some states keep a statement of what rest is, by its number. */
void oo_resting(int32_t statement, const uint64_t *words, uint64_t count, uint8_t *holds)
{
    struct oo_state state = {{0}};
    for (uint64_t n = 0; n < count; n++) {
        memcpy(state.w, &words[n * OO_WORDS], 8 * OO_WORDS);
        holds[n] = (uint8_t)oo_rests(&state, statement);
    }
}

/* Enter what stands in some places of a table, or is given with fewer keys than places, into another one. */
void oo_move(const uint64_t *keys, const uint32_t *parents, uint64_t count, uint64_t *to, uint32_t *to_parents, uint64_t places)
{
    for (uint64_t n = 0; n < count; n++)
        if (keys[n])
            oo_enter(to, to_parents, places, keys[n], parents[n], 0);
}

/* Number fingerprints in a table of its own, `places` large. */
void oo_number(const uint64_t *marks, uint64_t count, uint64_t *keys, uint32_t *numbers, uint64_t places)
{
    for (uint64_t n = 0; n < count; n++)
        oo_enter(keys, numbers, places, marks[n], (uint32_t)n, 0);
}

static inline int64_t oo_number_of(const uint64_t *keys, const uint32_t *numbers, uint64_t places, uint64_t mark)
{
    uint64_t at = oo_place(mark, places);
    while (keys[at] && keys[at] != mark)
        at = at + 1 == places ? 0 : at + 1;
    return keys[at] ? (int64_t)numbers[at] : -1;
}

/* Of transitions the numbers of the states before and after in such a table, -1 for one that is not there.  Those from one state
 * lie side by side. */
void oo_edges(const uint64_t *keys, const uint32_t *numbers, uint64_t places, const uint64_t *before, const uint64_t *after,
              uint64_t count, int64_t *source, int64_t *target)
{
    const uint64_t ahead = 16;
    for (uint64_t n = 0; n < count; n++) {
        if (n + ahead < count)
            __builtin_prefetch(&keys[oo_place(after[n + ahead], places)]);
        source[n] = n && before[n] == before[n - 1] ? source[n - 1] : oo_number_of(keys, numbers, places, before[n]);
        target[n] = oo_number_of(keys, numbers, places, after[n]);
    }
}

/* Add to the states that are reached those from which one can be, by way of those in `through` (0: all).  States are numbered in
 * the order in which they were found, so that most of it is done the first time from the last transition to the first. */
void oo_back(const int64_t *source, const int64_t *target, uint64_t count, const uint8_t *through, uint8_t *reached)
{
    for (int more = 1; more;) {
        more = 0;
        for (uint64_t n = count; n--;)
            if (reached[target[n]] && !reached[source[n]] && (!through || through[source[n]]))
                more = reached[source[n]] = 1;
    }
}

/* Where a fingerprint stands, or `places`. */
uint64_t oo_found(const uint64_t *keys, uint64_t places, uint64_t mark)
{
    return oo_at(keys, places, mark);
}

/* The fingerprints in a table whose upper half is `upper`, at most `room` of them. */
uint64_t oo_like(const uint64_t *keys, uint64_t places, uint32_t upper, uint64_t *found, uint64_t room)
{
    return oo_alike_in(keys, places, upper, found, room);
}
