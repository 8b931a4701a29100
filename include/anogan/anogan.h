/* anogan: image anomaly detection by generative adversarial networks.
 *
 * A detector learns what normal images look like from normal images alone (a DCGAN), and then
 * says of a new image how far it is from the nearest image its generator can make (AnoGAN:
 * T. Schlegl et al., "Unsupervised Anomaly Detection with Generative Adversarial Networks to
 * Guide Marker Discovery", IPMI 2017).
 *
 * Conventions that every function keeps:
 *   - A function that can fail returns ano_status and takes a last parameter `err`, owned by the
 *     caller, which may be NULL. The first error wins; a message reads from the outside in.
 *   - Out parameters come first. What is handed out through `ano_x **out` belongs to the caller,
 *     who frees it with ano_x_free(); ano_x_free(NULL) is safe. Getters lend: what they return
 *     lives as long as the object.
 *   - Images are float32 [n][height][width][channels] with pixels in [-1, 1].
 *   - The library never prints, never exits, reads no environment variable and keeps no global
 *     state. Different objects may be used in different threads at once; one ano_model and one
 *     ano_dataset may be shared by many threads that only read them.
 *   - Same machine, thread count, seed and way of convolving (ano_conv): same bytes. ANO_CONV_AUTO
 *     measures, so two runs may in principle choose differently; a resumed run never does.
 *   - Numbers in text files have a point: keep LC_NUMERIC at "C".
 *   - Any function may also fail with NOMEM, and one that computes with BACKEND.
 */
#ifndef ANOGAN_ANOGAN_H
#define ANOGAN_ANOGAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ANO_API __attribute__((visibility("default")))
#else
#define ANO_API
#endif

/* ---- errors ------------------------------------------------------------------------------- */

typedef enum ano_status {
    ANO_OK = 0,
    ANO_ARG,         /* a parameter or an option is out of its range */
    ANO_NOMEM,       /* memory could not be had */
    ANO_IO,          /* the operating system could not read or write a file */
    ANO_FORMAT,      /* a file's bytes are not what its format says */
    ANO_SHAPE,       /* sizes that must agree do not */
    ANO_UNSUPPORTED, /* well formed, but of a kind this version does not handle */
    ANO_NUMERIC,     /* a loss or a score is NaN or infinite */
    ANO_BACKEND,     /* oneDNN failed */
    ANO_CANCELLED    /* a progress callback asked to stop */
} ano_status;

typedef struct ano_error {
    ano_status status;
    char message[1024];
} ano_error;

#define ANO_ERROR_INIT                                                                             \
    {                                                                                              \
        ANO_OK, ""                                                                                 \
    }

/* "format", "io" …: the short name of a status. */
ANO_API const char *ano_status_name(ano_status status);
/* The version of the library, "major.minor.patch". */
ANO_API const char *ano_version(void);

/* What speed and the last bits of numbers depend on: for messages and bug reports. */
typedef struct ano_build {
    char onednn[24];        /* the version of oneDNN that is loaded, "2.6.0" */
    const char *kernels;    /* the loops chosen for this processor: "generic", "avx2", "avx512" */
    const char *build_type; /* how the library was compiled: "release", "debug" … */
} ano_build;
ANO_API ano_build ano_build_info(void);

/* ---- data sets ---------------------------------------------------------------------------- */

typedef struct ano_dataset ano_dataset;

typedef struct ano_shape {
    int height, width, channels;
} ano_shape;

typedef enum ano_split { ANO_SPLIT_TRAIN, ANO_SPLIT_TEST } ano_split;

/* How a whole image becomes a square. */
typedef enum ano_fit {
    ANO_FIT_RESIZE, /* stretched to it */
    ANO_FIT_CROP,   /* scaled until the shorter side fits, the middle of the longer one kept */
    ANO_FIT_PAD     /* scaled until the longer side fits, the rest filled with the edge's pixels */
} ano_fit;

/* How the networks see images. A model keeps the view that it was trained with, for its scores hold
 * in no other. */
typedef struct ano_view {
    int size;     /* height and width of what the networks see, pixels; 0: that of images in
                     memory or IDX files, 64 of others; tiles need one */
    int channels; /* 1 (gray) or 3 (RGB); 0: 3 where any image has colour */
    ano_fit fit;  /* of whole images */
    int stride;   /* 0: whole images; else tiles of size x size, when scoring this far apart */
    double scale; /* of the images that tiles are cut from: 0.5 half as wide, 0 or 1 as they are */
} ano_view;

#define ANO_VIEW_INIT                                                                              \
    {                                                                                              \
        0, 0, ANO_FIT_RESIZE, 0, 0                                                                 \
    }

typedef struct ano_dataset_options {
    ano_split split;
    const char *normal;  /* classes that are normal, comma-separated ("1" or "3,5"); NULL: those
                            called "good", "normal" or "ok" where there are any, else all */
    const char *anomaly; /* classes that are anomalous; NULL: none, "*": all that are not normal.
                            Images of classes named in neither are left out. */
    size_t count;        /* at most the first `count` normal and the first `count` anomalous
                            images, in the data set's order; 0: all */
    ano_view view;
    size_t max_pixels;  /* images of more are refused; 0: 2^28 */
    bool allow_outside; /* a manifest may name files outside its folder: absolute paths, and .. */
} ano_dataset_options;

#define ANO_DATASET_OPTIONS_INIT                                                                   \
    {                                                                                              \
        ANO_SPLIT_TRAIN, NULL, NULL, 0, ANO_VIEW_INIT, 0, false                                    \
    }

typedef enum ano_dataset_kind {
    ANO_DATASET_PIXELS,   /* given in memory */
    ANO_DATASET_IDX,      /* a folder of IDX files */
    ANO_DATASET_FOLDER,   /* a folder of images, at any depth; the class of an image is the name of
                             the folder in `path` that it is under, "" for those right in it */
    ANO_DATASET_TREE,     /* an MVTec-style tree: train/CLASS, test/CLASS, and masks in
                             ground_truth/CLASS/STEM_mask.png or STEM.png */
    ANO_DATASET_MANIFEST, /* a CSV file whose first line names the columns path, label and, where
                             wanted, split (train or test; empty: in both) and mask; paths are
                             relative to its folder and stay in it; the labels 0 and 1 are the
                             classes "normal" and "anomalous" */
    ANO_DATASET_FILE      /* a single image */
} ano_dataset_kind;

/* "IDX files", "folder of images" …: for people to read. */
ANO_API const char *ano_dataset_kind_name(ano_dataset_kind kind);

/* Opens what is at `path`; ano_dataset_kind says what can be. Image files are any that libvips
 * reads (PNG, JPEG, TIFF, BMP, WebP, PGM …, 8 or 16 bits, turned as their EXIF orientation says),
 * sorted in natural order (part2 before part10); their pixels are not read before they are needed.
 * IDX files have the names of the MNIST distribution, train-images-idx3-ubyte[.gz],
 * train-labels-idx1-ubyte[.gz], t10k-images…, t10k-labels…. What has no splits is all in either.
 * Where view.channels is 0 and no image has colour that could be told, those that could not be
 * looked at are errors when they are read, even if they can be by then.
 * Errors: IO, FORMAT (the message names the file and the field), ARG (a class or a split that is
 * not there, a view out of range), UNSUPPORTED (image files in a library that was built without
 * libvips). */
ANO_API ano_status ano_dataset_open(ano_dataset **out, const char *path,
                                    const ano_dataset_options *options, ano_error *err);

/* Opens what is at n paths as one data set, in that order: image files, whatever their names end
 * in, and anything that ano_dataset_open() takes but IDX files, which are a data set alone. Where
 * there is nothing but the name ends as an image's does, that is an image that cannot be read. Its
 * kind is ANO_DATASET_FOLDER, unless n is 1. Errors: as ano_dataset_open(). */
ANO_API ano_status ano_dataset_open_list(ano_dataset **out, const char *const *paths, size_t n,
                                         const ano_dataset_options *options, ano_error *err);

/* Copies n images [n][height][width][channels] of bytes 0…255; all are normal, of class "". `view`
 * may be NULL: the images as they are. */
ANO_API ano_status ano_dataset_from_pixels(ano_dataset **out, const uint8_t *pixels, size_t n,
                                           ano_shape shape, const ano_view *view, ano_error *err);

/* Splits off `n_held_out` images drawn without replacement by `seed`; both parts keep the order
 * of `dataset`, which may be freed before them. Errors: ARG when fewer than n_held_out + 1. */
ANO_API ano_status ano_dataset_split(ano_dataset **rest, ano_dataset **held_out,
                                     const ano_dataset *dataset, size_t n_held_out, uint64_t seed,
                                     ano_error *err);

/* The same images, each with one anomaly drawn onto it when it is read, of label 1 and class
 * "drawn": for choices where no anomalous image may be looked at. It is a spot, a bar or a scratch
 * filled with pixels of another of the images, other light, a tone, blur or noise
 * (docs/methods.md), at a random place: in a square of the view's size where the view is of
 * tiles, else anywhere. Whether it can be read, and its size, are the image's; all pixels that the
 * anomaly leaves alone are, too. What is drawn depends on `seed`, the images, their order and the
 * view; splits draw anew. There are no masks of it. `normals` may be freed first. */
ANO_API ano_status ano_dataset_draw_anomalies(ano_dataset **out, const ano_dataset *normals,
                                              uint64_t seed, ano_error *err);

/* Reads every whole image once and takes those that cannot be read out of the data set: *n_dropped
 * of them. Errors: ARG (the view is of tiles), NOMEM. */
ANO_API ano_status ano_dataset_drop_unreadable(ano_dataset *dataset, size_t *n_dropped,
                                               ano_error *err);

ANO_API void ano_dataset_free(ano_dataset *dataset);
ANO_API ano_dataset_kind ano_dataset_get_kind(const ano_dataset *dataset);
/* Whether it says which images are for training and which for testing; else all are in either. */
ANO_API bool ano_dataset_has_splits(const ano_dataset *dataset);
/* How many files lie among the images that are none, going by the endings of their names. */
ANO_API size_t ano_dataset_other_files(const ano_dataset *dataset);
ANO_API size_t ano_dataset_count(const ano_dataset *dataset);
/* The view, with what was 0 in it filled in. */
ANO_API ano_view ano_dataset_get_view(const ano_dataset *dataset);
/* What the networks see of an image, or of a tile. */
ANO_API ano_shape ano_dataset_shape(const ano_dataset *dataset);
/* 0 = normal, 1 = anomalous. */
ANO_API int ano_dataset_label(const ano_dataset *dataset, size_t i);
/* The class of image i, "0" … "9" for MNIST. */
ANO_API const char *ano_dataset_class(const ano_dataset *dataset, size_t i);
/* The file that image i is in, "" for one given in memory. */
ANO_API const char *ano_dataset_path(const ano_dataset *dataset, size_t i);
/* The position of image i in the file it came from, counted from 0. */
ANO_API size_t ano_dataset_index(const ano_dataset *dataset, size_t i);
/* The picture that is not 0 where image i is anomalous; NULL where there is none. */
ANO_API const char *ano_dataset_mask(const ano_dataset *dataset, size_t i);
/* The size that image i has in its file, read from there. Errors: IO, FORMAT. */
ANO_API ano_status ano_dataset_original(ano_shape *out, const ano_dataset *dataset, size_t i,
                                        ano_error *err);
/* Reads image i's mask: dst [height][width] of its ano_dataset_original(), 0 or 1; all 0 where it
 * has none. Errors: IO, FORMAT, SHAPE (the mask is of another size). */
ANO_API ano_status ano_dataset_read_mask(uint8_t *dst, const ano_dataset *dataset, size_t i,
                                         ano_error *err);
/* Brings a map [scored.height][scored.width] of image i, ano_strip's shape, back to the image as it
 * is in its file: dst [height][width] of its ano_dataset_original(), bilinear, 0 where the view saw
 * nothing. Errors: those of ano_dataset_original(). */
ANO_API ano_status ano_dataset_unfit_map(float *dst, const ano_dataset *dataset, size_t i,
                                         const float *map, ano_shape scored, ano_error *err);
/* Writes the whole images `indices[0 … n)`, fitted to the view's size, to
 * dst [n][size][size][channels], pixels scaled to [-1, 1]. Errors: ARG (tiles are not whole
 * images), IO, FORMAT. */
ANO_API ano_status ano_dataset_read(float *dst, const ano_dataset *dataset, const size_t *indices,
                                    size_t n, ano_error *err);

/* ---- models ------------------------------------------------------------------------------- */

typedef struct ano_model ano_model;

/* How anomalies are told; docs/methods.md has the formulas and papers. */
typedef enum ano_method {
    ANO_METHOD_FC,    /* AnoGAN's residual: a dense layer before the frozen generator is trained for
                         each image */
    ANO_METHOD_PATCH, /* a discriminator of patches, trained on normal images and on anomalies drawn
                         onto them */
    ANO_METHOD_VAE,   /* a variational autoencoder: how unlikely it finds an image */
    ANO_METHOD_ENCODER, /* f-AnoGAN: an encoder says which z an image has; one pass and no search */
    ANO_METHOD_LATENT,  /* AnoGAN as published, which only scores, by what FC or ENCODER trains: z
                           itself is searched for, and the discriminator's features are to match */
    ANO_METHOD_HYBRID,  /* only scores, by what ENCODER trains: LATENT's search, briefly, from where
                           the encoder says */
    ANO_METHOD_OF_MODEL = -1 /* of scores: the one that the model was trained for */
} ano_method;

/* "fc", "patch", "vae" …; not of ANO_METHOD_OF_MODEL. */
ANO_API const char *ano_method_name(ano_method method);

/* How z is distributed: what a generator learns to make images of, and where searches stay. */
typedef enum ano_prior {
    ANO_PRIOR_OF_METHOD, /* normal of VAE, which knows no other, else uniform */
    ANO_PRIOR_UNIFORM,   /* each number uniform in [-1, 1], and searches stay there */
    ANO_PRIOR_NORMAL /* each number Gaussian, of mean 0 and variance 1; searches stay in [-3, 3],
                        where 99.7 % of them are */
} ano_prior;

/* "uniform" or "normal"; not of ANO_PRIOR_OF_METHOD. */
ANO_API const char *ano_prior_name(ano_prior prior);

/* Generator and discriminator have n blocks, each of which doubles, or halves, a map's side: the
 * most for which size / 2ⁿ is a whole number not below 7, and at least 2. That is 2 blocks for 28
 * and 32, 3 for 64 and 96, 4 for 112 and 128, 5 for 224 and 256; 2 for 100. Images below 16 pixels
 * are of use for trying things out only. */
typedef struct ano_model_config {
    int size;       /* height and width of an image, a multiple of 4 from 8 to 256, pixels */
    int channels;   /* 1 (gray), 3 (colour), at most 4 */
    int latent;     /* length of the latent vector z, 1 to 4096; a patch discriminator has none */
    int base_width; /* channels of the largest maps, 1 to 1024; smaller ones have twice as many */
    ano_method method; /* says which networks there are */
    ano_prior prior;   /* of a model: never OF_METHOD */
} ano_model_config;

#define ANO_MODEL_CONFIG_INIT                                                                      \
    {                                                                                              \
        28, 1, 30, 64, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD                                          \
    }

typedef enum ano_network {
    ANO_GENERATOR, /* of an autoencoder: its decoder */
    ANO_DISCRIMINATOR,
    ANO_PATCH_DISCRIMINATOR,
    ANO_ENCODER
} ano_network;
enum { ANO_NETWORKS = 4 };

/* "generator", "discriminator" …: the first part of the names of a network's tensors. */
ANO_API const char *ano_network_name(ano_network network);
/* Whether scoring by the method takes the network. */
ANO_API bool ano_method_needs(ano_method method, ano_network network);
/* Whether it searches the latent space: then there are traces. */
ANO_API bool ano_method_searches(ano_method method);

typedef struct ano_layer_info {
    const char *name;    /* "dense", "conv_1" …: the first part of its tensors' names */
    const char *kind;    /* "dense", "conv 5x5", "batch norm", "leaky ReLU 0.2" … */
    ano_shape dst;       /* shape of the layer's output for one image */
    size_t n_parameters; /* all of the layer's numbers */
    size_t n_trainable;  /* those that training changes by gradient */
} ano_layer_info;

/* A model with weights drawn by `seed` (Glorot uniform), untrained. */
ANO_API ano_status ano_model_create(ano_model **out, const ano_model_config *config, uint64_t seed,
                                    ano_error *err);
/* Reads a model file (safetensors), or the file of one network alone, weights/generator_0050 say:
 * then the model lacks the other network. Scoring needs the generator only.
 * Errors: IO, FORMAT, SHAPE, UNSUPPORTED. */
ANO_API ano_status ano_model_load(ano_model **out, const char *path, ano_error *err);
/* Writes beside `path`, syncs, then renames: a reader never sees half a file. */
ANO_API ano_status ano_model_save(const ano_model *model, const char *path, ano_error *err);
ANO_API void ano_model_free(ano_model *model);
ANO_API ano_model_config ano_model_get_config(const ano_model *model);
/* σ of a variational autoencoder's pixels about their reconstruction, as training found it; 0 of
 * one that is not trained, and of other methods. */
ANO_API double ano_model_get_sigma(const ano_model *model);
/* How the model sees images: what ano_dataset_open() needs to know for them to be scored. */
ANO_API ano_view ano_model_get_view(const ano_model *model);
/* 0 where the model lacks the network. */
ANO_API int ano_model_layer_count(const ano_model *model, ano_network network);
/* 0 ≤ layer < ano_model_layer_count(). */
ANO_API ano_layer_info ano_model_layer(const ano_model *model, ano_network network, int layer);
/* dst [n][size][size][channels] = G(z), z [n][latent] as of the config's prior, batch norm in
 * inference mode. */
ANO_API ano_status ano_model_generate(float *dst, const ano_model *model, const float *z, size_t n,
                                      int threads, ano_error *err);

/* ---- training ----------------------------------------------------------------------------- */

enum { ANO_FLIP_HORIZONTAL = 1, ANO_FLIP_VERTICAL = 2 };

/* What is done to a training image at random, each time it is seen; a normal image must stay
 * normal. All 0: nothing. */
typedef struct ano_augment {
    unsigned flip;     /* ANO_FLIP_… */
    double shift;      /* up to this share of the size, each way; the edge's pixels fill the rest */
    double rotate;     /* up to this many degrees, each way; likewise */
    double brightness; /* adds up to this much, each way, to pixels in [-1, 1] */
    double contrast;   /* multiplies by up to 1 + this, or divides by it */
} ano_augment;

enum { ANO_SAMPLE_COUNT = 16 };

enum { ANO_MAX_LOSSES = 4 };

/* A row of loss.csv: means over the epoch's steps. */
typedef struct ano_epoch {
    int epoch;                     /* counted from 1 */
    double losses[ANO_MAX_LOSSES]; /* ano_loss_name() says which */
    double seconds;
    double images_per_second;
} ano_epoch;

/* What training by a method tells of itself, by its name in loss.csv; NULL after the last.
 *
 * Of a GAN: d_loss and g_loss, what the two networks minimise by ano_gan_loss, with BCE the binary
 * cross-entropy of the discriminator over real and generated images, and of the generated images
 * against the label "real"; d_real and d_fake, the means over real and generated images of what D
 * says, with BCE the probability "real".
 *
 * Of an encoder and its GAN: d_loss, of which penalty is the part for the gradient, g_loss, and
 * e_loss, what the encoder minimises.
 *
 * Of a patch discriminator: p_loss, its binary cross-entropy over all places of all images.
 *
 * Of a variational autoencoder, in nats an image: vae_loss, the negative ELBO, the sum of
 * reconstruction, -ln p(x|z), and kl, the divergence of q(z|x) from the prior. */
ANO_API const char *ano_loss_name(ano_method method, int i);

typedef struct ano_train_event {
    int epoch, epochs;      /* the epoch under way, from 1, of how many; 0 while all images are
                               looked at before the first */
    int step, steps;        /* steps done of this epoch, of how many; in epoch 0, images */
    const ano_epoch *ended; /* NULL but when an epoch has just ended */
    const char *skipped;    /* NULL but when an image could not be read: which, and why */
    const char *notice;     /* NULL but when there is something to tell people of: a checkpoint that
                               is damaged, training that goes wrong, and what to try */
    const float *samples;   /* NULL but when samples of a generator are due: ANO_SAMPLE_COUNT images
                               [16][size][size][channels], of the same latents each time */
} ano_train_event;

/* Called after each image that is looked at, each step and each epoch; non-zero stops training
 * after saving a checkpoint. */
typedef int ano_train_callback(const ano_train_event *event, void *cookie);

/* How convolutions with many channels are computed; what a way cannot do is done directly. The
 * results differ in rounding, so a run keeps to what it began with. Checkpoints hold the numbers:
 * what is added goes last. */
typedef enum ano_conv {
    ANO_CONV_AUTO,     /* whichever is fastest here, measured for each layer when a run begins */
    ANO_CONV_DIRECT,   /* oneDNN's direct convolution */
    ANO_CONV_WINOGRAD, /* Winograd's algorithm, F(4×4, 5×5) and F(6×6, 3×3) */
    ANO_CONV_FFT       /* the Fourier transform: 5×5 on images up to 14×14, 3×3 up to 15×15 */
} ano_conv;

/* A run folder kept for one caller: training, or whoever else writes there. A process that dies
 * leaves none. */
typedef struct ano_run_lock ano_run_lock;

/* Makes the folder where it is missing, and removes half-written files of a process that died.
 * Errors: IO (it is in use, or cannot be written), UNSUPPORTED (its file system has no locks: the
 * caller may go on without), NOMEM. */
ANO_API ano_status ano_run_lock_take(ano_run_lock **out, const char *run_dir, ano_error *err);
ANO_API void ano_run_lock_free(ano_run_lock *lock);

/* What f-AnoGAN's encoder is trained for: that an image comes back, by the critic's features too;
 * the same without them; that z comes back. */
typedef enum ano_encoding { ANO_ENCODING_IZIF, ANO_ENCODING_IZI, ANO_ENCODING_ZIZ } ano_encoding;

/* What the networks of a GAN play for; docs/methods.md has the formulas and papers. */
typedef enum ano_gan_loss {
    ANO_GAN_LOSS_OF_METHOD,  /* BCE of FC, WASSERSTEIN of ENCODER */
    ANO_GAN_LOSS_BCE,        /* binary cross-entropy, the generator's non-saturating */
    ANO_GAN_LOSS_HINGE,      /* usually with spectral norm */
    ANO_GAN_LOSS_WASSERSTEIN /* with a gradient penalty; the generator moves at every fifth step */
} ano_gan_loss;

typedef struct ano_train_options {
    int epochs; /* the total: a resumed run goes up to it */
    int batch;
    ano_conv conv;
    double learning_rate, beta1, beta2; /* Adam, both networks */
    ano_augment augment;
    uint64_t seed;
    int threads;              /* 0: one a processor */
    const char *run_dir;      /* folder for loss.csv, weights/, checkpoints and model; NULL: none */
    const ano_run_lock *lock; /* on run_dir, where the caller has it; NULL: training takes it */
    bool resume;              /* go on from run_dir's newest checkpoint that is whole; where there
                                 is none at all, begin */
    int sample_every;         /* epochs between samples; also after the last epoch */
    int weights_every;        /* epochs between files in weights/; also after the last epoch */
    int checkpoint_every; /* epochs between checkpoints, or 0; one is saved after the last epoch and
                             where training is stopped, too */
    int checkpoint_minutes; /* minutes between checkpoints, within epochs, or 0: those are all */
    int keep_checkpoints;   /* how many there are, the newest ones; from 1 to 100 */
    size_t cache; /* bytes of decoded images kept in memory; more are decoded again in every
                     epoch, ahead of training and in a thread of their own */
    ano_train_callback *callback;
    void *cookie;
    ano_encoding encoding; /* of ENCODER */
    /* Of GANs, which FC and ENCODER train: */
    ano_gan_loss gan_loss;
    double label_smoothing; /* of BCE: real images' label is 1 less this, from 0 to 0.5 */
    bool spectral_norm;     /* the discriminator's kernels are divided by their largest singular
                               values */
    double average; /* the model's generator is the moving average, with this decay, of the one that
                       is trained, from 0 to below 1; 0: it is the trained one */
} ano_train_options;

#define ANO_TRAIN_OPTIONS_INIT                                                                     \
    {                                                                                              \
        10, 32, ANO_CONV_AUTO, 2e-4, 0.5, 0.999, {0, 0, 0, 0, 0}, 0, 0, NULL, NULL, false, 10, 50, \
            1, 0, 2, (size_t)1 << 30, NULL, NULL, ANO_ENCODING_IZIF, ANO_GAN_LOSS_OF_METHOD, 0,    \
            false, 0                                                                               \
    }

/* Whether training takes these options, with each other and for the config's method; ano_train()
 * asks, too. Errors: ARG. */
ANO_API ano_status ano_train_check(const ano_model_config *config, const ano_train_options *options,
                                   ano_error *err);

/* Trains the networks of the config's method on the images of `dataset`, whose shape `config` must
 * fit. Each epoch shuffles them and leaves out the last ones that fill no batch; where the view is
 * of tiles, an epoch takes from each image as many tiles, at random places, as would cover it.
 * ENCODER trains its encoder in the last third of the epochs, two at least in all.
 * Images that cannot be read are reported and left out. Errors: ARG (among others, too few images),
 * SHAPE, IO (also when run_dir is in use; what was saved before stays whole), NUMERIC (a loss,
 * gradient or weight is not finite: it is named; the last good checkpoint is kept), CANCELLED
 * (checkpoint kept).
 */
ANO_API ano_status ano_train(ano_model **out, const ano_dataset *dataset,
                             const ano_model_config *config, const ano_train_options *options,
                             ano_error *err);

/* ---- scoring ------------------------------------------------------------------------------ */

/* How the latent search goes down. An iteration of either is one evaluation of the loss and its
 * gradient: one pass through the generator and back. */
typedef enum ano_search {
    ANO_SEARCH_ADAM, /* Adam, on the weights of a dense layer in front of the generator */
    ANO_SEARCH_LBFGS /* L-BFGS, on what that layer puts out: as good in a third of the iterations */
} ano_search;

/* "adam" or "lbfgs". */
ANO_API const char *ano_search_name(ano_search search);

/* How the anomaly map of an image becomes its score. */
typedef enum ano_pool {
    ANO_POOL_SUM,  /* the sum over the pixels and channels, AnoGAN's residual */
    ANO_POOL_MEAN, /* the mean over the pixels */
    ANO_POOL_TOP,  /* the mean over the share of pixels where the map is highest */
    ANO_POOL_MAX   /* the highest */
} ano_pool;

/* "sum", "mean", "top" or "max". */
ANO_API const char *ano_pool_name(ano_pool pool);

/* What a variational autoencoder's score is, of K samples of an image's latent vector. */
typedef enum ano_evidence {
    ANO_EVIDENCE_ELBO, /* the negative ELBO: the mean of -ln p(x|z) over them, less what is
                          the same for all images, and the divergence of q(z|x) */
    ANO_EVIDENCE_RECONSTRUCTION, /* the first alone, the reconstruction probability */
    ANO_EVIDENCE_UNEXPLAINED     /* what G(z) leaves of x, blurred by a pixel, as a share of the
                                    image's contrast */
} ano_evidence;

/* "elbo", "reconstruction" or "unexplained". */
ANO_API const char *ano_evidence_name(ano_evidence evidence);

/* Called in the scoring call's own thread after every iteration of the searches there, and at the
 * end; non-zero stops scoring. `images_done` never falls; its fraction is the share of the image
 * under way whose tiles have been searched for. */
typedef int ano_score_callback(double images_done, size_t images, void *cookie);

/* What keeps z where the prior has its mass, in [-1, 1] or [-3, 3], while z itself is searched for.
 */
typedef enum ano_clip {
    ANO_CLIP_BOUND,     /* what leaves the range is put back onto its end */
    ANO_CLIP_TANH,      /* z = r tanh(a / r), r being the range's end, and a is searched for */
    ANO_CLIP_STOCHASTIC /* what leaves is drawn anew from the prior (Lipton, Tripathi 2017) */
} ano_clip;

/* "clip", "tanh" or "stochastic". */
ANO_API const char *ano_clip_name(ano_clip clip);

typedef struct ano_score_options {
    ano_method method; /* one whose networks the model has */
    ano_search search;
    int iterations;       /* of each search */
    int restarts;         /* searches of each image or tile, from different starts; the best is
                             kept */
    double learning_rate; /* of Adam; L-BFGS has none. Of LATENT, whose rate falls, the first */
    double tolerance;     /* a search ends early when 20 iterations have improved its least residual
                             by less than this share of it; from 0, which is never, to below 1 */
    uint64_t seed;        /* of the search's start, the same for every image */
    ano_pool pool;
    double pool_share; /* of ANO_POOL_TOP, above 0 to 1 */
    int samples;       /* K of a variational autoencoder, at least 1 */
    ano_evidence evidence;
    double feature_weight; /* λ of LATENT and HYBRID, from 0 to 1; κ of ENCODER */
    int feature_block; /* of LATENT and HYBRID: whose maps of the discriminator are compared, from
                          1; 0: the last block's */
    ano_clip clip;     /* of both */
    int threads;       /* 0: one a processor */
    ano_score_callback *callback;
    void *cookie;
} ano_score_options;

#define ANO_SCORE_OPTIONS_INIT                                                                     \
    {                                                                                              \
        ANO_METHOD_OF_MODEL, ANO_SEARCH_ADAM, 300, 3, 1e-3, 0, 0, ANO_POOL_SUM, 0.01, 8,           \
            ANO_EVIDENCE_UNEXPLAINED, 0.1, 0, ANO_CLIP_BOUND, 0, NULL, NULL                        \
    }

/* The defaults with those of the method in place of FC's. */
ANO_API ano_score_options ano_score_options_of(ano_method method);

/* Searches the latent space for each image of `dataset`, whose view is of whole images: scores [n]
 * gets the least residual sum |x - G(z)| over the pixels, of LATENT the least loss (>= 0, higher =
 * more anomalous; the pool plays no part). `generated`, unless NULL, gets the images G(z) that came
 * closest, [n][height][width][channels]; `trace`, unless NULL, what each iteration of each search
 * reached, [n][restarts][iterations], and for the iterations after a search that ends early what
 * its last one reached; it is NULL where the method does not search. An image's results depend on
 * nothing but the image, the model and the options' method, seed and what they say of its searches:
 * not on the other images, not on its place among them, not on how many there are. Errors: ARG,
 * SHAPE, NUMERIC, CANCELLED, and those of ano_dataset_read(). */
ANO_API ano_status ano_score(float *scores, float *generated, float *trace, const ano_model *model,
                             const ano_dataset *dataset, const ano_score_options *options,
                             ano_error *err);

/* What a model can remember of the normal images that it was trained on, most of it as vectors; the
 * distance of an image's vector to the nearest of them, or what stands for one, then counts beside
 * what the method says. Images are seen whole: of the networks' size, and where these see tiles, of
 * 64 x 64 pixels. */
typedef enum ano_memory {
    ANO_MEMORY_HISTOGRAMS, /* histograms of gradient orientations */
    ANO_MEMORY_RANDOM,     /* what 32 random filters say */
    ANO_MEMORY_FEATURES, /* what the convolutions of the model's own discriminator, discriminator of
                            patches or, where it has neither, encoder say of images of its size */
    ANO_MEMORY_TRANSFORMS /* no vectors of images: a small network that learned from them by which
                             of 20 quarter turns and shifts an image was moved, and is unsure of
                             images unlike them */
} ano_memory;
enum { ANO_MEMORIES = ANO_MEMORY_TRANSFORMS + 1 };

/* Whose anomaly map is wanted: the method's, which its score is pooled from; a kind of memory's, in
 * the order of ano_memory; or the sum of all that the model has, each divided by the highest value
 * that normal images set aside have of it. */
typedef enum ano_map {
    ANO_MAP_METHOD,
    ANO_MAP_HISTOGRAMS,
    ANO_MAP_RANDOM,
    ANO_MAP_FEATURES,
    ANO_MAP_TRANSFORMS,
    ANO_MAP_ALL
} ano_map;

/* "method", the kind's name, or "all". */
ANO_API const char *ano_map_name(ano_map map);

/* Rows of an image under way, at the view's scale; the pointers are lent for the call. */
typedef struct ano_strip {
    size_t image;           /* which of the data set */
    ano_shape shape;        /* of the whole image */
    int y, n_rows;          /* the rows [y, y + n_rows) */
    const float *pixels;    /* [n_rows][width][channels], what the networks see, in [-1, 1] */
    const float *generated; /* the same, what the generator made of it; NULL of PATCH, which has
                               none */
    const float *map;       /* [n_rows][width], the anomaly map, >= 0 */
} ano_strip;

typedef struct ano_result {
    size_t image;        /* which of the data set */
    ano_status status;   /* ANO_OK, or why the image has no score */
    const char *message; /* what is wrong with it; lent for the call */
    float score;
    float z_distance;   /* of a whole image by ENCODER or HYBRID: how far apart the encoder finds it
                           and what was generated of it, |E(x) - E(G(z))|, >= 0, which f-AnoGAN
                           gives beside the score; NaN by other methods, in tiles, and unless the
                           sink asks for it */
    const float *trace; /* of a whole image, as ano_score()'s; NULL unless the sink asks for it and
                           the method searches */
    double seconds;     /* that it took, its share where images go through together */
    double own;         /* of the score: what the method says, as ano_memorise() has it … */
    double remembered[ANO_MEMORIES]; /* … and what each kind of memory does, NaN where there is no
                                        such; the score is their sum */
} ano_result;

/* What is done with results; either may be NULL, non-zero stops scoring. The images come in the
 * data set's order: all strips of one from top to bottom, its result, then the next. */
typedef struct ano_score_sink {
    int (*on_strip)(const ano_strip *strip, void *cookie);
    int (*on_result)(const ano_result *result, void *cookie);
    void *cookie;
    bool traces;      /* results are to have their traces */
    bool z_distances; /* and their z_distance, for a pass of the encoder more */
    ano_map map;      /* that strips have; scores are the same whichever it is */
} ano_score_sink;

/* Scores the images of `dataset` one after the other, in memory that grows with neither their
 * number nor, where the view is of tiles, their height. Tiles are searched for at every stride, and
 * what their maps say of a pixel is averaged; a kind of memory has one map of an image as it sees
 * it, brought to the size of the strips. An image that cannot be read is a result with its status;
 * the others are scored all the same. What a result depends on is said at ano_score(), and the
 * pool. Errors: ARG (among others, the sink wants a map of what is not remembered), SHAPE (the data
 * set's view is not the model's), NUMERIC, CANCELLED. */
ANO_API ano_status ano_score_images(const ano_model *model, const ano_dataset *dataset,
                                    const ano_score_options *options, const ano_score_sink *sink,
                                    ano_error *err);

/* How many pools ano_choose_pool() chooses among: the mean; the top 0.1, 0.03, 0.01 and 0.003; the
 * highest. */
enum { ANO_POOL_CANDIDATES = 6 };

/* Sets options->pool and pool_share to those whose scores best tell `normals`, normal images that
 * neither training has seen nor calibration will, from the same images with anomalies drawn onto
 * them by `seed` (ano_dataset_draw_anomalies()): the highest AUROC, *auroc, and of equals the first
 * candidate. Each image is searched for once as it is and once drawn on, as the options say; those
 * that cannot be read in both ways are left out, which leaves *n_images of each. The callback is
 * told of twice as many images as there are. The AUROC is optimistic as the best of six, and of
 * anomalies that are drawn, not found. On failure nothing is set. Errors: those of
 * ano_score_images(), ARG (no image can be read). */
ANO_API ano_status ano_choose_pool(ano_score_options *options, double *auroc, size_t *n_images,
                                   const ano_model *model, const ano_dataset *normals,
                                   uint64_t seed, ano_error *err);

/* "histograms", "random", "features", "transforms". */
ANO_API const char *ano_memory_name(ano_memory kind);

typedef struct ano_memory_info {
    size_t n; /* vectors that are kept; 0: nothing of the kind is remembered */
    size_t
        length; /* numbers of a vector; of TRANSFORMS n is 1, the vector the network's parameters */
} ano_memory_info;
ANO_API ano_memory_info ano_model_get_memory(const ano_model *model, ano_memory kind);

/* Whether the model has such a map: all have the method's. */
ANO_API bool ano_model_has_map(const ano_model *model, ano_map map);
/* The highest value that normal images which training has not seen have of a map that the model
 * has: of METHOD those that it is calibrated with, of a kind of memory those set aside for it, of
 * ALL that of each part, 1. 0: not known. */
ANO_API float ano_model_map_high(const ano_model *model, ano_map map);

/* Gives a trained model a memory of `training`, of the kinds whose bits (1u << ANO_MEMORY_…) are in
 * `kinds`; 0 takes the memory from it. From then on the score that ano_score_images() gives is
 *     the sum over the method's own score s and the distance s of each kind of
 *     max(-6, (ln s - mean) / sd), of transforms half of that,
 * where mean and sd of ln s are those of `aside`: normal images, 8 or more, that the model was not
 * trained on and is not to be calibrated with, scored as `how` says. So it may be below 0. A kind's
 * map says what a pixel has of the squared distance, or of what stands for one. Of each kind as
 * many vectors are kept as fit into 64 MB, the greedy core-set of up to twice as many. A network is
 * trained by how->seed. An earlier calibration is dropped; images that cannot be read are left out.
 * The callback of `how` counts images read, of each kind anew. On an error the model has no memory.
 * Errors: ARG (no image of `training` or fewer than two of `aside` can be read; features, and there
 * is neither a discriminator nor an encoder), SHAPE (the view of `aside` is not the model's; the
 * images are too small for a kind), NUMERIC, CANCELLED. */
ANO_API ano_status ano_memorise(ano_model *model, unsigned kinds, const ano_dataset *training,
                                const ano_dataset *aside, const ano_score_options *how,
                                ano_error *err);

/* What a model knows of normal scores: those of held-out normal images, and how they were made. */
typedef struct ano_calibration {
    const float *scores;   /* [n], rising */
    size_t n;              /* 0: not calibrated */
    float map_high;        /* the highest value of any of their maps */
    ano_score_options how; /* threads, callback and cookie play no part */
} ano_calibration;

/* Lent: the scores live until the model is freed or calibrated anew. */
ANO_API ano_calibration ano_model_get_calibration(const ano_model *model);
/* Copies and sorts the scores. Errors: ARG (a score is not finite), NOMEM. */
ANO_API ano_status ano_model_set_calibration(ano_model *model, const ano_calibration *calibration,
                                             ano_error *err);
/* Scores `normals`, normal images that training has not seen, and sets the model's calibration;
 * those that cannot be read are left out. Errors: those of ano_score_images(), ARG (none can be
 * read). */
ANO_API ano_status ano_calibrate(ano_model *model, const ano_dataset *normals,
                                 const ano_score_options *options, ano_error *err);
/* Whether scores made as `options` say compare with the calibration's. */
ANO_API bool ano_calibration_holds(const ano_calibration *calibration,
                                   const ano_score_options *options);

/* ---- evaluation --------------------------------------------------------------------------- */

typedef struct ano_metrics {
    double auroc;                 /* area under the ROC curve, ties counted half */
    double auroc_low, auroc_high; /* its 95 % interval (DeLong 1988, on the logit scale; Wilson's
                                     for min(normal, anomalous) trials where DeLong's variance is
                                     0, as at an AUROC of 1): never of zero width */
    double aupr;                  /* average precision, the anomalous being the positives */
    double accuracy_best;         /* over all thresholds */
    double best_low, best_high;   /* every threshold t in [low, high) reaches accuracy_best when
                                     scores > t are called anomalous: two observed scores, of the
                                     widest such range (the lowest of equals); where only calling
                                     all images alike is best, the least piece of that range, next
                                     to the outermost score */
    double tpr_at_fpr_1;          /* the most that any threshold finds of the anomalous images */
    double tpr_at_fpr_5;          /* while it calls at most 1 %, 5 % of the normal ones anomalous */
    double f1_all_positive;       /* F1 of calling every image anomalous: what F1 starts from */
} ano_metrics;

/* scores [n], labels [n] (0 normal, 1 anomalous).
 * Errors: ARG when there are no normal or no anomalous images, NOMEM, NUMERIC. */
ANO_API ano_status ano_evaluate(ano_metrics *out, const float *scores, const int *labels, size_t n,
                                ano_error *err);

/* What "score > threshold means anomalous" gets right and wrong; anomalous is positive. */
typedef struct ano_confusion {
    size_t tp, fp, tn, fn; /* images: true positives, false positives … */
    double accuracy;       /* (tp + tn) / n */
    double precision;      /* tp / (tp + fp) */
    double recall;         /* tp / (tp + fn), also called TPR */
    double f1;             /* 2 tp / (2 tp + fp + fn); each is 0 where it would be 0 / 0 */
} ano_confusion;

ANO_API ano_confusion ano_confusion_at(const float *scores, const int *labels, size_t n,
                                       double threshold);

/* What a threshold gives: the ROC curve is tpr over fpr, the precision-recall curve precision
 * over tpr, which is recall. */
typedef struct ano_curve_point {
    double threshold; /* scores > threshold are called anomalous */
    double fpr, tpr, precision;
} ano_curve_point;

/* Fills points [n + 1] with *n_points points of both curves, one more than there are distinct
 * scores: from the highest score as threshold, where nothing is called anomalous and precision
 * counts as 1, down to -INFINITY, where all is. A ROC curve joins its points by straight lines; a
 * precision-recall curve by steps, each at the precision of the higher recall, so that the area
 * under it is aupr. Errors: as ano_evaluate(). */
ANO_API ano_status ano_curves(ano_curve_point *points, size_t *n_points, const float *scores,
                              const int *labels, size_t n, ano_error *err);

/* Metrics over the pixels of any number of anomaly maps, added one by one, in 32 MB and, while an
 * image with a mask is added, 4 bytes for each of its pixels. */
typedef struct ano_pixel_metrics ano_pixel_metrics;

typedef struct ano_pixel_result {
    double auroc;       /* over all pixels, ties counted half */
    double aupro;       /* area under the per-region overlap over an FPR of 0 to 0.3, divided by 0.3
                           (Bergmann et al. 2021); regions are 8-connected */
    double auroc_error; /* the exact AUROC is at most this far away, the exact AUPRO … */
    double aupro_error; /* … this far: values that agree in 13 significant bits count as ties */
    size_t n_normal, n_anomalous; /* pixels */
    size_t n_regions;
} ano_pixel_result;

ANO_API ano_status ano_pixel_metrics_create(ano_pixel_metrics **out, ano_error *err);
ANO_API void ano_pixel_metrics_free(ano_pixel_metrics *metrics);
/* Adds an image: its anomaly map [height][width], numbers ≥ 0, and its mask [height][width], where
 * what is not 0 is anomalous; NULL for a normal image. Sizes may differ from image to image. What
 * fails adds nothing. Errors: ARG (a number below 0), NUMERIC, SHAPE, NOMEM. */
ANO_API ano_status ano_pixel_metrics_add(ano_pixel_metrics *metrics, const float *map,
                                         const uint8_t *mask, int height, int width,
                                         ano_error *err);
/* The metrics of all images so far. Errors: ARG when there are no normal or no anomalous pixels. */
ANO_API ano_status ano_pixel_metrics_finish(ano_pixel_result *out, const ano_pixel_metrics *metrics,
                                            ano_error *err);

/* Plain detectors without networks of their own, for others to be compared with; docs/methods.md
 * has their formulas. Scores are >= 0, higher = more anomalous. */
typedef enum ano_baseline {
    ANO_BASELINE_PCA,     /* squared error of the reconstruction from principal components */
    ANO_BASELINE_NEAREST, /* Euclidean distance to the nearest training image's pixels … */
    ANO_BASELINE_HISTOGRAM_NEAREST,     /* … to its histograms of gradient orientations */
    ANO_BASELINE_HISTOGRAM_MAHALANOBIS, /* Mahalanobis distance from the training images' mean
                                           (Mahalanobis 1936), the covariance shrunk by 5 % */
    ANO_BASELINE_RANDOM_NEAREST,        /* the same two distances between what 32 random filters */
    ANO_BASELINE_RANDOM_MAHALANOBIS,    /* say of images (Jarrett et al. 2009) */
    ANO_BASELINE_RANK_SUM               /* of the four before: what share of the training images,
                                           each left out of the fit in turn, scores lower, added up;
                                           0 to 4 */
} ano_baseline;

enum { ANO_BASELINES = ANO_BASELINE_RANK_SUM + 1, ANO_PCA_COMPONENTS = 30 };

/* "pca", "nearest", "histogram_nearest" …: the name in files; NULL for what is no baseline. */
ANO_API const char *ano_baseline_name(ano_baseline baseline);

typedef struct ano_baseline_options {
    int components; /* of PCA, fewer than there are training images and numbers in an image */
    int threads;    /* of fitting and scoring; 0: one a processor */
} ano_baseline_options;

#define ANO_BASELINE_OPTIONS_INIT                                                                  \
    {                                                                                              \
        ANO_PCA_COMPONENTS, 0                                                                      \
    }

/* A baseline fitted to training images; many threads may score with it at once. */
typedef struct ano_baseline_model ano_baseline_model;

/* Fits a baseline to the whole images of `train`, which may be freed before it. All but PCA keep
 * the images' pixels or descriptors, as floats: where that would be more than 1 GB, those of images
 * that lie evenly among them. Errors: ARG (too few images), SHAPE (images of fewer than 4 pixels a
 * side have no descriptors), NUMERIC (Mahalanobis: they are all alike), those of
 * ano_dataset_read(). */
ANO_API ano_status ano_baseline_fit(ano_baseline_model **out, ano_baseline baseline,
                                    const ano_dataset *train, const ano_baseline_options *options,
                                    ano_error *err);
ANO_API void ano_baseline_free(ano_baseline_model *model);

/* scores [count of dataset]; each depends on its image and the model alone. Errors: SHAPE (the
 * images are not of the training images' shape), those of ano_dataset_read(). */
ANO_API ano_status ano_baseline_score(float *scores, const ano_baseline_model *model,
                                      const ano_dataset *dataset, ano_error *err);

/* ---- calibration -------------------------------------------------------------------------- */

/* The promise of everything here is for new images whose scores are exchangeable with those of the
 * held-out normal ones. A promise about false alarms is one on average over held-out sets. */

/* The p-value of "this image is normal": the share, the image itself counted, of `sorted` [n],
 * scores of held-out normal images in rising order, that are no lower than `score` (split
 * conformal; Vovk, Gammerman, Shafer 2005). For a normal image p <= alpha has probability at most
 * alpha. Between 1 / (n + 1) and 1; NaN for a NaN. */
ANO_API double ano_p_value(const float *sorted, size_t n, double score);
/* 1 / (n + 1), the smallest p-value that n held-out images can give, and so the smallest
 * probability of a false alarm that they can promise. */
ANO_API double ano_smallest_alpha(size_t n);
/* The threshold that a new normal image exceeds with probability at most alpha, from `scores` [n]
 * of held-out normal images in any order. It says in scores what p-values say, ties and rounding
 * included:
 *   score > threshold  if and only if  ano_p_value() <= max(alpha, ano_smallest_alpha(n)).
 * So where alpha < ano_smallest_alpha(n), which the caller should tell, the promise is the smallest
 * alpha's, and the threshold the largest of the scores. Errors: ARG, NOMEM, NUMERIC. */
ANO_API ano_status ano_threshold(double *out, const float *scores, size_t n, double alpha,
                                 ano_error *err);
/* Which of n images to call anomalous, rejected [n], by their p-values in [0, 1], so that on
 * average at most the share `fdr` of those called is normal (Benjamini, Hochberg 1995). With
 * p-values of one held-out set this holds too (Bates et al. 2023).
 * Errors: ARG (a p-value that is NaN or none, an fdr not between 0 and 1), NOMEM. */
ANO_API ano_status ano_benjamini_hochberg(bool *rejected, const double *p_values, size_t n,
                                          double fdr, ano_error *err);

/* Watches whether the images that pass as normal are still like the held-out ones: a conformal
 * test martingale (Vovk, Nouretdinov, Gammerman 2003; docs/methods.md says how it bets). */
typedef struct ano_drift ano_drift;

/* From `scores` [n] of held-out normal images in any order and `threshold`, which comes from
 * ano_threshold() of the same scores or was fixed without looking at them; only scores below it
 * take part. Where nothing drifts, the probability that drift is ever found is at most delta, for
 * streams of any length. `seed` decides how scores that tie are ordered. Half a megabyte, whatever
 * the stream's length. Errors: ARG, NOMEM, NUMERIC. */
ANO_API ano_status ano_drift_create(ano_drift **out, const float *scores, size_t n,
                                    double threshold, double delta, uint64_t seed, ano_error *err);
ANO_API void ano_drift_free(ano_drift *drift);
/* Takes the score of the next image, normal or anomalous. Returns whether drift has been found, by
 * this image or an earlier one: once found, it stays so. */
ANO_API bool ano_drift_update(ano_drift *drift, double score);
/* The evidence for drift: log10 of the martingale, the highest that it has been, from 0 on. Drift
 * is found at -log10(delta). Past 100 the images change nothing more. */
ANO_API double ano_drift_evidence(const ano_drift *drift);
/* How many images have taken part since ano_drift_create(). */
ANO_API size_t ano_drift_count(const ano_drift *drift);

#ifdef __cplusplus
}
#endif

#endif
