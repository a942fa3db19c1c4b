/* What core.c asks of the adapter kit's oneowner.h, for a build whose calls and answers are structs in memory. */
#ifndef DIRECT_H
#define DIRECT_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { OO_BAD_PARAMS = -32602 };

typedef struct { const char *actor; const struct core_value *arguments; int count; struct core_answer *answer; } oo_call;
typedef struct { const char *op; void (*function)(oo_call *call); } oo_operation;
typedef struct { const char *name; long long most; } oo_limit;
typedef struct {
    const char *name, *language;
    const char *const *profiles;
    const oo_limit *limits;
    void (*reset)(oo_call *call);
    const oo_operation *operations;
} oo_adapter;

static inline void oo_die(const char *why) {
    fprintf(stderr, "core: %s\n", why);
    exit(70);
}

static inline const struct core_value *oo_argument(oo_call *call, const char *name) {
    for (int i = 0; i < call->count; i++)
        if (strcmp(call->arguments[i].name, name) == 0)
            return &call->arguments[i];
    oo_die(name);
    return NULL;
}
static inline bool oo_is_null(oo_call *call, const char *name) { return oo_argument(call, name)->null; }
static inline const char *oo_str(oo_call *call, const char *name) { return oo_argument(call, name)->text; }
static inline long long oo_int(oo_call *call, const char *name) { return oo_argument(call, name)->number; }

static inline struct core_value *oo_field(oo_call *call, const char *name) {
    struct core_value *field = &call->answer->values[call->answer->count++];
    field->name = name;
    field->null = false;
    return field;
}
static inline void oo_field_null(oo_call *call, const char *name) { oo_field(call, name)->null = true; }
static inline void oo_field_int(oo_call *call, const char *name, long long number) { oo_field(call, name)->number = number; }
static inline void oo_field_str(oo_call *call, const char *name, const char *text) {
    struct core_value *field = oo_field(call, name);
    field->null = !text;
    if (text)
        memcpy(field->text, text, strlen(text) + 1);
}

static inline void oo_begin(oo_call *call) { (void)call; }
static inline void oo_end(oo_call *call) { (void)call; }
static inline void oo_ok_null(oo_call *call) { (void)call; }
static inline void oo_ok_str(oo_call *call, const char *text) { oo_field_str(call, "", text); }
static inline void oo_ok_bool(oo_call *call, bool truth) { oo_field_int(call, "", truth); }
static inline void oo_error(oo_call *call, const char *name) { call->answer->error = name; }
static inline void oo_fail(oo_call *call, int code, const char *message) {
    (void)call;
    (void)code;
    oo_die(message);
}

#endif
