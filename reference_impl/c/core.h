/* core.c in memory: what a program of its own asks of it, instead of lines. */
#ifndef CORE_H
#define CORE_H

#include <stdbool.h>

enum { CORE_TEXT = 80, CORE_VALUES = 5, CORE_ARGUMENTS = 12 };

/* An argument, or a part of an answer: a text, or a number, or nothing. */
struct core_value {
    const char *name;
    bool null;
    long long number;
    char text[CORE_TEXT];
};

struct core_answer {
    const char *error; /* NULL where the call succeeded */
    int count;
    struct core_value values[CORE_VALUES];
};

/* Start afresh, with so much of everything; `count` sizes, each with its name. */
void core_reset(const struct core_value *topology, int count);

/* The number of an operation; -1 where there is none of that name. */
int core_operation(const char *name);

void core_call(int operation, const char *actor, const struct core_value *arguments, int count, struct core_answer *answer);

#endif
