namespace Polymath;

/// <summary>A tiny folder of every family of decoders; names in GGUF as llama.cpp has them (gguf-py, tensor_mapping.py).</summary>
internal static partial class TinyFolders
{
    private const string Ends = """
        token_embd.weight | | model.embed_tokens.weight | V D
        output_norm.weight | | model.norm.weight | D
        output.weight | | lm_head.weight | V D

        """;

    private const string Norms = """
        blk.{}.attn_norm.weight | | model.layers.{}.input_layernorm.weight | D
        blk.{}.ffn_norm.weight | | model.layers.{}.post_attention_layernorm.weight | D

        """;

    private const string Attention = """
        blk.{}.attn_q.weight | | model.layers.{}.self_attn.q_proj.weight | Q D
        blk.{}.attn_k.weight | | model.layers.{}.self_attn.k_proj.weight | K D
        blk.{}.attn_v.weight | | model.layers.{}.self_attn.v_proj.weight | K D
        blk.{}.attn_output.weight | | model.layers.{}.self_attn.o_proj.weight | D Q

        """;

    private const string QkvBias = """
        blk.{}.attn_q.bias | | model.layers.{}.self_attn.q_proj.bias | Q
        blk.{}.attn_k.bias | | model.layers.{}.self_attn.k_proj.bias | K
        blk.{}.attn_v.bias | | model.layers.{}.self_attn.v_proj.bias | K

        """;

    private const string OutputBias = """
        blk.{}.attn_output.bias | | model.layers.{}.self_attn.o_proj.bias | D

        """;

    private const string HeadNorms = """
        blk.{}.attn_q_norm.weight | | model.layers.{}.self_attn.q_norm.weight | S
        blk.{}.attn_k_norm.weight | | model.layers.{}.self_attn.k_norm.weight | S

        """;

    private const string FeedForward = """
        blk.{}.ffn_gate.weight | | model.layers.{}.mlp.gate_proj.weight | F D
        blk.{}.ffn_up.weight | | model.layers.{}.mlp.up_proj.weight | F D
        blk.{}.ffn_down.weight | | model.layers.{}.mlp.down_proj.weight | D F

        """;

    private const string Sizes = """
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
          "vocab_size": 96, "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "bos_token_id": 1, "eos_token_id": [2, 3]
        """;

    /// <summary>Attention as GGUF's llama has it: rows of queries and keys in the order of neighbours.</summary>
    private static string Neighbours(string table) => table
        .Replace("attn_q.weight | |", "attn_q.weight | neighbours 4 |", StringComparison.Ordinal)
        .Replace("attn_k.weight | |", "attn_k.weight | neighbours 2 |", StringComparison.Ordinal)
        .Replace("attn_q.bias | |", "attn_q.bias | neighbours 4 |", StringComparison.Ordinal)
        .Replace("attn_k.bias | |", "attn_k.bias | neighbours 2 |", StringComparison.Ordinal);

    private static string Tied(string table) => table.Replace("output.weight | | lm_head.weight | V D\n", "", StringComparison.Ordinal);

    private static TinyFolder Llama { get; } = new(
        "llama",
        $$"""
        { "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", {{Sizes}}, "attention_bias": true, "rope_theta": 500000.0,
          "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 32},
          "tie_word_embeddings": false }
        """,
        Neighbours(Ends + Norms + Attention + QkvBias + OutputBias + FeedForward) + """
        rope_freqs.weight | | | 8
         | | model.layers.{}.self_attn.rotary_emb.inv_freq | 8 | F32
        """)
    {
        Settings = """
            vocab_size u32 96
            context_length u32 64
            embedding_length u32 64
            block_count u32 2
            feed_forward_length u32 96
            attention.head_count u32 4
            attention.head_count_kv u32 2
            attention.key_length u32 16
            attention.value_length u32 16
            attention.layer_norm_rms_epsilon f32 1E-05
            rope.freq_base f32 500000
            rope.dimension_count u32 16
            """,
    };

    private static TinyFolder Mistral { get; } = new(
        "mistral",
        $$"""{ "architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_act": "silu", {{Sizes}}, "head_dim": 32, "rope_theta": 1000000.0, "sliding_window": 48 }""",
        Neighbours(Ends + Norms + Attention + FeedForward))
    {
        Sizes = "D=64 V=96 F=96 Q=128 K=64",
        Type = "F16",
        Settings = """
            context_length u32 48
            attention.key_length u32 32
            rope.freq_base f32 1000000
            rope.dimension_count u32 32
            """,
    };

    private static TinyFolder Mixtral { get; } = new(
        "mixtral",
        $$"""
        { "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_act": "silu", {{Sizes}}, "num_local_experts": 4, "num_experts_per_tok": 2,
          "rope_theta": 1000000.0, "sliding_window": null, "router_aux_loss_coef": 0.02, "output_router_logits": false }
        """,
        Neighbours(Ends + Norms + Attention) + """
        blk.{}.ffn_gate_inp.weight | | model.layers.{}.block_sparse_moe.gate.weight | 4 D
        blk.{}.ffn_gate_exps.weight | stack | model.layers.{}.block_sparse_moe.experts.[].w1.weight | F D
        blk.{}.ffn_down_exps.weight | stack | model.layers.{}.block_sparse_moe.experts.[].w2.weight | D F
        blk.{}.ffn_up_exps.weight | stack | model.layers.{}.block_sparse_moe.experts.[].w3.weight | F D
        """)
    {
        Experts = 4,
        Settings = "expert_count u32 4\nexpert_used_count u32 2\nfeed_forward_length u32 96\ncontext_length u32 64",
    };

    private static TinyFolder SmolLm3 { get; } = new(
        "smollm3",
        $$"""
        { "architectures": ["SmolLM3ForCausalLM"], "model_type": "smollm3", "hidden_act": "silu", {{Sizes.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 4", StringComparison.Ordinal)}},
          "no_rope_layers": [1, 1, 1, 0], "no_rope_layer_interval": 4, "rope_theta": 5000000.0, "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"] }
        """,
        Neighbours(Tied(Ends) + Norms + Attention + FeedForward))
    {
        Layers = 4,
        Settings = "block_count u32 4\nrope.freq_base f32 5000000\nrope.dimension_count u32 16",
    };

    private static TinyFolder Granite { get; } = new(
        "granite",
        $$"""
        { "architectures": ["GraniteForCausalLM"], "model_type": "granite", "hidden_act": "silu", {{Sizes}}, "attention_multiplier": 0.015625, "embedding_multiplier": 12.0,
          "residual_multiplier": 0.22, "logits_scaling": 8.0, "rope_theta": 10000.0, "tie_word_embeddings": true }
        """,
        Neighbours(Tied(Ends) + Norms + Attention + FeedForward))
    {
        Settings = "attention.scale f32 0.015625\nembedding_scale f32 12\nresidual_scale f32 0.22\nlogit_scale f32 8",
    };

    private static TinyFolder Qwen2 { get; } = new(
        "qwen2",
        $$"""
        { "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", {{Sizes}}, "rope_theta": 1000000.0, "use_sliding_window": false,
          "sliding_window": 32, "max_window_layers": 1, "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32} }
        """,
        Ends + Norms + Attention + QkvBias + FeedForward)
    {
        Settings = """
            context_length u32 64
            rope.scaling.type str yarn
            rope.scaling.factor f32 4
            rope.scaling.original_context_length u32 32
            """,
    };

    private static TinyFolder Qwen3 { get; } = new(
        "qwen3",
        $$"""
        { "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_act": "silu", {{Sizes}}, "head_dim": 32, "attention_bias": false,
          "tie_word_embeddings": true, "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0} }
        """,
        Tied(Ends) + Norms + Attention + HeadNorms + FeedForward)
    {
        Sizes = "D=64 V=96 F=96 Q=128 K=64 S=32",
        Settings = "attention.key_length u32 32\nrope.freq_base f32 1000000",
    };

    private static TinyFolder Qwen3Moe { get; } = new(
        "qwen3moe",
        $$"""
        { "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_act": "silu", {{Sizes}}, "head_dim": 16, "num_experts": 4, "num_experts_per_tok": 2,
          "moe_intermediate_size": 32, "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": [], "rope_theta": 1000000.0 }
        """,
        Ends + Norms + Attention + HeadNorms + """
        blk.{}.ffn_gate_inp.weight | | model.layers.{}.mlp.gate.weight | 4 D
        blk.{}.ffn_gate_exps.weight | stack | model.layers.{}.mlp.experts.[].gate_proj.weight | 32 D
        blk.{}.ffn_up_exps.weight | stack | model.layers.{}.mlp.experts.[].up_proj.weight | 32 D
        blk.{}.ffn_down_exps.weight | stack | model.layers.{}.mlp.experts.[].down_proj.weight | D 32
        """)
    {
        Experts = 4,
        Settings = "expert_count u32 4\nexpert_used_count u32 2\nexpert_feed_forward_length u32 32",
    };

    private static TinyFolder Phi3 { get; } = new(
        "phi3",
        $$"""
        { "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_act": "silu", {{Sizes}}, "original_max_position_embeddings": 32, "sliding_window": 2047,
          "partial_rotary_factor": 0.75, "rope_theta": 10000.0, "rope_scaling": {"type": "longrope", "long_factor": [1, 1.5, 2, 2.5, 3, 4], "short_factor": [1, 1, 1, 1, 1.25, 1.5]} }
        """,
        Ends + Norms + """
        blk.{}.attn_qkv.weight | | model.layers.{}.self_attn.qkv_proj.weight | 128 D
        blk.{}.attn_output.weight | | model.layers.{}.self_attn.o_proj.weight | D D
        blk.{}.ffn_up.weight | | model.layers.{}.mlp.gate_up_proj.weight | 192 D
        blk.{}.ffn_down.weight | | model.layers.{}.mlp.down_proj.weight | D F
        rope_factors_long.weight | | | 6
        rope_factors_short.weight | | | 6
        """)
    {
        Settings = """
            rope.dimension_count u32 12
            rope.scaling.original_context_length u32 32
            rope.scaling.attn_factor f32 1.0954452
            attention.sliding_window u32 2047
            """,
    };
}
