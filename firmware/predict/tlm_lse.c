#include "tlm_lse.h"

#include "tlm_list.h"

enum {
    LIMIT_NATS = 12,             /* e^-12 of 2^15 is below 1 */
    SMALL_UNITS = 4096,          /* as fine as distances are multiplied */
    LN2_MILLINATS = 693,
    CURVE = 11362                /* of log2(1 + x), 2^-15: 0.3467 */
};

static const uint32_t SIXTEENTHS_OF_NAT = 1512775; /* 2^16 * 16 / ln 2 */

const uint16_t tlm_half_powers[TLM_HALF_POWERS] = {32768, 31379, 30048, 28774, 27554, 26386, 25268, 24196,
                                                  23170, 22188, 21247, 20347, 19484, 18658, 17867, 17109};

/* Where the power of two of a distance below `limit` is: 0..277. The product is below 2^25: factor is at most 2^16 * 16 /
 * ln 2 / (units >> shift), and the distance 12 * ((units >> shift) + 1). */
static inline uint32_t sixteenths_of(uint32_t distance, uint8_t shift, uint32_t factor)
{
    return (distance >> shift) * factor >> 16;
}

void tlm_lse_start(tlm_lse_t *lse, int32_t units_per_nat)
{
    uint32_t units = (uint32_t)units_per_nat;

    lse->best = INT32_MIN;
    lse->sum = 0;
    lse->units_per_nat = units_per_nat;
    lse->limit = LIMIT_NATS * units;
    lse->shift = 0;
    while (units >= SMALL_UNITS) {
        units >>= 1;
        lse->shift++;
    }
    lse->factor = SIXTEENTHS_OF_NAT / units;
}

/* The score becomes the best one. */
static void raise(tlm_lse_t *lse, int32_t score)
{
    const uint32_t distance = (uint32_t)score - (uint32_t)lse->best;

    if (distance < lse->limit) {
        const uint32_t sixteenths = sixteenths_of(distance, lse->shift, lse->factor);
        const uint32_t power = tlm_half_powers[sixteenths % TLM_HALF_POWERS]; /* at most 2^15 */
        /* sum * power / 2^15 in 32 bits: the sum is below 2^31. */
        lse->sum = ((lse->sum >> 15) * power + ((lse->sum & 0x7FFFu) * power >> 15)) >> (sixteenths / TLM_HALF_POWERS);
    } else {
        lse->sum = 0;
    }
    lse->best = score;
    lse->sum += 0x8000u;
}

void tlm_lse_add(tlm_lse_t *lse, const int32_t *scores, uint16_t count)
{
    const uint32_t limit = lse->limit;
    const uint32_t factor = lse->factor;
    const uint8_t shift = lse->shift;
    uint32_t best = (uint32_t)lse->best;
    uint32_t sum = lse->sum;

    for (; count > 0; count--) {
        const int32_t score = *scores++;
        const uint32_t distance = best - (uint32_t)score; /* unsigned: that of any two scores fits; 2^31 or more above best */
        if (distance < limit) {
            sum += tlm_half_power(sixteenths_of(distance, shift, factor));
        } else if (score > (int32_t)best) {
            lse->sum = sum;
            raise(lse, score);
            best = (uint32_t)score;
            sum = lse->sum;
        }
    }
    lse->sum = sum;
}

int32_t tlm_lse_value(const tlm_lse_t *lse)
{
    uint32_t sum = lse->sum;
    uint32_t whole = 0; /* below 16 */
    uint32_t part;

    while (sum >= 0x10000u) {
        sum >>= 1;
        whole++;
    }
    part = sum - 0x8000u; /* log2(1 + x) is x + 0.3467 x (1 - x), to 0.009 */
    part += (part * (0x8000u - part) >> 15) * CURVE >> 15;
    return tlm_score_add(lse->best, lse->units_per_nat, (int32_t)(((whole << 15) + part) * LN2_MILLINATS >> 15));
}
