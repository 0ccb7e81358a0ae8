/* What llama.cpp gives for a model file: the values that tests/Polymath.Golden compares with.
 *
 *   logits MODEL "1,2,3" [CONTEXT]    logits after each of the ids, one line of JSON:
 *                                     {"rows": [[...], ...]}; for an encoder its embedding {"embedding": [...]}
 *
 * Built against the public C API of the libraries that npm's @node-llama-cpp/linux-x64 ships (llama.cpp v0.5.0) and the
 * headers of the same version, see tools/reference/README.md. One thread, F32 cache, no flash attention: the plainest
 * arithmetic the reference has.
 */
#include "llama.h"
#include "ggml-backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void quiet(enum ggml_log_level level, const char * text, void * data) {
    (void) data;
    if (level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

static void print_row(const float * values, int count) {
    putchar('[');
    for (int i = 0; i < count; i++) {
        printf(i == 0 ? "%.9g" : ",%.9g", values[i]);
    }
    putchar(']');
}

static int parse_ids(char * text, llama_token * ids, int most) {
    int count = 0;
    for (char * part = strtok(text, ","); part != NULL && count < most; part = strtok(NULL, ",")) {
        ids[count++] = atoi(part);
    }
    return count;
}

int main(int argc, char ** argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: logits MODEL IDS [CONTEXT]\n");
        return 2;
    }
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(getenv("LLAMA_LIBRARIES") ? getenv("LLAMA_LIBRARIES") : ".");
    llama_backend_init();

    static llama_token ids[4096];
    int count = parse_ids(argv[2], ids, 4096);
    struct llama_model_params mp = llama_model_default_params();
    struct llama_model * model = llama_model_load_from_file(argv[1], mp);
    if (model == NULL) {
        return 1;
    }
    struct llama_context_params cp = llama_context_default_params();
    cp.n_ctx = argc > 3 ? atoi(argv[3]) : 512;
    cp.n_batch = cp.n_ubatch = 512;
    cp.n_threads = cp.n_threads_batch = 1;
    cp.type_k = cp.type_v = GGML_TYPE_F32;
    cp.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    cp.swa_full = false;
    int encoder = getenv("LLAMA_EMBED") != NULL;
    cp.embeddings = encoder;
    struct llama_context * context = llama_init_from_model(model, cp);
    if (context == NULL) {
        return 1;
    }

    struct llama_batch batch = llama_batch_init(count, 0, 1);
    batch.n_tokens = count;
    for (int i = 0; i < count; i++) {
        batch.token[i] = ids[i];
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = 1;
    }
    if (llama_decode(context, batch) != 0) {
        fprintf(stderr, "decode failed\n");
        return 1;
    }

    if (encoder) {
        enum llama_pooling_type pooling = llama_pooling_type(context);
        int width = pooling == LLAMA_POOLING_TYPE_RANK ? (int) llama_model_n_cls_out(model) : llama_model_n_embd(model);
        printf("{\"pooling\": %d, \"rows\": [", (int) pooling);
        if (pooling == LLAMA_POOLING_TYPE_NONE) {
            for (int i = 0; i < count; i++) {
                if (i > 0) {
                    putchar(',');
                }
                print_row(llama_get_embeddings_ith(context, i), width);
            }
        } else {
            print_row(llama_get_embeddings_seq(context, 0), width);
        }
        puts("]}");
        return 0;
    }

    int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    printf("{\"rows\": [");
    for (int i = 0; i < count; i++) {
        if (i > 0) {
            putchar(',');
        }
        print_row(llama_get_logits_ith(context, i), vocabulary);
    }
    puts("]}");
    return 0;
}
