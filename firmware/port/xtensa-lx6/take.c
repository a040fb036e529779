/* The inputs of layouts pairs and fours (tlm_four.h), in C: no instruction widens more than one. */
#include <stdint.h>

/* Here too, as a project of another layout has this file and no tlm_four.h. */
int32_t tlm_four_take(const int8_t *x, uint32_t groups, int16_t *wide);

int32_t tlm_four_take(const int8_t *x, uint32_t groups, int16_t *wide)
{
    int32_t sum = 0;
    for (; groups != 0; groups--, x += 4, wide += 4) {
        sum += (wide[0] = x[0]) + (wide[1] = x[2]) + (wide[2] = x[1]) + (wide[3] = x[3]);
    }
    return sum;
}
