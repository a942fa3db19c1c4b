/* The protocol of `oneowner` for C11, all of it in one file to copy: include it in one source file, and call oo_run.
 *
 * One thread does everything: a request is read, the function of its operation is called, and what it answers is written
 * before the next request is read.  That is why `settle` can be answered at once.
 *
 * stdout belongs to the protocol: oo_run keeps it to itself and lets file descriptor 1 be stderr, so that a printf left in
 * the implementation does no harm.
 */
#ifndef ONEOWNER_H
#define ONEOWNER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OO_MAX_LINE = 1 << 20, OO_MAX_VALUES = 4096, OO_MAX_DEPTH = 8 };
enum { OO_UNSUPPORTED = -32001, OO_INDETERMINATE = -32002, OO_INTERNAL = -32603 };
enum { OO_PARSE_ERROR = -32700, OO_BAD_REQUEST = -32600, OO_NO_METHOD = -32601, OO_BAD_PARAMS = -32602 };

typedef enum { OO_NULL, OO_BOOL, OO_INT, OO_STR, OO_LIST, OO_OBJECT } oo_kind;
typedef enum { OO_OPEN, OO_BUILDING, OO_ANSWERED, OO_SUSPENDED, OO_FORGOTTEN } oo_state;

typedef struct oo_value {
    oo_kind kind;
    const char *key;  /* its name in the object that it is in */
    const char *text; /* a string in UTF-8; a NUL in it is C0 80, so that it hides nothing behind it */
    long long number; /* an integer or a boolean */
    struct oo_value *first, *next;
} oo_value;

/* A call under way.  `actor` and the strings of its arguments last until its function returns: copy what must stay. */
typedef struct oo_call {
    long long id;
    const char *actor, *op;
    const oo_value *args;
    const char *fault; /* the argument that is missing or of another type than was asked for */
    oo_state state;
    bool bare, follows; /* its result is not wrapped in {"ok": ...}; a field was written already */
} oo_call;

/* What is needed to answer a suspended call.  A reset forgets suspended calls: what is said to them after it is dropped. */
typedef struct oo_ticket { long long id; unsigned long era; } oo_ticket;

typedef struct oo_operation { const char *op; void (*function)(oo_call *call); } oo_operation;
typedef struct oo_limit { const char *name; long long most; } oo_limit;

/* What an adapter is.  Lists end with NULL, {NULL, NULL} and {NULL, 0}; version, language, profiles and limits may be NULL. */
typedef struct oo_adapter {
    const char *name, *version, *language;
    const char *const *profiles;
    const oo_limit *limits;
    void (*reset)(oo_call *call); /* its arguments are the topology, its answer an object: the handles of what is there */
    const oo_operation *operations;
} oo_adapter;

static int oo_output = STDOUT_FILENO;
static unsigned long oo_era = 1;
static bool oo_building;
static struct { char *data; size_t used, room; } oo_out;
static oo_value oo_values[OO_MAX_VALUES];
static char oo_line[OO_MAX_LINE + 1];

static inline void oo_die(const char *why) {
    fprintf(stderr, "oneowner.h: %s\n", why);
    exit(70);
}

/* Length of the well-formed UTF-8 character at `text`, which ends with NUL; 0 where there is none. */
static inline size_t oo_utf8(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F, beyond = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

/* Parsing.  A line ends with NUL, which no JSON contains, so that looking at the next byte is always allowed.  Strings are
 * decoded where they stand: what is decoded is never longer than what it was written as. */

typedef struct oo_parser { char *at; size_t used; } oo_parser;

static inline bool oo_next(oo_parser *p, char wanted) {
    p->at += strspn(p->at, " \t\r\n");
    if (*p->at != wanted) return false;
    p->at += wanted != '\0';
    return true;
}
static inline bool oo_hex4(oo_parser *p, unsigned long *code) {
    char digits[5] = "";
    if (strspn(p->at, "0123456789abcdefABCDEF") < 4) return false;
    memcpy(digits, p->at, 4);
    p->at += 4;
    *code = strtoul(digits, NULL, 16);
    return true;
}
static inline char *oo_encode(char *to, unsigned long code) {
    int shift = code && code < 0x80 ? 0 : code < 0x800 ? 6 : code < 0x10000 ? 12 : 18;
    *to++ = (char)((shift == 0 ? 0 : shift == 6 ? 0xC0 : shift == 12 ? 0xE0 : 0xF0) | code >> shift);
    for (shift -= 6; shift >= 0; shift -= 6)
        *to++ = (char)(0x80 | (code >> shift & 0x3F));
    return to;
}
static inline bool oo_escape(oo_parser *p, char **to) {
    const char *names = "\"\\/bfnrt", *means = "\"\\/\b\f\n\r\t", *name = *p->at ? strchr(names, *p->at) : NULL;
    unsigned long code, low;
    if (name) {
        p->at++;
        *(*to)++ = means[name - names];
        return true;
    }
    if (*p->at++ != 'u' || !oo_hex4(p, &code)) return false;
    if (code >= 0xD800 && code < 0xE000) {
        if (code >= 0xDC00 || *p->at != '\\' || p->at[1] != 'u') return false;
        p->at += 2;
        if (!oo_hex4(p, &low) || low < 0xDC00 || low >= 0xE000) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = oo_encode(*to, code);
    return true;
}
static inline const char *oo_parse_string(oo_parser *p) {
    if (!oo_next(p, '"')) return NULL;
    char *start = p->at, *to = start;
    while (*p->at != '"') {
        if (*p->at == '\\') {
            p->at++;
            if (!oo_escape(p, &to)) return NULL;
            continue;
        }
        size_t length = (unsigned char)*p->at < 0x20 ? 0 : oo_utf8(p->at);
        if (!length) return NULL;
        memmove(to, p->at, length);
        to += length;
        p->at += length;
    }
    p->at++;
    *to = '\0';
    return start;
}

/* Whole numbers only: the protocol has no others. */
static inline bool oo_parse_number(oo_parser *p, long long *number) {
    const char *digits = p->at + (*p->at == '-');
    if (*digits < '0' || *digits > '9' || (*digits == '0' && digits[1] >= '0' && digits[1] <= '9')) return false;
    errno = 0;
    *number = strtoll(p->at, &p->at, 10);
    return errno == 0 && *p->at != '.' && *p->at != 'e' && *p->at != 'E';
}
static inline oo_value *oo_parse_value(oo_parser *p, int depth) {
    if (depth > OO_MAX_DEPTH || p->used == OO_MAX_VALUES) return NULL;
    oo_value *value = &oo_values[p->used++], **link = &value->first;
    *value = (oo_value){.kind = OO_NULL};
    bool object = oo_next(p, '{');
    if (object || oo_next(p, '[')) {
        char end = object ? '}' : ']';
        value->kind = object ? OO_OBJECT : OO_LIST;
        if (oo_next(p, end)) return value;
        do {
            const char *key = object ? oo_parse_string(p) : NULL;
            if (object && (!key || !oo_next(p, ':'))) return NULL;
            oo_value *member = oo_parse_value(p, depth + 1);
            if (!member) return NULL;
            member->key = key;
            *link = member;
            link = &member->next;
        } while (oo_next(p, ','));
        return oo_next(p, end) ? value : NULL;
    }
    if (*p->at == '"') {
        value->kind = OO_STR;
        value->text = oo_parse_string(p);
        return value->text ? value : NULL;
    }
    static const struct { const char *word; oo_value value; } words[] = {
        {"null", {.kind = OO_NULL}}, {"true", {.kind = OO_BOOL, .number = 1}}, {"false", {.kind = OO_BOOL}}};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(p->at, words[i].word, strlen(words[i].word)) == 0) {
            p->at += strlen(words[i].word);
            *value = words[i].value;
            return value;
        }
    value->kind = OO_INT;
    return oo_parse_number(p, &value->number) ? value : NULL;
}
static inline const oo_value *oo_member(const oo_value *object, const char *key) {
    const oo_value *member = object && object->kind == OO_OBJECT ? object->first : NULL;
    while (member && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

/* Arguments.  Null reads as "", 0 or false, which is no handle and no name; oo_is_null tells it apart where it is allowed.
 * An argument that is missing or of another type reads so too, and the call is then answered with JSON-RPC error -32602. */

static inline const oo_value *oo_typed(oo_call *call, const char *name, const oo_value *found, oo_kind kind, bool null_too) {
    static const oo_value nothing = {.text = ""};
    if (found && found->kind == kind) return found;
    if (!found || found->kind != OO_NULL || !null_too)
        call->fault = name;
    return &nothing;
}
static inline const oo_value *oo_argument(oo_call *call, const char *name, oo_kind kind) {
    return oo_typed(call, name, oo_member(call->args, name), kind, true);
}
static inline const oo_value *oo_item(oo_call *call, const char *name, size_t index, oo_kind kind) {
    const oo_value *item = oo_argument(call, name, OO_LIST)->first;
    while (item && index--)
        item = item->next;
    return oo_typed(call, name, item, kind, false);
}
static inline bool oo_is_null(oo_call *call, const char *name) {
    const oo_value *found = oo_member(call->args, name);
    if (!found)
        call->fault = name;
    return !found || found->kind == OO_NULL;
}
static inline const char *oo_str(oo_call *call, const char *name) { return oo_argument(call, name, OO_STR)->text; }
static inline long long oo_int(oo_call *call, const char *name) { return oo_argument(call, name, OO_INT)->number; }
static inline bool oo_bool(oo_call *call, const char *name) { return oo_argument(call, name, OO_BOOL)->number; }
static inline size_t oo_count(oo_call *call, const char *name) {
    size_t count = 0;
    for (const oo_value *item = oo_argument(call, name, OO_LIST)->first; item; item = item->next)
        count++;
    return count;
}
static inline const char *oo_str_at(oo_call *call, const char *name, size_t i) { return oo_item(call, name, i, OO_STR)->text; }
static inline long long oo_int_at(oo_call *call, const char *name, size_t i) { return oo_item(call, name, i, OO_INT)->number; }

/* Writing.  A line is put together first and written whole. */

static inline void oo_put(const char *text, size_t length) {
    if (oo_out.room - oo_out.used < length) {
        oo_out.room = 2 * oo_out.room + length + 256;
        oo_out.data = realloc(oo_out.data, oo_out.room);
        if (!oo_out.data)
            oo_die("out of memory");
    }
    memcpy(oo_out.data + oo_out.used, text, length);
    oo_out.used += length;
}
static inline void oo_puts(const char *text) { oo_put(text, strlen(text)); }
static inline void oo_put_int(long long number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", number);
    oo_puts(digits);
}
static inline void oo_put_str(const char *text) {
    oo_puts(text ? "\"" : "null");
    for (size_t length; text && *text; text += length) {
        unsigned char byte = (unsigned char)*text;
        char escape[8];
        length = oo_utf8(text);
        if (byte == 0xC0 && (unsigned char)text[1] == 0x80)
            length = 2, oo_puts("\\u0000");
        else if (!length)
            length = 1, oo_puts("\\ufffd");
        else if (byte < 0x20 || byte == '"' || byte == '\\')
            snprintf(escape, sizeof escape, "\\u%04x", byte), oo_puts(escape);
        else
            oo_put(text, length);
    }
    oo_puts(text ? "\"" : "");
}
static inline void oo_flush(const char *end) {
    oo_puts(end);
    for (size_t done = 0; done < oo_out.used;) {
        ssize_t wrote = write(oo_output, oo_out.data + done, oo_out.used - done);
        if (wrote < 0 && errno != EINTR)
            oo_die("cannot write: the checker is gone");
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    oo_out.used = 0;
}
static inline void oo_response(const long long *id, const char *rest) {
    oo_puts("{\"jsonrpc\":\"2.0\",\"id\":");
    if (id)
        oo_put_int(*id);
    oo_puts(id ? "," : "null,");
    oo_puts(rest);
}
static inline void oo_failure(const long long *id, int code, const char *message, const char *about) {
    char text[200];
    snprintf(text, sizeof text, "%s%s", message, about);
    oo_response(id, "\"error\":{\"code\":");
    oo_put_int(code);
    oo_puts(",\"message\":");
    oo_put_str(text);
    oo_flush("}}\n");
}

/* Answers.  One of these, once, in the function of the operation; or oo_suspend there, and one of oo_late_... later.
 * A string that is NULL is answered as null. */

static inline bool oo_answer(oo_call *call, oo_state then) {
    if (call->state == OO_FORGOTTEN) return false;
    if (oo_building)
        oo_die("an answer begins while another is being built: oo_end is missing");
    if (call->state != OO_OPEN)
        oo_die("a call is answered twice, or after it was suspended");
    call->state = call->fault ? OO_ANSWERED : then;
    if (call->fault)
        oo_failure(&call->id, OO_BAD_PARAMS, "missing or of another type: ", call->fault);
    return !call->fault;
}
static inline bool oo_ok(oo_call *call, oo_state then) {
    if (call->bare && then != OO_BUILDING)
        oo_die("a reset is answered with oo_begin, oo_field_str for each handle, oo_end");
    bool answers = oo_answer(call, then);
    if (answers)
        oo_response(&call->id, call->bare ? "\"result\":" : "\"result\":{\"ok\":");
    return answers;
}
static inline void oo_ok_null(oo_call *call) { if (oo_ok(call, OO_ANSWERED)) oo_flush("null}}\n"); }
static inline void oo_ok_str(oo_call *c, const char *text) { if (oo_ok(c, OO_ANSWERED)) oo_put_str(text), oo_flush("}}\n"); }
static inline void oo_ok_int(oo_call *c, long long number) { if (oo_ok(c, OO_ANSWERED)) oo_put_int(number), oo_flush("}}\n"); }
static inline void oo_ok_bool(oo_call *c, bool truth) { if (oo_ok(c, OO_ANSWERED)) oo_flush(truth ? "true}}\n" : "false}}\n"); }

/* An answer with several fields: oo_begin, one oo_field_... each, oo_end. */
static inline void oo_begin(oo_call *call) { if (oo_ok(call, OO_BUILDING)) oo_building = true, oo_puts("{"); }
static inline bool oo_field(oo_call *call, const char *name) {
    if (call->state != OO_BUILDING) return false;
    oo_puts(call->follows ? "," : "");
    call->follows = true;
    oo_put_str(name);
    oo_puts(":");
    return true;
}
static inline void oo_field_null(oo_call *call, const char *name) { if (oo_field(call, name)) oo_puts("null"); }
static inline void oo_field_str(oo_call *c, const char *name, const char *text) { if (oo_field(c, name)) oo_put_str(text); }
static inline void oo_field_int(oo_call *c, const char *name, long long number) { if (oo_field(c, name)) oo_put_int(number); }
static inline void oo_field_bool(oo_call *call, const char *name, bool truth) {
    if (oo_field(call, name))
        oo_puts(truth ? "true" : "false");
}
static inline void oo_field_ints(oo_call *call, const char *name, const long long *numbers, size_t count) {
    if (!oo_field(call, name)) return;
    oo_puts("[");
    for (size_t i = 0; i < count; i++)
        oo_puts(i ? "," : ""), oo_put_int(numbers[i]);
    oo_puts("]");
}
static inline void oo_end(oo_call *call) {
    if (call->state != OO_BUILDING) return;
    call->state = OO_ANSWERED;
    oo_building = false;
    oo_flush(call->bare ? "}}\n" : "}}}\n");
}

/* An outcome of the system, such as EAGAIN. */
static inline void oo_error(oo_call *call, const char *name) {
    if (!oo_answer(call, OO_ANSWERED)) return;
    oo_response(&call->id, "\"result\":{\"error\":");
    oo_put_str(name);
    oo_flush("}}\n");
}

/* An outcome of the adapter: OO_UNSUPPORTED, OO_INDETERMINATE or OO_INTERNAL. */
static inline void oo_fail(oo_call *call, int code, const char *message) {
    if (oo_answer(call, OO_ANSWERED))
        oo_failure(&call->id, code, message, "");
}

/* Leave a call unanswered for now. */
static inline oo_ticket oo_suspend(oo_call *call) {
    return (oo_ticket){call->id, oo_answer(call, OO_SUSPENDED) ? oo_era : 0};
}
/* A suspended call, to be answered with any of the above: oo_call late = oo_late(ticket); oo_begin(&late); ... */
static inline oo_call oo_late(oo_ticket ticket) {
    return (oo_call){.id = ticket.id, .state = ticket.era == oo_era ? OO_OPEN : OO_FORGOTTEN};
}
static inline void oo_late_ok_null(oo_ticket ticket) { oo_ok_null((oo_call[]){oo_late(ticket)}); }
static inline void oo_late_ok_str(oo_ticket ticket, const char *text) { oo_ok_str((oo_call[]){oo_late(ticket)}, text); }
static inline void oo_late_ok_int(oo_ticket ticket, long long n) { oo_ok_int((oo_call[]){oo_late(ticket)}, n); }
static inline void oo_late_ok_bool(oo_ticket ticket, bool truth) { oo_ok_bool((oo_call[]){oo_late(ticket)}, truth); }
static inline void oo_late_error(oo_ticket ticket, const char *name) { oo_error((oo_call[]){oo_late(ticket)}, name); }

/* The loop. */

static inline void oo_initialize(const oo_adapter *adapter, oo_call *call) {
    bool spoken = false;
    for (size_t i = 0, count = oo_count(call, "protocol"); i < count; i++)
        spoken = oo_int_at(call, "protocol", i) == 1 || spoken;
    if (spoken)
        oo_begin(call);
    else
        oo_fail(call, OO_BAD_PARAMS, "this adapter speaks protocol 1");
    oo_field_int(call, "protocol", 1);
    oo_field_str(call, "name", adapter->name);
    oo_field_str(call, "version", adapter->version ? adapter->version : "");
    oo_field_str(call, "language", adapter->language ? adapter->language : "");
    if (oo_field(call, "profiles")) {
        oo_puts("[");
        for (const char *const *profile = adapter->profiles; profile && *profile; profile++)
            oo_puts(profile == adapter->profiles ? "" : ","), oo_put_str(*profile);
        oo_puts("],\"capabilities\":{\"settle\":true},\"limits\":{");
        call->follows = false;
        for (const oo_limit *limit = adapter->limits; limit && limit->name; limit++)
            oo_field_int(call, limit->name, limit->most);
        oo_puts("}");
    }
    oo_end(call);
}
static inline void oo_reset(const oo_adapter *adapter, oo_call *call) {
    for (const oo_value *size = call->args->first; size; size = size->next) {
        if (size->kind != OO_INT || size->number < 0)
            call->fault = size->key;
        for (const oo_limit *limit = adapter->limits; limit && limit->name; limit++)
            if (strcmp(limit->name, size->key) == 0 && size->number > limit->most) {
                oo_fail(call, OO_UNSUPPORTED, "the topology is larger than the adapter's limits");
                return;
            }
    }
    oo_era++;
    if (call->fault)
        oo_answer(call, OO_ANSWERED);
    else
        adapter->reset(call);
}
static inline void oo_dispatch(const oo_adapter *adapter, oo_call *call, const oo_value *params) {
    const oo_value *actor = oo_member(params, "actor"), *op = oo_member(params, "op");
    call->args = oo_member(params, "args");
    if (!actor || actor->kind != OO_STR || !op || op->kind != OO_STR || !call->args || call->args->kind != OO_OBJECT) {
        oo_fail(call, OO_BAD_PARAMS, "a call has an actor, an op and args");
        return;
    }
    call->actor = actor->text;
    call->op = op->text;
    for (const oo_operation *known = adapter->operations; known->op; known++)
        if (strcmp(known->op, call->op) == 0) {
            known->function(call);
            return;
        }
    oo_fail(call, OO_UNSUPPORTED, "not supported");
}

/* Serve one line; false after the last. */
static inline bool oo_serve(const oo_adapter *adapter, char *line) {
    oo_parser parser = {line, 0};
    if (oo_next(&parser, '\0')) return true;
    const oo_value *request = oo_parse_value(&parser, 0);
    if (!request || !oo_next(&parser, '\0')) {
        oo_failure(NULL, OO_PARSE_ERROR, "not JSON, or not of the protocol's kind", "");
        return true;
    }
    const oo_value *id = oo_member(request, "id"), *method = oo_member(request, "method");
    const oo_value *params = oo_member(request, "params");
    bool numbered = id && id->kind == OO_INT;
    if (!numbered || !method || method->kind != OO_STR) {
        oo_failure(numbered ? &id->number : NULL, OO_BAD_REQUEST, "a request has an integer id and a method", "");
        return true;
    }
    oo_call call = {.id = id->number, .actor = "", .op = method->text, .args = params, .bare = true};
    bool last = strcmp(method->text, "shutdown") == 0;
    if (strcmp(method->text, "call") == 0) {
        call.bare = false;
        oo_dispatch(adapter, &call, params);
    } else if (strcmp(method->text, "initialize") == 0) {
        oo_initialize(adapter, &call);
    } else if (strcmp(method->text, "reset") == 0) {
        call.args = oo_member(params, "topology");
        if (call.args && call.args->kind == OO_OBJECT)
            oo_reset(adapter, &call);
        else
            oo_fail(&call, OO_BAD_PARAMS, "a reset has a topology");
    } else if (last || strcmp(method->text, "settle") == 0) {
        oo_begin(&call);
        oo_end(&call);
    } else {
        oo_fail(&call, OO_NO_METHOD, "no such method");
    }
    if (call.state == OO_OPEN || call.state == OO_BUILDING) {
        oo_out.used = 0;
        oo_building = false;
        oo_failure(&call.id, OO_INTERNAL, "its function returned without an answer, or without oo_end: ", call.op);
    }
    return !last;
}

/* Serve stdin until `shutdown` or its end.  Returns what main should. */
static inline int oo_run(const oo_adapter *adapter) {
    oo_output = dup(STDOUT_FILENO);
    if (oo_output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        oo_die("stdin, stdout and stderr must be open");
    for (int byte = 0; byte >= 0;) {
        size_t length = 0;
        /* of a line that is too long only that is remembered */
        for (; (byte = getchar()) >= 0 && byte != '\n'; length += length <= OO_MAX_LINE)
            if (length < OO_MAX_LINE)
                oo_line[length] = (char)byte;
        if (length > OO_MAX_LINE || memchr(oo_line, '\0', length)) {
            oo_failure(NULL, OO_PARSE_ERROR, "a line has at most 1 MiB, and no NUL", "");
            continue;
        }
        oo_line[length] = '\0';
        if (!oo_serve(adapter, oo_line))
            break;
    }
    return 0;
}

#endif
