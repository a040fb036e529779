/* The engine alone, in your own program: types a text and prints what is suggested after each of its characters. */
#include <stdio.h>
#include "tinylm.h"

int main(int argc, char **argv)
{
    static tlm_engine_t engine; /* all of its memory: no heap, no file, no floating point */
    if (tlm_engine_init(&engine, &tlm_model, tlm_port_language()) < 0) return 1;
    for (const char *c = argc > 1 ? argv[1] : "how are y"; *c != '\0' && tlm_feed(&engine, (uint8_t)*c) == 0; c++) {
        int n = tlm_suggest(&engine, 3);
        for (int i = 0; i < n; i++) printf("%s%s", i ? "  " : "", engine.suggestions[i].text);
        printf("\n");
    }
    return 0;
}
