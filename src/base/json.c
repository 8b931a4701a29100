/* jansson does not bear memory that runs short. While it reads, it drops a character of a long
 * token without a word, which leaves another number, fails an assertion, or calls the text
 * malformed: so what it will need is asked for first, and given back at once. While it writes, it
 * drops the names of fields: so the text grows here. */
#include "base/json.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is asked for; a text of nothing but brackets would take more. */
enum { MEMORY_A_BYTE = 16, LEAST_MEMORY = 1 << 16 };

ano_status base_json_read(json_t **out, const char *text, size_t size, json_error_t *why)
{
    *out = NULL;
    if (size > (SIZE_MAX - LEAST_MEMORY) / MEMORY_A_BYTE)
        return ANO_NOMEM;
    void *reserve = malloc(size * MEMORY_A_BYTE + LEAST_MEMORY);
    if (reserve == NULL)
        return ANO_NOMEM;
    free(reserve);
    *out = json_loadb(text, size, JSON_REJECT_DUPLICATES, why);
    return *out != NULL ? ANO_OK : ANO_FORMAT;
}

/* A text under way, ended by a NUL. */
typedef struct growing {
    char *text;
    size_t length, room;
    bool lacks_memory; /* from then on nothing is added */
} growing;

static int append(const char *bytes, size_t n, void *cookie)
{
    growing *g = cookie;
    if (!g->lacks_memory && n >= g->room - g->length) {
        const size_t room = 2 * (g->length + n) + 1;
        char *larger = base_alloc(room, 1);
        if (larger != NULL)
            memcpy(larger, g->text, g->length);
        base_free(g->text);
        g->text = larger;
        g->room = room;
        g->lacks_memory = larger == NULL;
    }
    if (g->lacks_memory)
        return -1;
    memcpy(g->text + g->length, bytes, n);
    g->length += n;
    return 0;
}

char *base_json_text(const json_t *value, size_t flags)
{
    enum { FIRST_ROOM = 512 };
    growing g = {.text = base_alloc(FIRST_ROOM, 1), .room = FIRST_ROOM};
    g.lacks_memory = g.text == NULL;
    if (g.lacks_memory || value == NULL || json_dump_callback(value, append, &g, flags) != 0 ||
        g.lacks_memory) {
        base_free(g.text);
        return NULL;
    }
    return g.text;
}
