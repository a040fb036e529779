/* Says for each number of groups whether both kernels give the same sums with register windows as without. */
#include "tlm_four.h"
#include "tlm_port.h"

enum { GROUPS = 64, BLOCKS = 2, ROWS = 4 * BLOCKS };

/* Of BLOCKS blocks. */
void call_windowed(const uint8_t *weights, const int16_t *x, uint32_t groups, uint32_t offset, uint32_t *sums,
                   uint32_t is_int4);

static uint8_t weights[GROUPS * 16 * BLOCKS] __attribute__((aligned(4)));
static int16_t x[GROUPS * 4 + 2] __attribute__((aligned(4)));

int main(void)
{
    uint32_t noise = 1;
    tlm_port_init();
    for (uint32_t groups = 0; groups <= GROUPS; groups++) {
        uint32_t plain[ROWS], windowed[ROWS], different = 0;
        for (uint32_t i = 0; i < sizeof weights; i++) {
            noise = noise * 1664525U + 1013904223U;
            weights[i] = (uint8_t)(noise >> 24);
            x[i / 8] = (int16_t)((int32_t)noise >> 24);
        }
        for (uint32_t is_int4 = 0; is_int4 < 2; is_int4++) {
            (is_int4 != 0 ? tlm_dot_four_int4 : tlm_dot_four)(weights, x, groups, 77, plain, BLOCKS);
            call_windowed(weights, x, groups, 77, windowed, is_int4);
            for (uint32_t row = 0; row < ROWS; row++) {
                different |= plain[row] ^ windowed[row];
            }
        }
        tlm_port_write(different == 0 ? '=' : '!');
    }
    tlm_port_write('\n');
    return (int)tlm_port_read();
}
