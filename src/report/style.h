/* How a page looks. */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

/* Lines of CSS, then NULL. */
extern const char *const report_style[];

#endif
