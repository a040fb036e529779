/* Runs steps of many generated models: reads requests on stdin, writes what each step leaves on stdout.
 *
 * Arguments: the language of each model, in order. A request: u16 model, u16 scratch bytes, u16 steps, the state, then
 * a u16 id a step (little-endian). The answer, each step: state, context, scores (int32), logits (int8). Buffers have
 * exactly the size that the model states, so that the address sanitizer sees every byte too many.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tinylm.h"

#define TLM_MODEL(n) extern const tlm_model_t tlm_model_##n;
#include "models.inc"
#undef TLM_MODEL
#define TLM_MODEL(n) &tlm_model_##n,
static const tlm_model_t *const models[] = {
#include "models.inc"
};

/* The models name it; no test here types. */
int tlm_suggest_spelling(tlm_engine_t *engine, uint8_t count)
{
    (void)engine;
    return count;
}

uint32_t tlm_hash_network(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash)
{
    (void)engine;
    (void)moment;
    return hash;
}

static uint8_t *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        exit(2);
    }
    size_t size = (size_t)ftell(file);
    uint8_t *content = malloc(size);
    rewind(file);
    if (content == NULL || fread(content, 1, size, file) != size) {
        exit(2);
    }
    fclose(file);
    return content;
}

static int read_u16(uint16_t *value)
{
    uint8_t bytes[2];
    if (fread(bytes, 1, 2, stdin) != 2) {
        return 0;
    }
    *value = (uint16_t)(bytes[0] | (bytes[1] << 8));
    return 1;
}

static void run(const tlm_network_t *network, const uint8_t *language, uint16_t scratch_bytes, uint16_t steps)
{
    const uint16_t rows = network->rows;
    int8_t *state = malloc(network->state_bytes), *context = malloc(network->context_bytes);
    int8_t *scratch = malloc(scratch_bytes), *logits = malloc(rows);
    int32_t *scores = malloc(rows * sizeof *scores);
    if (!state || !context || !scratch || !logits || !scores) {
        exit(2);
    }
    if (fread(state, 1, network->state_bytes, stdin) != network->state_bytes) {
        exit(2);
    }
    for (uint16_t i = 0; i < steps; i++) {
        uint16_t id;
        if (!read_u16(&id)) {
            exit(2);
        }
        network->step(language, id, state, context, scratch);
        network->score(language, context, 0, rows, scores);
        for (uint16_t row = 0; row < rows; row++) {
            logits[row] = network->logit(language, context, row);
        }
        fwrite(state, 1, network->state_bytes, stdout);
        fwrite(context, 1, network->context_bytes, stdout);
        fwrite(scores, sizeof *scores, rows, stdout);
        fwrite(logits, 1, rows, stdout);
    }
    free(state);
    free(context);
    free(scratch);
    free(logits);
    free(scores);
}

int main(int count, char **paths)
{
    uint16_t number, scratch_bytes, steps;
    while (read_u16(&number) && read_u16(&scratch_bytes) && read_u16(&steps)) {
        if (number + 1 >= count) {
            return 2;
        }
        uint8_t *language = read_file(paths[number + 1]);
        run(&models[number]->network, language, scratch_bytes, steps);
        free(language);
    }
    return 0;
}
