/* The colours of anomaly maps. */
#ifndef REPORT_COLOUR_H
#define REPORT_COLOUR_H

#include <stdint.h>

enum { REPORT_COLOURS = 256 };

/* Red, green, blue and opacity for the values 0, 1/255, … 1 of a map: from dark blue, which lets
 * the image through, by red to bright yellow, which covers it but for a little. */
void report_colours(uint8_t dst[REPORT_COLOURS][4]);

/* The place in that table of a map's value when `high` gets the top colour; what lies outside is
 * clipped, NaN is 0. */
int report_colour_place(double value, double high);

#endif
