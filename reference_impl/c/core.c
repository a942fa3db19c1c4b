/* In one file, as the header of the kit that it stands on.

The core of the system, in C: partitions, memory, events, control signals and message channels.  A second implementation,
written from what the operations have to do and not from the first one: two that agree with the specification say more than one.

Who owns a region and who has it mapped are kept apart, as in a machine: an access goes through the caller's page table, and
asks nobody whose the region is.

Real bugs can be compiled in, one at a time, by name: make BUG=queued_twice
Bugs: failed_send_loses_region unmap_failure_ignored queued_twice no_scrub self_send double_close dead_peer pending_counted clear_after_drain dead_senders_charge

With ORACLE it is called in memory: checked.c makes the calls, and holds every answer against the exported oracle.
*/
#ifdef ORACLE
#include "direct.h"
#else
#include "oneowner.h"
#endif

enum { SYSTEM = 0, NONE = -1, DATUM = 8 };

typedef enum { IDLE, CONNECTING, CONNECTED, PEER_CLOSED, REFUSED } status;

/* Where things of a sort stand.  A slot is used again; the number that it is given, and so the handle, is not. */
typedef struct { char letter; int count; bool *live; long long *number, last; } pool;

typedef struct { long long page, frame; } entry;

typedef struct { bool active; entry *table; size_t mapped, room; } partition;

typedef struct { int owner; bool queued; } region;

typedef struct { int owner, sender, port, pending; } receiver;

typedef struct { int owner, target; } sender;

typedef struct { int region; char *text; } message;

typedef struct {
    int owner, receiver, peer, request;
    status status;
    message *inbox;
    int first, waiting;
} port;

/* A control signal that asks for a channel: the core has no others.  Queued, or taken and waiting for its answer. */
typedef struct { int source, target, port; long long service; bool queued; } asking;

static pool in_regions = {.letter = 'r'}, in_receivers = {.letter = 'e'}, in_senders = {.letter = 'd'};
static pool in_ports = {.letter = 'h'}, in_signals = {.letter = 's'};
static partition *partitions;
static region *regions;
static receiver *receivers;
static sender *senders;
static port *ports;
static asking *signals;
static unsigned char *memory;
static long long page_size, region_size, short_limit;
static int made, room_for_partitions, pages, queue_depth;

#define REQUIRE(condition, error)       \
    do {                                \
        if (!(condition)) {             \
            oo_error(call, error);      \
            return;                     \
        }                               \
    } while (0)

/* The first refusal of every operation: a caller that is absent or terminated is nobody. */
#define CALLER(caller)                         \
    int caller = find_partition(call->actor);  \
    REQUIRE(caller != NONE && partitions[caller].active, "ESRCH")

/* Handles and slots. */

static const char *handle(char letter, long long number) {
    static char text[24];
    snprintf(text, sizeof text, "%c%lld", letter, number);
    return text;
}

static const char *handle_at(const pool *p, int at) { return handle(p->letter, p->number[at]); }

/* The number in a handle, 0 in one that was never given out. */
static long long number_in(const char *text, char letter, long long last) {
    char *end;
    if (text[0] != letter || text[1] < '1' || text[1] > '9')
        return 0;
    errno = 0;
    long long number = strtoll(text + 1, &end, 10);
    return errno || *end || number > last ? 0 : number;
}

static int find_partition(const char *text) { return (int)number_in(text, 'p', made) - 1; }

static int find(const pool *p, const char *text) {
    long long number = number_in(text, p->letter, p->last);
    for (int at = 0; number && at < p->count; at++)
        if (p->live[at] && p->number[at] == number)
            return at;
    return NONE;
}

static int unused(const pool *p) {
    for (int at = 0; at < p->count; at++)
        if (!p->live[at])
            return at;
    return NONE;
}

static void take(pool *p, int at) {
    p->live[at] = true;
    p->number[at] = ++p->last;
}

/* Memory: a region is as many frames as it has pages, at a logical address that follows from its number, in every page table. */

static unsigned char *frame_at(long long frame) { return memory + frame * page_size; }

static void map(int who, int at) {
    partition *p = &partitions[who];
    for (int page = 0; page < pages; page++) {
        if (p->mapped == p->room) {
            p->room = 2 * p->room + 8;
            p->table = realloc(p->table, p->room * sizeof *p->table);
            if (!p->table)
                oo_die("out of memory");
        }
        p->table[p->mapped++] = (entry){in_regions.number[at] * pages + page, (long long)at * pages + page};
    }
}

static void unmap(int who, int at) {
    partition *p = &partitions[who];
    size_t kept = 0;
    for (size_t i = 0; i < p->mapped; i++)
        if (p->table[i].page / pages != in_regions.number[at])
            p->table[kept++] = p->table[i];
    p->mapped = kept;
}

/* The byte at a logical address of a partition's, or NULL where nothing is mapped. */
static unsigned char *translate(int who, long long address) {
    for (size_t i = 0; i < partitions[who].mapped; i++)
        if (partitions[who].table[i].page == address / page_size)
            return frame_at(partitions[who].table[i].frame) + address % page_size;
    return NULL;
}

/* The bytes at `place`, which may lie on two pages; false where one of them is not mapped. */
static bool reach(int who, const char *text, long long place, unsigned char *bytes[DATUM]) {
    long long number = number_in(text, in_regions.letter, in_regions.last);
    if (!number || place < 0 || place > region_size - DATUM)
        return false;
    for (int i = 0; i < DATUM; i++)
        if (!(bytes[i] = translate(who, number * region_size + place + i)))
            return false;
    return true;
}

static void release_region(int at) {
    for (int who = 0; who < made; who++)
        unmap(who, at);
#ifndef BUG_no_scrub /* XSA-100, XSA-364: given out again with what was in it */
    memset(frame_at((long long)at * pages), 0, (size_t)region_size);
#endif
    regions[at] = (region){NONE, false};
    in_regions.live[at] = false;
}

/* Events. */

static void raise_event(int at) {
#ifdef BUG_pending_counted /* Hafnium fc50ef7d: an event on a pending port counts up */
    receivers[at].pending++;
#else
    receivers[at].pending = 1;
#endif
}

static bool serves_nothing(int at) { return receivers[at].sender == NONE && receivers[at].port == NONE; }

static void destroy_receiver(int at) {
    if (receivers[at].sender != NONE)
        senders[receivers[at].sender].target = NONE;
    in_receivers.live[at] = false;
}

static void destroy_sender(int at) {
    if (senders[at].target != NONE)
        receivers[senders[at].target].sender = NONE;
    in_senders.live[at] = false;
}

/* Control signals and channels. */

static void withdraw(int signal) {
    if (signal == NONE)
        return;
    ports[signals[signal].port].request = NONE;
    in_signals.live[signal] = false;
}

static void refuse(int signal) {
    port *asks = &ports[signals[signal].port];
    withdraw(signal);
    asks->status = REFUSED;
    raise_event(asks->receiver);
}

static bool may_connect(int at) { return ports[at].status == IDLE || ports[at].status == REFUSED; }

static void push(int at, int carried, const char *text) {
    port *p = &ports[at];
    message *last = &p->inbox[(p->first + p->waiting++) % queue_depth];
    *last = (message){carried, NULL};
    if (text) {
        last->text = malloc(strlen(text) + 1);
        if (!last->text)
            oo_die("out of memory");
        strcpy(last->text, text);
    }
}

static message pop(int at) {
    port *p = &ports[at];
    message oldest = p->inbox[p->first];
    p->first = (p->first + 1) % queue_depth;
    p->waiting--;
    return oldest;
}

static void destroy_port(int at) {
    port *p = &ports[at];
    withdraw(p->request);
    while (p->waiting) {
        message unread = pop(at);
        if (unread.region != NONE)
            release_region(unread.region);
        free(unread.text);
    }
    receivers[p->receiver].port = NONE;
    if (p->peer != NONE) {
        ports[p->peer].status = PEER_CLOSED;
        raise_event(ports[p->peer].receiver);
#ifndef BUG_dead_peer /* Xen f8a7ef4fec: closing the second end touches a peer that is gone */
        ports[p->peer].peer = NONE;
#endif
    }
    in_ports.live[at] = false;
}

/* Operations: the refusals in the specification's order, then what is done. */

static void op_create_partition(oo_call *call) {
    CALLER(caller);
    REQUIRE(caller == SYSTEM, "EPERM");
    REQUIRE(made < room_for_partitions, "ENOMEM");
    partitions[made++].active = true;
    oo_ok_str(call, handle('p', made));
}

static void op_terminate(oo_call *call) {
    CALLER(caller);
    int ends = find_partition(oo_str(call, "partition"));
    REQUIRE(caller == ends || caller == SYSTEM, "EPERM");
    REQUIRE(ends != NONE && partitions[ends].active, "ESRCH");
    REQUIRE(ends != SYSTEM, "EPERM");
#ifdef BUG_dead_senders_charge /* XSA-419: a dead sender's signals are charged to the system control OS */
    for (int i = 0; i < in_signals.count; i++)
        if (in_signals.live[i] && signals[i].source == ends) {
            signals[i].source = SYSTEM;
            ports[signals[i].port].request = NONE;
        }
#endif
    for (int i = 0; i < in_ports.count; i++)
        if (in_ports.live[i] && ports[i].owner == ends)
            destroy_port(i);
    for (int i = 0; i < in_signals.count; i++)
        if (in_signals.live[i] && signals[i].target == ends)
            refuse(i);
    for (int i = 0; i < in_regions.count; i++)
        if (in_regions.live[i] && regions[i].owner == ends)
            release_region(i);
    for (int i = 0; i < in_receivers.count; i++)
        if (in_receivers.live[i] && receivers[i].owner == ends)
            destroy_receiver(i);
    for (int i = 0; i < in_senders.count; i++)
        if (in_senders.live[i] && senders[i].owner == ends)
            destroy_sender(i);
    partitions[ends].active = false;
    oo_ok_null(call);
}

static void op_allocate(oo_call *call) {
    CALLER(caller);
    int at = unused(&in_regions);
    REQUIRE(at != NONE, "ENOMEM");
    take(&in_regions, at);
    regions[at] = (region){caller, false};
    map(caller, at);
    oo_ok_str(call, handle_at(&in_regions, at));
}

static void op_free(oo_call *call) {
    CALLER(caller);
    int at = find(&in_regions, oo_str(call, "region"));
    REQUIRE(at != NONE && regions[at].owner == caller, "EFAULT");
    REQUIRE(!regions[at].queued, "EBUSY");
    release_region(at);
    oo_ok_null(call);
}

static void op_read_memory(oo_call *call) {
    unsigned char *bytes[DATUM];
    char digits[2 * DATUM + 1];
    CALLER(caller);
    REQUIRE(reach(caller, oo_str(call, "region"), oo_int(call, "place"), bytes), "EFAULT");
    for (int i = 0; i < DATUM; i++)
        snprintf(digits + 2 * i, 3, "%02x", *bytes[i]);
    oo_ok_str(call, digits);
}

static void op_write_memory(oo_call *call) {
    unsigned char *bytes[DATUM];
    CALLER(caller);
    const char *digits = oo_str(call, "data");
    REQUIRE(reach(caller, oo_str(call, "region"), oo_int(call, "place"), bytes), "EFAULT");
    if (strlen(digits) != 2 * DATUM || strspn(digits, "0123456789abcdef") != 2 * DATUM) {
        oo_fail(call, OO_BAD_PARAMS, "data is 16 hexadecimal digits");
        return;
    }
    for (int i = 0; i < DATUM; i++) {
        char two[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        *bytes[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    oo_ok_null(call);
}

static void op_create_receiver(oo_call *call) {
    CALLER(caller);
    int at = unused(&in_receivers);
    REQUIRE(at != NONE, "ENOMEM");
    take(&in_receivers, at);
    receivers[at] = (receiver){caller, NONE, NONE, 0};
    oo_ok_str(call, handle_at(&in_receivers, at));
}

static void op_destroy_receiver(oo_call *call) {
    CALLER(caller);
    int at = find(&in_receivers, oo_str(call, "receiver"));
    REQUIRE(at != NONE && receivers[at].owner == caller, "EBADF");
    REQUIRE(receivers[at].port == NONE, "EBUSY");
    destroy_receiver(at);
    oo_ok_null(call);
}

static void op_create_sender(oo_call *call) {
    CALLER(caller);
    int at = unused(&in_senders);
    REQUIRE(at != NONE, "ENOMEM");
    take(&in_senders, at);
    senders[at] = (sender){caller, NONE};
    oo_ok_str(call, handle_at(&in_senders, at));
}

static void op_destroy_sender(oo_call *call) {
    CALLER(caller);
    int at = find(&in_senders, oo_str(call, "sender"));
    REQUIRE(at != NONE && senders[at].owner == caller, "EBADF");
    destroy_sender(at);
    oo_ok_null(call);
}

static void op_connect_event(oo_call *call) {
    CALLER(caller);
    int from = find(&in_senders, oo_str(call, "sender")), to = find(&in_receivers, oo_str(call, "receiver"));
    REQUIRE(from != NONE && senders[from].owner == caller, "EBADF");
    REQUIRE(to != NONE && receivers[to].owner == caller, "EBADF");
    REQUIRE(senders[from].target == NONE, "EISCONN");
    REQUIRE(serves_nothing(to), "EISCONN");
    senders[from].target = to;
    receivers[to].sender = from;
    oo_ok_null(call);
}

static void op_send_event(oo_call *call) {
    CALLER(caller);
    int from = find(&in_senders, oo_str(call, "sender"));
    REQUIRE(from != NONE && senders[from].owner == caller, "EBADF");
    REQUIRE(senders[from].target != NONE, "ENOTCONN");
    raise_event(senders[from].target);
    oo_ok_null(call);
}

static void op_read_event(oo_call *call) {
    CALLER(caller);
    int at = find(&in_receivers, oo_str(call, "receiver"));
    REQUIRE(at != NONE && receivers[at].owner == caller, "EBADF");
    bool pending = receivers[at].pending > 0;
    receivers[at].pending -= pending;
    oo_ok_bool(call, pending);
}

static void op_take_signal(oo_call *call) {
    CALLER(caller);
    int oldest = NONE;
    for (int i = 0; i < in_signals.count; i++)
        if (in_signals.live[i] && signals[i].queued && signals[i].target == caller)
            if (oldest == NONE || in_signals.number[i] < in_signals.number[oldest])
                oldest = i;
    REQUIRE(oldest != NONE, "EAGAIN");
    signals[oldest].queued = false;
    oo_begin(call);
    oo_field_str(call, "signal", handle_at(&in_signals, oldest));
    oo_field_str(call, "kind", "CHANNEL");
    oo_field_str(call, "source", handle('p', signals[oldest].source + 1));
    oo_field_int(call, "service", signals[oldest].service);
    oo_field_null(call, "shared");
    oo_end(call);
}

static bool taken(int caller, int signal) { return signal != NONE && signals[signal].target == caller && !signals[signal].queued; }

static void op_refuse(oo_call *call) {
    CALLER(caller);
    int signal = find(&in_signals, oo_str(call, "signal"));
    REQUIRE(taken(caller, signal), "EBADF");
    refuse(signal);
    oo_ok_null(call);
}

static void op_create_port(oo_call *call) {
    CALLER(caller);
    int serving = find(&in_receivers, oo_str(call, "receiver")), at = unused(&in_ports);
    REQUIRE(serving != NONE && receivers[serving].owner == caller, "EBADF");
    REQUIRE(serves_nothing(serving), "EISCONN");
    REQUIRE(at != NONE, "ENOMEM");
    take(&in_ports, at);
    ports[at] = (port){caller, serving, NONE, NONE, IDLE, ports[at].inbox, 0, 0};
    receivers[serving].port = at;
    oo_ok_str(call, handle_at(&in_ports, at));
}

/* The port of an operation, if it is the caller's; else NONE. */
static int own_port(oo_call *call, int caller) {
    int at = find(&in_ports, oo_str(call, "port"));
    return at != NONE && ports[at].owner == caller ? at : NONE;
}

static void op_connect(oo_call *call) {
    CALLER(caller);
    int at = own_port(call, caller), target = find_partition(oo_str(call, "partition")), signal = unused(&in_signals);
    long long service = oo_int(call, "service");
    REQUIRE(at != NONE, "EBADF");
    REQUIRE(ports[at].status != CONNECTING, "EALREADY");
    REQUIRE(may_connect(at), "EISCONN");
#ifndef BUG_self_send /* Hafnium 7de61af9: a channel to oneself is allowed */
    REQUIRE(target != caller, "EINVAL");
#endif
    /* SYSTEM is reached through its sockets, of which the core has none. */
    REQUIRE(target != NONE && target != SYSTEM && partitions[target].active, "ECONNREFUSED");
    REQUIRE(signal != NONE, "ENOMEM");
    take(&in_signals, signal);
    signals[signal] = (asking){caller, target, at, service, true};
    ports[at].request = signal;
    ports[at].status = CONNECTING;
    oo_ok_null(call);
}

static void op_cancel(oo_call *call) {
    CALLER(caller);
    int at = own_port(call, caller);
    REQUIRE(at != NONE, "EBADF");
    REQUIRE(ports[at].status == CONNECTING, "EINVAL");
    withdraw(ports[at].request);
    ports[at].status = IDLE;
    oo_ok_null(call);
}

static void op_accept(oo_call *call) {
    CALLER(caller);
    int signal = find(&in_signals, oo_str(call, "signal")), server = own_port(call, caller);
    REQUIRE(taken(caller, signal), "EBADF");
    REQUIRE(server != NONE, "EBADF");
    REQUIRE(may_connect(server), "EISCONN");
    int client = signals[signal].port;
    withdraw(signal);
    ports[client].status = ports[server].status = CONNECTED;
    ports[client].peer = server;
    ports[server].peer = client;
    raise_event(ports[client].receiver);
    raise_event(ports[server].receiver);
    oo_ok_null(call);
}

static void op_send(oo_call *call) {
    CALLER(caller);
    int at = own_port(call, caller), carried = find(&in_regions, oo_str(call, "region"));
    const char *text = oo_is_null(call, "short") ? NULL : oo_str(call, "short");
    bool with_region = !oo_is_null(call, "region");
    REQUIRE(at != NONE, "EBADF");
    REQUIRE(ports[at].status == CONNECTED || ports[at].status == PEER_CLOSED, "ENOTCONN");
    REQUIRE(ports[at].status == CONNECTED, "EPIPE");
    REQUIRE(!with_region || (carried != NONE && regions[carried].owner == caller), "EFAULT");
#ifndef BUG_queued_twice /* TF-A SPMC: the same region may be queued twice */
    REQUIRE(!with_region || !regions[carried].queued, "EBUSY");
#endif
    int peer = ports[at].peer;
    bool fits = !text || (long long)strlen(text) <= short_limit, room = ports[peer].waiting < queue_depth;
#ifdef BUG_failed_send_loses_region /* GNTTABOP_transfer in Xen's grant_table.h: a refused send frees the region */
    if (with_region && !(fits && room))
        release_region(carried);
#endif
    REQUIRE(fits, "EMSGSIZE");
    REQUIRE(room, "EAGAIN");
    if (with_region) {
#ifndef BUG_unmap_failure_ignored /* XSA-222: the receiver has it mapped although the unmap did not happen */
        unmap(caller, carried);
#endif
        map(ports[peer].owner, carried);
        regions[carried] = (region){ports[peer].owner, true};
    }
    if (!ports[peer].waiting)
        raise_event(ports[peer].receiver);
    push(peer, with_region ? carried : NONE, text);
    oo_ok_null(call);
}

static void op_receive(oo_call *call) {
    CALLER(caller);
    int at = own_port(call, caller);
    REQUIRE(at != NONE, "EBADF");
    REQUIRE(ports[at].status == CONNECTED || ports[at].status == PEER_CLOSED, "ENOTCONN");
    REQUIRE(ports[at].status == CONNECTED || ports[at].waiting, "EPIPE");
    REQUIRE(ports[at].waiting, "EAGAIN");
    message oldest = pop(at);
    if (oldest.region != NONE)
        regions[oldest.region].queued = false;
#ifdef BUG_clear_after_drain /* seL4: pending is cleared after processing, not before */
    if (!ports[at].waiting)
        receivers[ports[at].receiver].pending = 0;
#endif
    oo_begin(call);
    oo_field_str(call, "region", oldest.region == NONE ? NULL : handle_at(&in_regions, oldest.region));
    oo_field_str(call, "short", oldest.text);
    oo_end(call);
    free(oldest.text);
}

static void op_close_port(oo_call *call) {
    CALLER(caller);
    int at = own_port(call, caller);
#ifdef BUG_double_close /* XSA-394: a repeated close gives back a second time */
    long long number = number_in(oo_str(call, "port"), in_ports.letter, in_ports.last);
    for (int i = 0; number && i < in_ports.count; i++)
        if (in_ports.number[i] == number && ports[i].owner == caller)
            at = i;
#endif
    REQUIRE(at != NONE, "EBADF");
    destroy_port(at);
    oo_ok_null(call);
}

/* Starting afresh. */

static void *zeroed(long long count, size_t size) {
    void *found = calloc((size_t)count + 1, size);
    if (!found)
        oo_die("out of memory for so large a topology");
    return found;
}

static void resize(pool *p, oo_call *call, const char *name) {
    free(p->live);
    free(p->number);
    p->count = (int)oo_int(call, name);
    p->last = 0;
    p->live = zeroed(p->count, sizeof *p->live);
    p->number = zeroed(p->count, sizeof *p->number);
}

static void forget(void) {
    for (int i = 0; i < made; i++)
        free(partitions[i].table);
    for (int i = 0; i < in_ports.count; i++) {
        while (ports[i].waiting)
            free(pop(i).text);
        free(ports[i].inbox);
    }
    free(partitions);
    free(regions);
    free(receivers);
    free(senders);
    free(ports);
    free(signals);
    free(memory);
}

static void reset(oo_call *call) {
    forget();
    room_for_partitions = (int)oo_int(call, "partitions");
    pages = (int)oo_int(call, "pages_per_region");
    queue_depth = (int)oo_int(call, "queue_depth");
    page_size = oo_int(call, "page_size");
    region_size = pages * page_size;
    short_limit = oo_int(call, "short_limit");
    resize(&in_regions, call, "regions");
    resize(&in_receivers, call, "receivers");
    resize(&in_senders, call, "senders");
    resize(&in_ports, call, "ports");
    resize(&in_signals, call, "signals");
    partitions = zeroed(room_for_partitions, sizeof *partitions);
    regions = zeroed(in_regions.count, sizeof *regions);
    receivers = zeroed(in_receivers.count, sizeof *receivers);
    senders = zeroed(in_senders.count, sizeof *senders);
    ports = zeroed(in_ports.count, sizeof *ports);
    signals = zeroed(in_signals.count, sizeof *signals);
    memory = zeroed(in_regions.count * region_size, 1);
    for (int i = 0; i < in_ports.count; i++)
        ports[i].inbox = zeroed(queue_depth, sizeof *ports[i].inbox);
    made = 1;
    partitions[SYSTEM].active = true;
    oo_begin(call);
    oo_field_str(call, "SYSTEM", handle('p', SYSTEM + 1));
    oo_end(call);
}

static const oo_operation operations[] = {
    {"create_partition", op_create_partition},
    {"terminate", op_terminate},
    {"allocate", op_allocate},
    {"free", op_free},
    {"read_memory", op_read_memory},
    {"write_memory", op_write_memory},
    {"create_receiver", op_create_receiver},
    {"destroy_receiver", op_destroy_receiver},
    {"create_sender", op_create_sender},
    {"destroy_sender", op_destroy_sender},
    {"connect_event", op_connect_event},
    {"send_event", op_send_event},
    {"read_event", op_read_event},
    {"take_signal", op_take_signal},
    {"refuse", op_refuse},
    {"create_port", op_create_port},
    {"connect", op_connect},
    {"cancel", op_cancel},
    {"accept", op_accept},
    {"send", op_send},
    {"receive", op_receive},
    {"close_port", op_close_port},
    {NULL, NULL},
};

static const char *const profiles[] = {"core", NULL};

/* So that no size overflows, and no search through slots takes long. */
static const oo_limit limits[] = {
    {"partitions", 1000},      {"regions", 1000},   {"receivers", 1000},      {"senders", 1000},    {"ports", 1000},
    {"signals", 1000},         {"queue_depth", 1000}, {"pages_per_region", 64}, {"page_size", 65536}, {"short_limit", 65536},
    {NULL, 0},
};

static const oo_adapter adapter = {
    .name = "oneowner core in C",
    .language = "C",
    .profiles = profiles,
    .limits = limits,
    .reset = reset,
    .operations = operations,
};

#ifdef ORACLE

void core_reset(const struct core_value *topology, int count) {
    struct core_answer answer = {0};
    adapter.reset(&(oo_call){.arguments = topology, .count = count, .answer = &answer});
}

int core_operation(const char *name) {
    for (int i = 0; adapter.operations[i].op; i++)
        if (strcmp(adapter.operations[i].op, name) == 0)
            return i;
    return NONE;
}

void core_call(int operation, const char *actor, const struct core_value *arguments, int count, struct core_answer *answer) {
    answer->error = NULL;
    answer->count = 0;
    adapter.operations[operation].function(&(oo_call){actor, arguments, count, answer});
}

#else

int main(void) { return oo_run(&adapter); }

#endif
