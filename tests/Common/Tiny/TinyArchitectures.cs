namespace Polymath.Tiny;

/// <summary>
/// One tiny model for each thing that an architecture can do. To add one: a method in the file of its family, and
/// its name here. tools/reference/README.md says how its reference values are made.
/// </summary>
internal static partial class TinyArchitectures
{
    /// <summary>The decoders: name and how its file is made.</summary>
    public static IReadOnlyDictionary<string, Func<TinyFile>> Decoders { get; } = new Dictionary<string, Func<TinyFile>>
    {
        ["llama"] = Llama,
        ["llama-linear-rope"] = () => Llama().Set("rope.scaling.type", "linear").Set("rope.scaling.factor", 4f),
        ["llama-yarn-rope"] = () => Llama().Set("rope.scaling.type", "yarn").Set("rope.scaling.factor", 4f)
            .Set("rope.scaling.original_context_length", 32u),
        ["llama-rope-freqs"] = () => Llama().Add("rope_freqs.weight", [8], 0.5, 3),
        ["mixtral"] = Mixtral,
        ["smollm3"] = () => Output(Blocks(new TinyFile("smollm3", 4), 4, Dense)),
        ["granite"] = () => Granite(Blocks(new TinyFile("granite"), 2, Dense)),
        ["granitemoe"] = GraniteMoe,
        ["qwen2"] = () => Output(Blocks(new TinyFile("qwen2"), 2, Dense, bias: true)),
        ["qwen3"] = () => Output(Blocks(new TinyFile("qwen3"), 2, Dense, norms: true)),
        ["qwen3moe"] = Qwen3Moe,
        ["qwen3next"] = () => Qwen3Next(),
        ["qwen3next-joined"] = () => Qwen3Next(joined: true),
        ["qwen35"] = () => Qwen35("qwen35").Norm("output_norm"),
        ["qwen35-odd"] = Qwen35Odd,
        ["qwen35moe"] = Qwen35Moe,
        ["olmo2"] = () => Olmo2(new TinyFile("olmo2")),
        ["olmo2-window"] = () => Olmo2(new TinyFile("olmo2", 4).Set("attention.sliding_window", 9u).Set("rope.scaling.type", "yarn")
            .Set("rope.scaling.factor", 4f).Set("rope.scaling.original_context_length", 32u), 4),
        ["phi3"] = () => Phi3(8),
        ["phi3-longrope"] = () => Phi3(8).Set("rope.scaling.type", "longrope").Set("rope.scaling.original_context_length", 32u)
            .Set("rope.scaling.attn_factor", 1.19f).Add("rope_factors_long.weight", [8], 0.5, 3).Add("rope_factors_short.weight", [8], 0.1, 1),
        ["gemma2"] = () => Gemma(new TinyFile("gemma2").Set("attn_logit_softcapping", 5f).Set("final_logit_softcapping", 8f), 2),
        ["gemma3"] = () => Gemma(new TinyFile("gemma3", 6).Set("rope.freq_base", 100000f).Set("rope.scaling.type", "linear")
            .Set("rope.scaling.factor", 8f), 6, norms: true),
        ["gpt-oss"] = GptOss,
        ["starcoder2"] = StarCoder2,
        ["gpt2"] = Gpt2,
    };

    private static TinyFile Llama() => Output(Blocks(new TinyFile("llama"), 2, Dense));

    private static TinyFile Mixtral() => Blocks(
        new TinyFile("llama").Set("expert_count", 6u).Set("expert_used_count", 2u), 2, (file, b) => Experts(file, b, 6, 96))
        .Norm("output_norm");

    private static TinyFile Output(TinyFile file) => file.Norm("output_norm").Matrix("output", TinyFile.Vocabulary, TinyFile.Width);

    /// <summary>RMS epsilon, embedding, and for each layer attention of 4 × 16 queries over 2 × 16 keys between its norms.</summary>
    private static TinyFile Blocks(
        TinyFile file, int layers, Func<TinyFile, string, TinyFile> feedForward, bool bias = false, bool norms = false)
    {
        file.Set("attention.layer_norm_rms_epsilon", 1e-5f);
        file.Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5);
        for (int i = 0; i < layers; i++)
        {
            string b = $"blk.{i}.";
            file.Norm(b + "attn_norm");
            Attention(file, b, bias);
            if (norms)
                file.Norm(b + "attn_q_norm", 16).Norm(b + "attn_k_norm", 16);
            file.Norm(b + "ffn_norm");
            feedForward(file, b);
        }

        return file;
    }

    private static TinyFile Attention(TinyFile file, string b, bool bias = false, int heads = 4, int keyValueHeads = 2, int size = 16) => file
        .Matrix(b + "attn_q", heads * size, TinyFile.Width, bias)
        .Matrix(b + "attn_k", keyValueHeads * size, TinyFile.Width, bias)
        .Matrix(b + "attn_v", keyValueHeads * size, TinyFile.Width, bias)
        .Matrix(b + "attn_output", TinyFile.Width, heads * size);

    private static TinyFile Dense(TinyFile file, string b) => file
        .Matrix(b + "ffn_gate", 96, TinyFile.Width)
        .Matrix(b + "ffn_up", 96, TinyFile.Width)
        .Matrix(b + "ffn_down", TinyFile.Width, 96);

    private static TinyFile Experts(TinyFile file, string b, int experts, int width, bool bias = false, bool gate = true)
    {
        file.Matrix(b + "ffn_gate_inp", experts, TinyFile.Width, bias);
        if (gate)
            file.Add(b + "ffn_gate_exps.weight", [TinyFile.Width, width, experts]);
        return file.Add(b + "ffn_up_exps.weight", [TinyFile.Width, width, experts])
            .Add(b + "ffn_down_exps.weight", [width, TinyFile.Width, experts]);
    }
}
