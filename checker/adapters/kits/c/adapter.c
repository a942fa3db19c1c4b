/* START HERE: the adapter between `oneowner conform` and your implementation.
 *
 * 1. Build and try it as it is: `make`, then `make try`.  Every call is answered "unsupported".
 * 2. Let `reset` start your system afresh.
 * 3. Write a function for an operation and give it a line in `operations`: create_partition and allocate are good first
 *    ones.  `oneowner show operations` lists all, with arguments and outcomes.
 * 4. `make smoke` after each one, `make conform` when several are there.
 *
 * A function looks like this one, which answers with a handle: a string that you pick, and never pick again.
 *
 *     static void create_port(oo_call *call) {
 *         const char *port;
 *         int error = my_create_port(call->actor, oo_str(call, "receiver"), &port);
 *         if (error)
 *             oo_error(call, name_of(error));         // "EBADF", "EISCONN", "ENOMEM"
 *         else
 *             oo_ok_str(call, port);
 *     }
 *
 * README.md says which function does what.
 */
#include "oneowner.h"

static void reset(oo_call *call) {
    /* TODO: forget everything, and make a new system with the sizes that were asked for: oo_int(call, "partitions"), ... */
    oo_begin(call);
    oo_field_str(call, "SYSTEM", "p1");
    oo_end(call);
}

static const oo_operation operations[] = {
    /* {"create_port", create_port}, */
    {NULL, NULL},
};

/* TODO: the profiles that you mean to support, such as "core". */
static const char *const profiles[] = {NULL};

/* TODO: the most that your system can have of a thing, such as {"partitions", 8}; what is not here is not limited. */
static const oo_limit limits[] = {{NULL, 0}};

int main(void) {
    static const oo_adapter adapter = {
        .name = "my implementation",
        .language = "C",
        .profiles = profiles,
        .limits = limits,
        .reset = reset,
        .operations = operations,
    };
    return oo_run(&adapter);
}
