/* anogan demo: the experiment on handwritten digits, with data that comes with the program. */
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/train.h"

static const cli_command command = {
    .verb = CLI_VERB_DEMO,
    .arguments = "",
    .doc = "Trains on handwritten 1s, scores 1s and 9s that it has not seen, and reports how well "
           "the two are told apart. The run folder is runs/demo, and is written anew each time.",
};

static const char *find_data(void)
{
    static const char *const places[] = {"data/mnist-1-vs-9", ANOGAN_DATADIR "/mnist-1-vs-9"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (cli_is_folder(places[i]))
            return places[i];
    return NULL;
}

int cli_demo(int argc, char **argv)
{
    static const char own_folder[] = "runs/demo";
    cli_options options = cli_options_default();
    options.normal = "1";
    options.anomaly = "9";
    options.count = 100;
    options.out = own_folder;
    cli_options_parse(&options, &command, argc, argv);
    if (options.data == NULL)
        options.data = find_data();
    if (options.data == NULL)
        return cli_refuse(CLI_BAD_DATA,
                          "the digits are neither in ./data/mnist-1-vs-9 nor in %s; "
                          "name a folder of IDX files with --data",
                          ANOGAN_DATADIR "/mnist-1-vs-9");
    return cli_train_and_test(&options, options.out == own_folder);
}
