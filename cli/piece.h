/* A piece of a benchmark's work: the cells that one model serves, or a plain baseline's. */
#ifndef CLI_PIECE_H
#define CLI_PIECE_H

#include "cli/cell.h"
#include "cli/options.h"

/* Trains the model of cells [n] of one class, one seed and one way of training, unless that is
 * done, tests it by the method of each, and writes a cell's file as soon as it has its figures; or
 * does so with a baseline, which is a cell alone. The run folder keeps what an interrupted call
 * goes on from, and of a trained model what another cell needs. A cell that fails costs the others
 * nothing. What there is to say goes to stderr. `options` are the benchmark's. Returns an exit
 * code, of several the first that is not CLI_DONE. */
int cli_piece_run(const cli_cell *const *cells, size_t n, const cli_options *options,
                  const char *folder);

#endif
