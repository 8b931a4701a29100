/* A helix in CIELAB: lightness and hue go evenly up, chroma stays. So equal steps of the value
 * look equally large (CIE 1976: the distance of any two neighbours is the same), and the order is
 * kept in gray and for the colour-blind.
 *
 *   L = 20 … 90,  h = 300° … 458°,  C = 60, nowhere outside sRGB
 *
 * Sources: CIE 15:2004 for L*a*b*, IEC 61966-2-1 for sRGB. */
#include "report/colour.h"

#include <math.h>

/* A component of XYZ, as a share of white's, from CIELAB's f of it. */
static double from_f(double f)
{
    const double bend = 6.0 / 29;
    return f > bend ? f * f * f : 3 * bend * bend * (f - 4.0 / 29);
}

static uint8_t to_srgb(double linear)
{
    const double value =
        linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
    return (uint8_t)lround(255 * fmin(fmax(value, 0), 1));
}

static void from_lightness_chroma_hue(uint8_t dst[3], double lightness, double chroma, double hue)
{
    static const double white[3] = {0.95047, 1, 1.08883}; /* D65 */
    static const double to_linear[3][3] = {{3.2404542, -1.5371385, -0.4985314},
                                           {-0.9692660, 1.8760108, 0.0415560},
                                           {0.0556434, -0.2040259, 1.0572252}};
    const double f = (lightness + 16) / 116;
    const double xyz[3] = {white[0] * from_f(f + chroma * cos(hue) / 500), white[1] * from_f(f),
                           white[2] * from_f(f - chroma * sin(hue) / 200)};
    for (int c = 0; c < 3; c++)
        dst[c] =
            to_srgb(to_linear[c][0] * xyz[0] + to_linear[c][1] * xyz[1] + to_linear[c][2] * xyz[2]);
}

void report_colours(uint8_t dst[REPORT_COLOURS][4])
{
    const double degree = 3.14159265358979323846 / 180, chroma = 60, most_opaque = 0.85;
    for (int i = 0; i < REPORT_COLOURS; i++) {
        const double value = (double)i / (REPORT_COLOURS - 1);
        from_lightness_chroma_hue(dst[i], 20 + 70 * value, chroma, (300 + 158 * value) * degree);
        dst[i][3] = (uint8_t)lround(255 * most_opaque * value);
    }
}

int report_colour_place(double value, double high)
{
    return (int)lround((REPORT_COLOURS - 1) * fmin(fmax(value / high, 0), 1));
}
