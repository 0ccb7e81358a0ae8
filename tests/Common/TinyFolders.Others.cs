namespace Polymath;

internal static partial class TinyFolders
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<TinyFolder> All =>
    [
        Llama, Mistral, Mixtral, SmolLm3, Granite, Qwen2, Qwen3, Qwen3Moe, Qwen3Next, Qwen35, Gemma2, Gemma3, Phi3,
        GptOss, GptOssUnpacked, Olmo2, Olmo3, Starcoder2, Gpt2, Bert, BertReranker, XlmRoberta, XlmRobertaReranker, NomicBert,
    ];

    private static string PlusOne(string table) => string.Join('\n', table.Split('\n').Select(line =>
        line.Contains("norm.weight | |", StringComparison.Ordinal) && !line.Contains("linear_attn", StringComparison.Ordinal)
            ? line.Replace("norm.weight | |", "norm.weight | +1 |", StringComparison.Ordinal) : line));

    private static TinyFolder Gemma2 { get; } = new(
        "gemma2",
        $$"""
        { "architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2", "hidden_activation": "gelu_pytorch_tanh", "hidden_act": "gelu_pytorch_tanh", {{Sizes}}, "head_dim": 32,
          "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "query_pre_attn_scalar": 32, "sliding_window": 16, "cache_implementation": "hybrid" }
        """,
        PlusOne(Tied(Ends) + GemmaBlock))
    {
        Sizes = "D=64 V=96 F=96 Q=128 K=64 S=32",
        Settings = """
            attention.key_length u32 32
            attn_logit_softcapping f32 50
            final_logit_softcapping f32 30
            attention.sliding_window u32 16
            """,
    };

    private const string GemmaBlock = Attention + FeedForward + """
        blk.{}.attn_norm.weight | | model.layers.{}.input_layernorm.weight | D
        blk.{}.post_attention_norm.weight | | model.layers.{}.post_attention_layernorm.weight | D
        blk.{}.ffn_norm.weight | | model.layers.{}.pre_feedforward_layernorm.weight | D
        blk.{}.post_ffw_norm.weight | | model.layers.{}.post_feedforward_layernorm.weight | D

        """;

    private static TinyFolder Gemma3 { get; } = new(
        "gemma3",
        """
        { "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "eos_token_id": [1, 106], "vision_config": {"hidden_size": 8},
          "text_config": { "model_type": "gemma3_text", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 32, "vocab_size": 112, "max_position_embeddings": 64, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"],
            "query_pre_attn_scalar": 64, "rope_scaling": {"factor": 8.0, "rope_type": "linear"} } }
        """,
        PlusOne((Tied(Ends) + GemmaBlock + HeadNorms).Replace("model.", "language_model.model.", StringComparison.Ordinal)) + """
         | | vision_tower.vision_model.embeddings.patch_embedding.weight | 2 3 4
         | | multi_modal_projector.mm_soft_emb_norm.weight | 8
        """)
    {
        Sizes = "D=64 V=112 F=96 Q=128 K=64 S=32",
        Settings = """
            attention.head_count u32 4
            attention.layer_norm_rms_epsilon f32 1E-06
            rope.freq_base f32 1000000
            rope.freq_base_swa f32 10000
            rope.scaling.type str linear
            rope.scaling.factor f32 8
            attention.sliding_window u32 16
            attention.sliding_window_pattern bool[] True,False
            attention.scale f32 0.125
            """,
    };

    private const string GptOssBlock = Ends + Attention + QkvBias + OutputBias + """
        blk.{}.attn_norm.weight | | model.layers.{}.input_layernorm.weight | D
        blk.{}.post_attention_norm.weight | | model.layers.{}.post_attention_layernorm.weight | D
        blk.{}.attn_sinks.weight | | model.layers.{}.self_attn.sinks | H
        blk.{}.ffn_gate_inp.weight | | model.layers.{}.mlp.router.weight | 4 D
        blk.{}.ffn_gate_inp.bias | | model.layers.{}.mlp.router.bias | 4
        blk.{}.ffn_gate_exps.bias | even | model.layers.{}.mlp.experts.gate_up_proj_bias | 4 192
        blk.{}.ffn_up_exps.bias | odd | model.layers.{}.mlp.experts.gate_up_proj_bias | 4 192
        blk.{}.ffn_down_exps.bias | | model.layers.{}.mlp.experts.down_proj_bias | 4 D

        """;

    private const string GptOssConfig = $$"""
        "architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss", "hidden_act": "silu", {{Sizes}}, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2,
          "attention_bias": true, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"], "swiglu_limit": 7.0, "rope_theta": 150000,
          "rope_scaling": {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "original_max_position_embeddings": 32, "truncate": false}
        """;

    private const string GptOssSettings = """
        expert_count u32 4
        expert_used_count u32 2
        expert_feed_forward_length u32 96
        attention.sliding_window u32 16
        rope.scaling.type str yarn
        rope.scaling.factor f32 32
        rope.scaling.original_context_length u32 32
        rope.scaling.yarn_beta_fast f32 32
        rope.scaling.yarn_beta_slow f32 1
        """;

    private static TinyFolder GptOss { get; } = new(
        "gpt-oss",
        $$"""{ {{GptOssConfig}}, "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]} }""",
        GptOssBlock + """
        blk.{}.ffn_gate_exps.weight | even | model.layers.{}.mlp.experts.gate_up_proj | 4 192 D | MXFP4
        blk.{}.ffn_up_exps.weight | odd | model.layers.{}.mlp.experts.gate_up_proj | 4 192 D | MXFP4
        blk.{}.ffn_down_exps.weight | | model.layers.{}.mlp.experts.down_proj | 4 D 96 | MXFP4
        """)
    {
        Settings = GptOssSettings,
    };

    private static TinyFolder GptOssUnpacked { get; } = new(
        "gpt-oss unpacked",
        $$"""{ {{GptOssConfig}} }""",
        GptOssBlock + """
        blk.{}.ffn_gate_exps.weight | turn even | model.layers.{}.mlp.experts.gate_up_proj | 4 D 192
        blk.{}.ffn_up_exps.weight | turn odd | model.layers.{}.mlp.experts.gate_up_proj | 4 D 192
        blk.{}.ffn_down_exps.weight | turn | model.layers.{}.mlp.experts.down_proj | 4 96 D
        """)
    {
        Settings = GptOssSettings,
    };

    private const string OlmoBlock = Ends + Attention + FeedForward + """
        blk.{}.attn_q_norm.weight | | model.layers.{}.self_attn.q_norm.weight | Q
        blk.{}.attn_k_norm.weight | | model.layers.{}.self_attn.k_norm.weight | K
        blk.{}.post_attention_norm.weight | | model.layers.{}.post_attention_layernorm.weight | D
        blk.{}.post_ffw_norm.weight | | model.layers.{}.post_feedforward_layernorm.weight | D
        """;

    private static TinyFolder Olmo2 { get; } = new(
        "olmo2",
        $$"""{ "architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2", "hidden_act": "silu", {{Sizes}}, "rope_theta": 500000 }""",
        OlmoBlock)
    {
        Type = "F32",
        Settings = "rope.freq_base f32 500000\nattention.layer_norm_rms_epsilon f32 1E-05",
    };

    private static TinyFolder Olmo3 { get; } = new(
        "olmo3",
        $$"""{ "architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3", "hidden_act": "silu", {{Sizes}}, "rope_theta": 500000, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"] }""",
        OlmoBlock)
    {
        Settings = "attention.sliding_window u32 16\nattention.sliding_window_pattern bool[] True,False",
    };

    private static TinyFolder Starcoder2 { get; } = new(
        "starcoder2",
        """
        { "architectures": ["Starcoder2ForCausalLM"], "model_type": "starcoder2", "hidden_act": "gelu_pytorch_tanh", "norm_type": "layer_norm", "hidden_size": 64, "intermediate_size": 96,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 96, "max_position_embeddings": 64, "norm_epsilon": 1e-05, "use_bias": true,
          "sliding_window": 32, "rope_theta": 999999.4420358813, "bos_token_id": 0, "eos_token_id": 0 }
        """,
        Tied(Ends) + Norms + Attention + QkvBias + OutputBias + """
        output_norm.bias | | model.norm.bias | D
        blk.{}.attn_norm.bias | | model.layers.{}.input_layernorm.bias | D
        blk.{}.ffn_norm.bias | | model.layers.{}.post_attention_layernorm.bias | D
        blk.{}.ffn_up.weight | | model.layers.{}.mlp.c_fc.weight | F D
        blk.{}.ffn_up.bias | | model.layers.{}.mlp.c_fc.bias | F
        blk.{}.ffn_down.weight | | model.layers.{}.mlp.c_proj.weight | D F
        blk.{}.ffn_down.bias | | model.layers.{}.mlp.c_proj.bias | D
        """)
    {
        Settings = "attention.layer_norm_epsilon f32 1E-05\ncontext_length u32 32\nrope.freq_base f32 999999.44",
    };

    private static TinyFolder Gpt2 { get; } = new(
        "gpt2",
        """
        { "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new", "n_embd": 64, "n_head": 4, "n_layer": 2, "n_ctx": 32, "n_positions": 32,
          "vocab_size": 96, "layer_norm_epsilon": 1e-05, "bos_token_id": 95, "eos_token_id": 95, "n_inner": null }
        """,
        """
        token_embd.weight | | transformer.wte.weight | V D
        position_embd.weight | | transformer.wpe.weight | 32 D
        output_norm.weight | | transformer.ln_f.weight | D
        output_norm.bias | | transformer.ln_f.bias | D
        blk.{}.attn_norm.weight | | transformer.h.{}.ln_1.weight | D
        blk.{}.attn_norm.bias | | transformer.h.{}.ln_1.bias | D
        blk.{}.attn_qkv.weight | turn | transformer.h.{}.attn.c_attn.weight | D 192
        blk.{}.attn_qkv.bias | | transformer.h.{}.attn.c_attn.bias | 192
        blk.{}.attn_output.weight | turn | transformer.h.{}.attn.c_proj.weight | D D
        blk.{}.attn_output.bias | | transformer.h.{}.attn.c_proj.bias | D
        blk.{}.ffn_norm.weight | | transformer.h.{}.ln_2.weight | D
        blk.{}.ffn_norm.bias | | transformer.h.{}.ln_2.bias | D
        blk.{}.ffn_up.weight | turn | transformer.h.{}.mlp.c_fc.weight | D 256
        blk.{}.ffn_up.bias | | transformer.h.{}.mlp.c_fc.bias | 256
        blk.{}.ffn_down.weight | turn | transformer.h.{}.mlp.c_proj.weight | 256 D
        blk.{}.ffn_down.bias | | transformer.h.{}.mlp.c_proj.bias | D
         | | transformer.h.{}.attn.bias | 1 1 4 4
        """)
    {
        Type = "F32",
        Settings = """
            vocab_size u32 96
            context_length u32 32
            embedding_length u32 64
            feed_forward_length u32 256
            block_count u32 2
            attention.head_count u32 4
            attention.layer_norm_epsilon f32 1E-05
            """,
    };
}
