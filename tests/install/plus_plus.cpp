// A C++ program with the installed library: a data set, a model, scores, and an error.
#include <anogan/anogan.h>

#include <cstdio>
#include <cstring>
#include <vector>

int main()
{
    ano_error err = ANO_ERROR_INIT;
    const ano_shape shape = {8, 8, 1};
    std::vector<unsigned char> pixels(16 * 64);
    for (std::size_t i = 0; i < pixels.size(); i++)
        pixels[i] = static_cast<unsigned char>(i % 7 * 40);

    ano_dataset *images = nullptr;
    ano_model *model = nullptr;
    ano_model_config config = ANO_MODEL_CONFIG_INIT;
    config.size = 8;
    config.base_width = 4;
    config.latent = 4;
    ano_train_options how = ANO_TRAIN_OPTIONS_INIT;
    how.epochs = 1;
    how.batch = 8;
    ano_score_options search = ANO_SCORE_OPTIONS_INIT;
    search.iterations = 2;
    std::vector<float> scores(16, -1);
    if (ano_dataset_from_pixels(&images, pixels.data(), 16, shape, nullptr, &err) != ANO_OK ||
        ano_train(&model, images, &config, &how, &err) != ANO_OK ||
        ano_score(scores.data(), nullptr, nullptr, model, images, &search, &err) != ANO_OK) {
        std::fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    ano_model_free(model);
    ano_dataset_free(images);
    for (const float score : scores)
        if (!(score >= 0))
            return 1;
    if (ano_model_load(&model, "nowhere", &err) != ANO_IO ||
        std::strstr(err.message, "nowhere") == nullptr)
        return 1;
    std::printf("%s, oneDNN %s\n", ano_version(), ano_build_info().onednn);
    return 0;
}
