namespace Polymath.Tiny;

/// <summary>The files with gated delta nets.</summary>
internal static partial class TinyArchitectures
{
    /// <summary>Three delta nets and one attention; fused or separate projections; experts beside a shared one.</summary>
    private static TinyFile Qwen3Next(bool joined = false)
    {
        TinyFile file = Hybrid("qwen3next", 4, 2, 4, 16).Set("rope.dimension_count", 8u);
        for (int i = 0; i < 4; i++)
        {
            string b = $"blk.{i}.";
            file.Norm(b + "attn_norm").Norm(b + "post_attention_norm");
            if (i == 3)
                GatedAttention(file, b);
            else if (joined)
                DeltaNet(file.Matrix(b + "ssm_in", (2 * 32) + (2 * 64), TinyFile.Width), b, 2, 4, 16).Matrix(b + "ssm_ba", 8, TinyFile.Width);
            else
                DeltaNet(Projections(file, b, 2, 4, 16), b, 2, 4, 16).Matrix(b + "ssm_ba", 8, TinyFile.Width);
            GatedExperts(file, b);
        }

        return Output(file.Set("expert_count", 6u).Set("expert_used_count", 2u).Set("expert_feed_forward_length", 32u)
            .Set("expert_shared_feed_forward_length", 48u));
    }

    /// <summary>As many value heads as <paramref name="heads"/> says over the key heads, each of <paramref name="size"/>.</summary>
    private static TinyFile Qwen35(
        string name, int layers = 4, int keyHeads = 2, int heads = 6, int size = 16, Func<TinyFile, string, TinyFile>? feedForward = null,
        Predicate<int>? attention = null)
    {
        TinyFile file = Hybrid(name, layers, keyHeads, heads, size).Set("rope.dimension_sections", new[] { 2, 1, 1, 0 })
            .Set("rope.dimension_count", 8u);
        for (int i = 0; i < layers; i++)
        {
            string b = $"blk.{i}.";
            file.Norm(b + "attn_norm").Norm(b + "post_attention_norm");
            if (attention?.Invoke(i) ?? (i % 4 == 3))
                GatedAttention(file, b);
            else
                DeltaNet(Projections(file, b, keyHeads, heads, size), b, keyHeads, heads, size)
                    .Matrix(b + "ssm_beta", heads, TinyFile.Width).Matrix(b + "ssm_alpha", heads, TinyFile.Width);
            (feedForward ?? Dense)(file, b);
        }

        return file;
    }

    private static TinyFile Qwen35Moe() => Output(Qwen35("qwen35moe", feedForward: GatedExperts).Set("expert_count", 6u)
        .Set("expert_used_count", 3u).Set("expert_feed_forward_length", 32u).Set("expert_shared_feed_forward_length", 48u));

    /// <summary>Heads that fill no vector, layers by name, rotations that leave pairs out, and a block that guesses ahead.</summary>
    private static TinyFile Qwen35Odd() => Qwen35("qwen35", 5, 3, 3, 20, attention: i => i is 0 or 2 or 4)
        .Set("attention.recurrent_layers", new[] { false, true, false, true, false })
        .Set("rope.dimension_sections", new[] { 1, 2, 1, 0 })
        .Set("ssm.conv_kernel", 3u)
        .Set("nextn_predict_layers", 1u)
        .Matrix("blk.4.nextn.eh_proj", TinyFile.Width, 2 * TinyFile.Width).Norm("blk.4.nextn.enorm").Norm("blk.4.nextn.hnorm")
        .Norm("output_norm");

    private static TinyFile Hybrid(string name, int layers, int keyHeads, int heads, int size) => new TinyFile(name, layers)
        .Set("attention.layer_norm_rms_epsilon", 1e-6f)
        .Set("attention.key_length", 16u).Set("attention.value_length", 16u)
        .Set("ssm.conv_kernel", 4u).Set("ssm.state_size", (uint)size).Set("ssm.group_count", (uint)keyHeads)
        .Set("ssm.time_step_rank", (uint)heads).Set("ssm.inner_size", (uint)(heads * size))
        .Set("full_attention_interval", 4u)
        .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5);

    private static TinyFile Projections(TinyFile file, string b, int keyHeads, int heads, int size) => file
        .Matrix(b + "attn_qkv", ((2 * keyHeads) + heads) * size, TinyFile.Width)
        .Matrix(b + "attn_gate", heads * size, TinyFile.Width);

    private static TinyFile DeltaNet(TinyFile file, string b, int keyHeads, int heads, int size) => file
        .Add(b + "ssm_conv1d.weight", [size == 20 ? 3 : 4, ((2 * keyHeads) + heads) * size], 0.5)
        .Add(b + "ssm_dt.bias", [heads], 0.5)
        .Add(b + "ssm_a", [heads], 0.1, -0.4)
        .Norm(b + "ssm_norm", size)
        .Matrix(b + "ssm_out", TinyFile.Width, heads * size);

    private static TinyFile GatedAttention(TinyFile file, string b) => file
        .Matrix(b + "attn_q", 2 * 64, TinyFile.Width)
        .Matrix(b + "attn_k", 32, TinyFile.Width)
        .Matrix(b + "attn_v", 32, TinyFile.Width)
        .Matrix(b + "attn_output", TinyFile.Width, 64)
        .Norm(b + "attn_q_norm", 16)
        .Norm(b + "attn_k_norm", 16);

    private static TinyFile GatedExperts(TinyFile file, string b) => Experts(file, b, 6, 32)
        .Add(b + "ffn_gate_inp_shexp.weight", [TinyFile.Width])
        .Matrix(b + "ffn_gate_shexp", 48, TinyFile.Width)
        .Matrix(b + "ffn_up_shexp", 48, TinyFile.Width)
        .Matrix(b + "ffn_down_shexp", TinyFile.Width, 48);
}
