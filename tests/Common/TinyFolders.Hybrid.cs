namespace Polymath;

/// <summary>The gated delta nets, and the encoders.</summary>
internal static partial class TinyFolders
{
    private const string HybridNorms = Ends + """
        blk.{}.attn_norm.weight | | model.layers.{}.input_layernorm.weight | D
        blk.{}.post_attention_norm.weight | | model.layers.{}.post_attention_layernorm.weight | D
        blk.{3}.attn_q.weight | | model.layers.{3}.self_attn.q_proj.weight | 256 D
        blk.{3}.attn_k.weight | | model.layers.{3}.self_attn.k_proj.weight | K D
        blk.{3}.attn_v.weight | | model.layers.{3}.self_attn.v_proj.weight | K D
        blk.{3}.attn_output.weight | | model.layers.{3}.self_attn.o_proj.weight | D Q
        blk.{3}.attn_q_norm.weight | | model.layers.{3}.self_attn.q_norm.weight | S
        blk.{3}.attn_k_norm.weight | | model.layers.{3}.self_attn.k_norm.weight | S

        """;

    private const string HybridSizes = """
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
          "vocab_size": 96, "max_position_embeddings": 64, "rms_norm_eps": 1e-06, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16,
          "linear_num_key_heads": 2, "linear_num_value_heads": 4, "hidden_act": "silu"
        """;

    private const string HybridSettings = """
        block_count u32 4
        attention.key_length u32 32
        ssm.conv_kernel u32 4
        ssm.state_size u32 16
        ssm.group_count u32 2
        ssm.time_step_rank u32 4
        ssm.inner_size u32 64
        full_attention_interval u32 4
        rope.dimension_count u32 8
        rope.freq_base f32 10000000
        """;

    private static TinyFolder Qwen3Next { get; } = new(
        "qwen3next",
        $$"""
        { "architectures": ["Qwen3NextForCausalLM"], "model_type": "qwen3_next", {{HybridSizes}}, "full_attention_interval": 4, "partial_rotary_factor": 0.25, "rope_theta": 10000000,
          "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 48, "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": [] }
        """,
        PlusOne(HybridNorms) + """
        blk.{0,1,2}.attn_qkv.weight | qkv of groups | model.layers.{0,1,2}.linear_attn.in_proj_qkvz.weight | 192 D
        blk.{0,1,2}.attn_gate.weight | z of groups | model.layers.{0,1,2}.linear_attn.in_proj_qkvz.weight | 192 D
        blk.{0,1,2}.ssm_ba.weight | | model.layers.{0,1,2}.linear_attn.in_proj_ba.weight | 8 D
        blk.{0,1,2}.ssm_conv1d.weight | squeeze | model.layers.{0,1,2}.linear_attn.conv1d.weight | 128 1 4
        blk.{0,1,2}.ssm_dt.bias | | model.layers.{0,1,2}.linear_attn.dt_bias | 4
        blk.{0,1,2}.ssm_a | -exp | model.layers.{0,1,2}.linear_attn.A_log | 4 | F32
        blk.{0,1,2}.ssm_norm.weight | | model.layers.{0,1,2}.linear_attn.norm.weight | 16 | F32
        blk.{0,1,2}.ssm_out.weight | | model.layers.{0,1,2}.linear_attn.out_proj.weight | D 64
        blk.{}.ffn_gate_inp.weight | | model.layers.{}.mlp.gate.weight | 4 D
        blk.{}.ffn_gate_exps.weight | stack | model.layers.{}.mlp.experts.[].gate_proj.weight | 32 D
        blk.{}.ffn_up_exps.weight | stack | model.layers.{}.mlp.experts.[].up_proj.weight | 32 D
        blk.{}.ffn_down_exps.weight | stack | model.layers.{}.mlp.experts.[].down_proj.weight | D 32
        blk.{}.ffn_gate_inp_shexp.weight | | model.layers.{}.mlp.shared_expert_gate.weight | 1 D
        blk.{}.ffn_gate_shexp.weight | | model.layers.{}.mlp.shared_expert.gate_proj.weight | 48 D
        blk.{}.ffn_up_shexp.weight | | model.layers.{}.mlp.shared_expert.up_proj.weight | 48 D
        blk.{}.ffn_down_shexp.weight | | model.layers.{}.mlp.shared_expert.down_proj.weight | D 48
         | | mtp.fc.weight | D 128
         | | mtp.layers.0.input_layernorm.weight | D
        """)
    {
        Layers = 4,
        Experts = 4,
        Sizes = "D=64 V=96 F=96 Q=128 K=64 S=32",
        Settings = HybridSettings + "\nexpert_count u32 4\nexpert_used_count u32 2\nexpert_feed_forward_length u32 32\nexpert_shared_feed_forward_length u32 48",
    };

    private static TinyFolder Qwen35 { get; } = new(
        "qwen35",
        $$"""
        { "architectures": ["Qwen3_5ForConditionalGeneration"], "model_type": "qwen3_5", "vision_config": {"depth": 1}, "tie_word_embeddings": false,
          "text_config": { "model_type": "qwen3_5_text", {{HybridSizes}}, "layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"],
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000000, "partial_rotary_factor": 0.25, "mrope_section": [2, 1, 1], "mrope_interleaved": true} } }
        """,
        (PlusOne(HybridNorms) + FeedForward + """
        blk.{0,1,2}.attn_qkv.weight | v tiled | model.layers.{0,1,2}.linear_attn.in_proj_qkv.weight | 128 D
        blk.{0,1,2}.attn_gate.weight | tiled 16 | model.layers.{0,1,2}.linear_attn.in_proj_z.weight | 64 D
        blk.{0,1,2}.ssm_beta.weight | tiled 1 | model.layers.{0,1,2}.linear_attn.in_proj_b.weight | 4 D
        blk.{0,1,2}.ssm_alpha.weight | tiled 1 | model.layers.{0,1,2}.linear_attn.in_proj_a.weight | 4 D
        blk.{0,1,2}.ssm_conv1d.weight | squeeze v tiled | model.layers.{0,1,2}.linear_attn.conv1d.weight | 128 1 4
        blk.{0,1,2}.ssm_dt.bias | tiled 1 | model.layers.{0,1,2}.linear_attn.dt_bias | 4
        blk.{0,1,2}.ssm_a | tiled 1 -exp | model.layers.{0,1,2}.linear_attn.A_log | 4 | F32
        blk.{0,1,2}.ssm_norm.weight | | model.layers.{0,1,2}.linear_attn.norm.weight | 16 | F32
        blk.{0,1,2}.ssm_out.weight | columns tiled 16 | model.layers.{0,1,2}.linear_attn.out_proj.weight | D 64
        """).Replace("model.", "model.language_model.", StringComparison.Ordinal) + """

         | | model.visual.blocks.0.norm1.weight | 8
         | | mtp.norm.weight | D
        """)
    {
        Layers = 4,
        Sizes = "D=64 V=96 F=96 Q=128 K=64 S=32",
        Settings = HybridSettings + "\nattention.recurrent_layers bool[] True,True,True,False\nrope.dimension_sections i32[] 2,1,1,0",
    };

    private const string BertTable = """
        token_embd.weight | | P.embeddings.word_embeddings.weight | V D
        token_types.weight | | P.embeddings.token_type_embeddings.weight | 2 D
        token_embd_norm.weight | | P.embeddings.LayerNorm.weight | D
        token_embd_norm.bias | | P.embeddings.LayerNorm.bias | D
        blk.{}.attn_q.weight | | P.encoder.layer.{}.attention.self.query.weight | D D
        blk.{}.attn_q.bias | | P.encoder.layer.{}.attention.self.query.bias | D
        blk.{}.attn_k.weight | | P.encoder.layer.{}.attention.self.key.weight | D D
        blk.{}.attn_k.bias | | P.encoder.layer.{}.attention.self.key.bias | D
        blk.{}.attn_v.weight | | P.encoder.layer.{}.attention.self.value.weight | D D
        blk.{}.attn_v.bias | | P.encoder.layer.{}.attention.self.value.bias | D
        blk.{}.attn_output.weight | | P.encoder.layer.{}.attention.output.dense.weight | D D
        blk.{}.attn_output.bias | | P.encoder.layer.{}.attention.output.dense.bias | D
        blk.{}.attn_output_norm.weight | | P.encoder.layer.{}.attention.output.LayerNorm.weight | D
        blk.{}.attn_output_norm.bias | | P.encoder.layer.{}.attention.output.LayerNorm.bias | D
        blk.{}.ffn_up.weight | | P.encoder.layer.{}.intermediate.dense.weight | F D
        blk.{}.ffn_up.bias | | P.encoder.layer.{}.intermediate.dense.bias | F
        blk.{}.ffn_down.weight | | P.encoder.layer.{}.output.dense.weight | D F
        blk.{}.ffn_down.bias | | P.encoder.layer.{}.output.dense.bias | D
        blk.{}.layer_output_norm.weight | | P.encoder.layer.{}.output.LayerNorm.weight | D
        blk.{}.layer_output_norm.bias | | P.encoder.layer.{}.output.LayerNorm.bias | D

        """;

    private const string BertSizes = """
        "hidden_act": "gelu", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 96,
          "type_vocab_size": 2, "layer_norm_eps": 1e-12, "position_embedding_type": "absolute"
        """;

    private const string BertSettings = """
        vocab_size u32 96
        embedding_length u32 64
        block_count u32 2
        feed_forward_length u32 96
        attention.head_count u32 4
        attention.layer_norm_epsilon f32 1E-12
        attention.causal bool False
        """;

    private static string Body(string table, string name) =>
        table.Replace(" P.", name.Length == 0 ? " " : $" {name}.", StringComparison.Ordinal);

    private static TinyFolder Bert { get; } = new(
        "bert",
        $$"""{ "architectures": ["BertModel"], "model_type": "bert", {{BertSizes}}, "max_position_embeddings": 40, "pad_token_id": 0 }""",
        Body(BertTable, "").Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal) + """
        position_embd.weight | | embeddings.position_embeddings.weight | 40 D
         | | pooler.dense.weight | D D
        """)
    {
        Type = "F32",
        Settings = BertSettings + "\ncontext_length u32 40",
    };

    private static TinyFolder BertReranker { get; } = new(
        "bert reranker",
        $$"""{ "architectures": ["BertForSequenceClassification"], "model_type": "bert", {{BertSizes}}, "max_position_embeddings": 40, "pad_token_id": 0, "id2label": {"0": "LABEL_0"} }""",
        Body(BertTable, "bert") + """
        position_embd.weight | | bert.embeddings.position_embeddings.weight | 40 D
        cls.weight | | bert.pooler.dense.weight | D D
        cls.bias | | bert.pooler.dense.bias | D
        cls.output.weight | | classifier.weight | 1 D
        cls.output.bias | | classifier.bias | 1
        """)
    {
        Settings = BertSettings + "\npooling_type u32 4\nclassifier.output_labels str[] LABEL_0",
    };

    private static TinyFolder XlmRoberta { get; } = new(
        "xlm-roberta",
        $$"""{ "architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", {{BertSizes}}, "max_position_embeddings": 34, "pad_token_id": 1 }""",
        Body(BertTable, "") + """
        position_embd.weight | without first 2 | embeddings.position_embeddings.weight | 34 D
         | | pooler.dense.weight | D D
         | | embeddings.position_ids | 1 34 | F32
        """)
    {
        Settings = BertSettings + "\ncontext_length u32 32",
    };

    private static TinyFolder XlmRobertaReranker { get; } = new(
        "xlm-roberta reranker",
        $$"""{ "architectures": ["XLMRobertaForSequenceClassification"], "model_type": "xlm-roberta", {{BertSizes}}, "max_position_embeddings": 34, "pad_token_id": 1, "id2label": {"0": "yes", "1": "no"} }""",
        Body(BertTable, "roberta") + """
        position_embd.weight | without first 2 | roberta.embeddings.position_embeddings.weight | 34 D
        cls.weight | | classifier.dense.weight | D D
        cls.bias | | classifier.dense.bias | D
        cls.output.weight | | classifier.out_proj.weight | 2 D
        cls.output.bias | | classifier.out_proj.bias | 2
        """)
    {
        Type = "F16",
        Settings = BertSettings + "\npooling_type u32 4\nclassifier.output_labels str[] yes,no",
    };

    private static TinyFolder NomicBert { get; } = new(
        "nomic-bert",
        """
        { "architectures": ["NomicBertModel"], "model_type": "nomic_bert", "activation_function": "swiglu", "n_embd": 64, "n_head": 4, "n_layer": 2, "n_inner": 96, "n_positions": 8192,
          "max_trained_positions": 2048, "vocab_size": 96, "type_vocab_size": 2, "layer_norm_epsilon": 1e-12, "causal": false, "prenorm": false, "qkv_proj_bias": false,
          "mlp_fc1_bias": false, "mlp_fc2_bias": false, "rotary_emb_fraction": 1.0, "rotary_emb_base": 1000, "rotary_emb_interleaved": false, "rotary_emb_scale_base": null }
        """,
        """
        token_embd.weight | | embeddings.word_embeddings.weight | V D
        token_types.weight | | embeddings.token_type_embeddings.weight | 2 D
        token_embd_norm.weight | | emb_ln.weight | D
        token_embd_norm.bias | | emb_ln.bias | D
        blk.{}.attn_qkv.weight | | encoder.layers.{}.attn.Wqkv.weight | 192 D
        blk.{}.attn_output.weight | | encoder.layers.{}.attn.out_proj.weight | D D
        blk.{}.attn_output_norm.weight | | encoder.layers.{}.norm1.weight | D
        blk.{}.attn_output_norm.bias | | encoder.layers.{}.norm1.bias | D
        blk.{}.ffn_up.weight | | encoder.layers.{}.mlp.fc11.weight | F D
        blk.{}.ffn_gate.weight | | encoder.layers.{}.mlp.fc12.weight | F D
        blk.{}.ffn_down.weight | | encoder.layers.{}.mlp.fc2.weight | D F
        blk.{}.layer_output_norm.weight | | encoder.layers.{}.norm2.weight | D
        blk.{}.layer_output_norm.bias | | encoder.layers.{}.norm2.bias | D
        """)
    {
        Settings = BertSettings + "\ncontext_length u32 2048\nrope.freq_base f32 1000",
    };
}
