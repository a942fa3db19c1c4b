/* core.c beside the exported oracle: bytes become calls, and each answer is held against the specification.

core-checked [CALLS [SEED]] makes calls of bytes drawn at random, and aborts at the first wrong answer.  With FUZZER there is no
main, and the bytes are libFuzzer's.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"
#include "oracle/oneowner.h"

enum { SYSTEM = 1, PAGE = 64, PAGES = 2, DATUM = 8, SHORT_LIMIT = 64, LATELY = 8, INPUT = 1 << 11, SELDOM = 16, NEVER = 999999 };

/* What an argument or a part of an answer is, by letter.  Handles begin with theirs: Partition, Region, Event receiver, senDer,
 * port (h), Signal.  Place (o), data (x), service (n), short message (t), truth (b), kind (k), nothing (0).  A capital may be none. */
#define HANDLES "predhs"

/* An operation: its arguments after the caller, in the oracle's order, and the parts of its answer. */
static struct operation {
    enum oo_operation operation;
    const char *names[3], *kinds, *answer;
    int number;
} operations[] = {
    {OO_CALL_CREATE_PARTITION, {0}, "", "p", 0},
    {OO_CALL_ALLOCATE, {0}, "", "r", 0},
    {OO_CALL_FREE, {"region"}, "r", "", 0},
    {OO_CALL_READ_MEMORY, {"region", "place"}, "ro", "x", 0},
    {OO_CALL_WRITE_MEMORY, {"region", "place", "data"}, "rox", "", 0},
    {OO_CALL_CREATE_RECEIVER, {0}, "", "e", 0},
    {OO_CALL_CREATE_SENDER, {0}, "", "d", 0},
    {OO_CALL_CONNECT_EVENT, {"sender", "receiver"}, "de", "", 0},
    {OO_CALL_SEND_EVENT, {"sender"}, "d", "", 0},
    {OO_CALL_READ_EVENT, {"receiver"}, "e", "b", 0},
    {OO_CALL_TAKE_SIGNAL, {0}, "", "skpn0", 0},
    {OO_CALL_CREATE_PORT, {"receiver"}, "e", "h", 0},
    {OO_CALL_CONNECT, {"port", "partition", "service"}, "hpn", "", 0},
    {OO_CALL_ACCEPT, {"signal", "port"}, "sh", "", 0},
    {OO_CALL_SEND, {"port", "region", "short"}, "hRT", "", 0},
    {OO_CALL_RECEIVE, {"port"}, "h", "rt", 0},
    {OO_CALL_DESTROY_RECEIVER, {"receiver"}, "e", "", 0},
    {OO_CALL_DESTROY_SENDER, {"sender"}, "d", "", 0},
    {OO_CALL_REFUSE, {"signal"}, "s", "", 0},
    {OO_CALL_CANCEL, {"port"}, "h", "", 0},
    {OO_CALL_CLOSE_PORT, {"port"}, "h", "", 0},
    {OO_CALL_TERMINATE, {"partition"}, "p", "", 0},
};
enum { OPERATIONS = sizeof operations / sizeof *operations, UNDOING = 6 };

static struct oo_oracle oracle;
static unsigned long long calls;

/* By letter, the handles that were given out last, whether what they stand for lives or not. */
static struct { unsigned count; uint64_t handles[LATELY]; } given['z'];

static const uint8_t *bytes, *end;

static uint8_t next(void) { return bytes < end ? *bytes++ : 0; }

static void remember(char letter, uint64_t handle) {
    unsigned *count = &given[(int)letter].count;
    for (unsigned i = 0; i < *count; i++)
        if (given[(int)letter].handles[i] == handle)
            return;
    unsigned at = *count < LATELY ? (*count)++ : (unsigned)(handle % LATELY);
    given[(int)letter].handles[at] = handle;
}

/* Whose a thing is (a partition its own while it lives), or 0, as the oracle has it: so that most calls are made by who may make them. */
static uint64_t owner(char letter, uint64_t handle) {
    const struct oo_state *now = &oracle.states[oracle.current];
    const uint64_t *handles = 0;
    const uint8_t *owners = 0;
    int count = 0;
#define OWNED(LETTER, SORT, OWNERS)                                              \
    if (letter == LETTER) {                                                      \
        handles = oracle.handles.SORT;                                           \
        owners = now->OWNERS;                                                    \
        count = (int)(sizeof oracle.handles.SORT / sizeof *handles);             \
    }
    OWNED('r', region, owner)
    OWNED('e', receiver, receiver_owner)
    OWNED('d', sender, sender_owner)
    OWNED('h', port, port_owner)
    OWNED('s', signal, signal_at)
    if (letter == 'p')
        for (int i = 1; i <= OO_N_PARTITIONS; i++)
            if (oracle.handles.partition[i] == handle && now->status[i] == OO_STATUS_ACTIVE)
                return handle;
    for (int i = 1; i < count; i++)
        if (handles[i] == handle)
            return oracle.handles.partition[owners[i]];
    return 0;
}

/* A handle of what lives and is `whose`, or anybody's if that is 0, if the bytes do not want any other. */
static uint64_t some_handle(char letter, uint64_t whose) {
    unsigned from = next(), count = given[(int)letter].count;
    const uint64_t *handles = given[(int)letter].handles;
    if (from >= 256 - SELDOM || !count)
        return from % 2 && count ? handles[from % count] : NEVER;
    for (unsigned i = 0; i < count; i++) {
        uint64_t handle = handles[(from + i) % count], who = owner(letter, handle);
        if (who && (who == whose || !whose))
            return handle;
    }
    return handles[from % count];
}

/* Texts of the adapter's protocol. */

static void put_handle(char *text, char letter, uint64_t number) {
    char digits[24];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    *text++ = letter;
    while (count)
        *text++ = digits[--count];
    *text = '\0';
}

static uint64_t handle_in(const char *text) {
    uint64_t number = 0;
    while (*++text)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

static size_t length_of(uint64_t message) {
    return message == OO_N_SHORTS ? SHORT_LIMIT + 1 : message + 1 == OO_N_SHORTS ? SHORT_LIMIT : message;
}

/* The next argument, for the oracle as its value. */
static uint64_t argument(struct core_value *to, char kind, uint64_t whose) {
    const int places[] = {0, PAGE * PAGES - DATUM, PAGE - DATUM / 2};
    uint64_t value = 0;
    to->null = kind < 'a' && next() % 4 == 0;
    if (to->null)
        return 0;
    switch (kind < 'a' ? kind - 'A' + 'a' : kind) {
    case 'o':
        value = 1 + next() % OO_N_PLACES;
        to->number = places[value - 1];
        return value;
    case 'x':
        value = 1 + next() % OO_N_DATA;
        for (int i = 0; i < DATUM; i++)
            memcpy(to->text + 2 * i, (char[]){'0', (char)('0' + value)}, 2);
        to->text[2 * DATUM] = '\0';
        return value;
    case 'n':
        value = 1 + next() % OO_N_SERVICES;
        to->number = 6000 + (long long)value;
        return value;
    case 't':
        value = 1 + next() % OO_N_SHORTS;
        memset(to->text, (int)('a' + value - 1), length_of(value));
        to->text[length_of(value)] = '\0';
        return value;
    }
    kind = (char)(kind < 'a' ? kind - 'A' + 'a' : kind);
    value = some_handle(kind, kind == 'p' ? 0 : whose);
    put_handle(to->text, kind, value);
    return value;
}

/* A part of an answer, for the oracle; where it is no value of its kind, one that is never right. */
static uint64_t part(const struct core_value *from, char kind) {
    uint64_t value = 0;
    if (from->null)
        return 0;
    switch (kind) {
    case 'x':
        return (uint64_t)(from->text[1] - '0');
    case 'n':
        return (uint64_t)from->number - 6000;
    case 't':
        value = (uint64_t)(from->text[0] - 'a') + 1;
        return strlen(from->text) == length_of(value) ? value : UINT64_MAX;
    case 'b':
        return (uint64_t)from->number;
    case 'k':
        return strcmp(from->text, "CHANNEL") == 0 ? OO_SIGNALKIND_CHANNEL : UINT64_MAX;
    case '0':
        return UINT64_MAX;
    }
    value = handle_in(from->text);
    remember(kind, value);
    return value;
}

static int exit_called(const char *name) {
    static struct { const char *name; int exit; } known[64];
    /* a name stands once in core.c, so that its place tells it */
    unsigned at = (unsigned)((uintptr_t)name / 2 % 64);
    if (known[at].name != name) {
        known[at].name = name;
        for (known[at].exit = OO_SUSPENDED + 1; strcmp(oo_exit_name[known[at].exit], name) != 0;)
            known[at].exit++;
    }
    return known[at].exit;
}

static void begin(void) {
    const struct core_value topology[] = {
        {"partitions", false, OO_N_PARTITIONS, ""}, {"regions", false, OO_N_REGIONS, ""}, {"receivers", false, OO_N_RECEIVERS, ""},
        {"senders", false, OO_N_SENDERS, ""},       {"ports", false, OO_N_PORTS, ""},     {"signals", false, OO_N_SIGNALS, ""},
        {"queue_depth", false, OO_P_QUEUE_DEPTH, ""}, {"page_size", false, PAGE, ""},     {"pages_per_region", false, PAGES, ""},
        {"short_limit", false, SHORT_LIMIT, ""},
    };
    for (int i = 0; i < OPERATIONS; i++)
        operations[i].number = core_operation(oo_operation_name[operations[i].operation]);
    memset(given, 0, sizeof given);
    core_reset(topology, sizeof topology / sizeof *topology);
    oo_begin(&oracle, SYSTEM);
    remember('p', SYSTEM);
}

/* Make the call that the next bytes stand for, and check its answer; the end, where that is wrong. */
static void step(void) {
    static struct core_value arguments[3];
    static struct core_answer answered;
    unsigned which = next();
    /* what undoes much comes last, and seldom */
    const struct operation *op = &operations[which < 256 - SELDOM ? which % (OPERATIONS - UNDOING) : which % OPERATIONS];
    struct oo_call call = {.operation = op->operation};
    struct oo_answer answer = {0};
    char actor[24];
    uint64_t mine = 0;
    uint8_t who = next();
    int count = 0;
    for (; op->kinds[count]; count++) {
        arguments[count].name = op->names[count];
        call.arguments[count + 1] = argument(&arguments[count], op->kinds[count], mine);
        if (!count && who >= SELDOM && op->operation != OO_CALL_TERMINATE)
            mine = owner(op->kinds[0], call.arguments[1]);
    }
    call.arguments[0] = mine ? mine : some_handle('p', 0);
    put_handle(actor, 'p', call.arguments[0]);
    core_call(op->number, actor, arguments, count, &answered);
    answer.exit = answered.error ? exit_called(answered.error) : OO_OK;
    for (int i = 0; i < answered.count; i++)
        answer.parts[i] = part(&answered.values[i], op->answer[i]);
    enum oo_verdict verdict = oo_check(&oracle, &call, &answer);
    calls++;
    if (verdict == OO_AGREES)
        return;
    fprintf(stderr, "call %llu, %s by %s: %s", calls, oo_operation_name[op->operation], actor, oo_verdict_name[verdict]);
    fprintf(stderr, "; it answers %s, %s was right\n", oo_exit_name[answer.exit], oo_exit_name[oracle.expected]);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes = data;
    end = data + size;
    begin();
    while (bytes < end)
        step();
    return 0;
}

#ifndef FUZZER

int main(int count, char **words) {
    static uint8_t input[INPUT];
    unsigned long long most = count > 1 ? strtoull(words[1], NULL, 10) : 1000000;
    uint64_t state = count > 2 ? strtoull(words[2], NULL, 10) + 1 : 1;
    clock_t began = clock();
    while (calls < most) {
        for (int i = 0; i < INPUT; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            input[i] = (uint8_t)(state >> 33);
        }
        LLVMFuzzerTestOneInput(input, INPUT);
    }
    printf("%llu calls agree, %.0f a second\n", calls, (double)calls * CLOCKS_PER_SEC / (double)(clock() - began + 1));
    return 0;
}

#endif
