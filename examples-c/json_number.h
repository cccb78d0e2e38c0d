/*
 * Reads one whole number out of a response of factor2, see json_member.h. C89.
 */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gives the first member called `name` that is a number, or `otherwise` if there is none. */
static long json_number(const char *json, const char *name, long otherwise) {
    char start[64], *end;
    long number;

    if (json == NULL || strlen(name) + sizeof "\"\":" > sizeof start)
        return otherwise;
    sprintf(start, "\"%s\":", name);
    json = strstr(json, start);
    if (json == NULL)
        return otherwise;
    json += strlen(start);
    number = strtol(json, &end, 10);
    return end == json ? otherwise : number;
}

#endif
