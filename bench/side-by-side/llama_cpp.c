/* llama.cpp as a resident peer for bench/side-by-side.sh, driven as its own llama-bench does.
 *
 *   llama_cpp LIBRARIES MODEL THREADS
 *
 * Built against the public C API of the libraries that npm's @node-llama-cpp/linux-x64 ships and the headers of the same
 * version. A persistent thread pool is attached (without one threads are started at every token), flash attention is on,
 * the cache is F16, a batch is 512 tokens, the weights are mapped and repacked as llama.cpp chooses.
 *
 * Prints "ready" and what it is, then answers each line of standard input with one line:
 *
 *   pp P [D]        seconds for a prompt of P tokens in one go, after D tokens that are in the cache already
 *   tg N [D]        seconds for N tokens one by one
 *   tb S N [D]      seconds for N tokens of each of S sequences, a step of all in one batch
 *   greedy N ID...  N greedy tokens after the ids, as ID:LOGIT
 *
 * Between two answers its threads sleep, so that another engine can be measured.
 */
#define _GNU_SOURCE
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "llama.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 2048, MICRO_BATCH = 512, MAX_IDS = 4096, LINE = 65536 };

typedef struct ggml_threadpool * (*new_pool)(struct ggml_threadpool_params *);
typedef void (*pause_pool)(struct ggml_threadpool *);

struct peer {
    struct llama_model * model;
    struct llama_context * context;
    struct ggml_threadpool * pool;
    pause_pool pause;
    struct llama_batch batch;
    int threads, vocabulary;
    int length, sequences; /* that the context was made for, */
    int depth;             /* and tokens that each sequence holds */
    unsigned random;
};

static void quiet(enum ggml_log_level level, const char * text, void * data) {
    (void) data;
    if (level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

static void die(const char * message) {
    fprintf(stderr, "llama_cpp: %s\n", message);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static llama_token random_id(struct peer * p) {
    p->random = p->random * 1664525u + 1013904223u;
    return (llama_token) ((p->random >> 8) % (unsigned) p->vocabulary);
}

static void add(struct llama_batch * batch, llama_token id, int position, int sequence, bool logits) {
    int i = batch->n_tokens++;
    batch->token[i] = id;
    batch->pos[i] = position;
    batch->n_seq_id[i] = 1;
    batch->seq_id[i][0] = sequence;
    batch->logits[i] = logits;
}

static void decode(struct peer * p) {
    if (llama_decode(p->context, p->batch) != 0) {
        die("llama_decode failed");
    }
    p->batch.n_tokens = 0;
}

/* A context for that many tokens in each of the sequences; the one that is there if it fits exactly. */
static void prepare(struct peer * p, int length, int sequences) {
    if (p->context != NULL && p->length == length && p->sequences == sequences) {
        return;
    }
    if (p->context != NULL) {
        llama_free(p->context);
    }
    struct llama_context_params cp = llama_context_default_params();
    cp.n_ctx = (uint32_t) length * (uint32_t) sequences;
    cp.n_batch = BATCH;
    cp.n_ubatch = MICRO_BATCH;
    cp.n_seq_max = (uint32_t) sequences;
    cp.n_threads = cp.n_threads_batch = p->threads;
    cp.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    cp.type_k = cp.type_v = GGML_TYPE_F16;
    cp.swa_full = false;
    p->context = llama_init_from_model(p->model, cp);
    if (p->context == NULL) {
        die("no context");
    }
    llama_attach_threadpool(p->context, p->pool, NULL);
    p->length = length;
    p->sequences = sequences;
    p->depth = 0;
}

/* Makes every sequence hold exactly that many tokens; they are kept from one run to the next where that is possible. */
static void fill(struct peer * p, int depth) {
    llama_memory_t memory = llama_get_memory(p->context);
    bool kept = p->depth == depth && depth > 0;
    for (int s = 0; s < p->sequences && kept; s++) {
        kept = llama_memory_seq_rm(memory, s, depth, -1);
    }
    if (!kept) {
        llama_memory_clear(memory, true);
        for (int s = 0; s < p->sequences; s++) {
            for (int i = 0; i < depth; i++) {
                bool last = i + 1 == depth;
                add(&p->batch, random_id(p), i, s, last);
                if (last || p->batch.n_tokens == BATCH) {
                    decode(p);
                }
            }
        }
    }
    llama_synchronize(p->context);
    p->depth = depth;
}

static double measure_prompt(struct peer * p, int tokens, int depth) {
    prepare(p, depth + tokens, 1);
    fill(p, depth);
    double start = now();
    for (int i = 0; i < tokens; i++) {
        bool last = i + 1 == tokens;
        add(&p->batch, random_id(p), depth + i, 0, last);
        if (last || p->batch.n_tokens == BATCH) {
            decode(p);
        }
    }
    llama_synchronize(p->context);
    return now() - start;
}

static double measure_decode(struct peer * p, int sequences, int tokens, int depth) {
    prepare(p, depth + tokens, sequences);
    fill(p, depth);
    double start = now();
    for (int i = 0; i < tokens; i++) {
        for (int s = 0; s < sequences; s++) {
            add(&p->batch, random_id(p), depth + i, s, true);
        }
        decode(p);
        llama_synchronize(p->context);
    }
    return now() - start;
}

static void greedy(struct peer * p, int count, const llama_token * ids, int given) {
    prepare(p, given + count, 1);
    fill(p, 0);
    for (int i = 0; i < given; i++) {
        add(&p->batch, ids[i], i, 0, i + 1 == given);
    }
    for (int i = 0; i < count; i++) {
        decode(p);
        const float * logits = llama_get_logits_ith(p->context, -1);
        int best = 0;
        for (int id = 1; id < p->vocabulary; id++) {
            best = logits[id] > logits[best] ? id : best;
        }
        printf("%s%d:%.5f", i == 0 ? "" : " ", best, (double) logits[best]);
        add(&p->batch, best, given + i, 0, true);
    }
    p->batch.n_tokens = 0;
    p->depth = -1; /* not tokens of ours */
    putchar('\n');
}

static void answer(struct peer * p, char * line) {
    static llama_token numbers[MAX_IDS];
    int count = 0;
    char * word = strtok(line, " \n");
    const char * command = word == NULL ? "" : word;
    while ((word = strtok(NULL, " \n")) != NULL && count < MAX_IDS) {
        numbers[count++] = atoi(word);
        if (numbers[count - 1] < 0) {
            count = -1;
            break;
        }
    }
    bool prompt = strcmp(command, "pp") == 0, batched = strcmp(command, "tb") == 0;
    int needed = batched ? 2 : 1;
    if ((prompt || batched || strcmp(command, "tg") == 0) && (count == needed || count == needed + 1) && numbers[0] > 0
        && numbers[needed - 1] > 0 && (!batched || numbers[0] <= BATCH)) {
        int depth = count > needed ? numbers[needed] : 0;
        printf("%.6f\n", prompt ? measure_prompt(p, numbers[0], depth)
            : measure_decode(p, batched ? numbers[0] : 1, numbers[needed - 1], depth));
    } else if (strcmp(command, "greedy") == 0 && count > 1 && count <= BATCH && numbers[0] > 0) {
        greedy(p, numbers[0], numbers + 1, count - 1);
    } else {
        printf("error: %s is no command, or not with these numbers\n", command);
    }
    p->pause(p->pool);
    fflush(stdout);
}

/* Which of the libraries for the levels of the processor was chosen, and what it was compiled with. */
static void introduce(ggml_backend_reg_t reg, const char * library) {
    const char * name = strrchr(library, '/');
    printf("ready llama.cpp, %s:", name == NULL ? library : name + 1);
    ggml_backend_get_features_t features = (ggml_backend_get_features_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_get_features");
    struct ggml_backend_feature * f = features == NULL ? NULL : features(reg);
    for (; f != NULL && f->name != NULL; f++) {
        printf(" %s%s%s", f->name, strcmp(f->value, "1") == 0 ? "" : "=", strcmp(f->value, "1") == 0 ? "" : f->value);
    }
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char ** argv) {
    if (argc != 4 || atoi(argv[3]) < 1) {
        fprintf(stderr, "usage: llama_cpp LIBRARIES MODEL THREADS\n");
        return 2;
    }
    static struct peer peer;
    struct peer * p = &peer;
    p->threads = atoi(argv[3]);
    p->random = 1;
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(argv[1]); /* the best libggml-cpu-*.so that this processor can run */
    llama_backend_init();
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (cpu == NULL) {
        die("none of the libraries for the processor loads");
    }

    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(cpu);
    new_pool make = (new_pool) ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_new");
    Dl_info where;
    void * library = make != NULL && dladdr((void *) make, &where) != 0 ? dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
    p->pause = library == NULL ? NULL : (pause_pool) dlsym(library, "ggml_threadpool_pause");
    struct ggml_threadpool_params tp = ggml_threadpool_params_default(p->threads);
    p->pool = p->pause == NULL ? NULL : make(&tp);
    if (p->pool == NULL) {
        die("no thread pool");
    }

    p->model = llama_model_load_from_file(argv[2], llama_model_default_params());
    if (p->model == NULL) {
        die("the model does not load");
    }
    p->vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(p->model));
    p->batch = llama_batch_init(BATCH, 0, 1);
    p->pause(p->pool);
    introduce(reg, where.dli_fname);

    static char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(p, line);
    }
    return 0;
}
