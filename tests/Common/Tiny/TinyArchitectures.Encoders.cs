using Polymath.Models;

namespace Polymath.Tiny;

/// <summary>The models that make vectors or rank.</summary>
internal static partial class TinyArchitectures
{
    /// <summary>The encoders, and decoders that are used as such: name and how its file is made.</summary>
    public static IReadOnlyDictionary<string, Func<TinyFile>> Encoders { get; } = new Dictionary<string, Func<TinyFile>>
    {
        ["bert-mean"] = () => Bert("bert", Pooling.Mean),
        ["bert-cls"] = () => Bert("bert", Pooling.Cls),
        ["bert-last"] = () => Bert("bert", Pooling.Last),
        ["bert-none"] = () => Bert("bert", Pooling.None),
        ["bert-rank"] = () => Bert("bert", Pooling.Rank).Matrix("cls", TinyFile.Width, TinyFile.Width, bias: true)
            .Matrix("cls.output", 1, TinyFile.Width, bias: true),
        ["bert-labels"] = () => Bert("bert", Pooling.Rank).Set("classifier.output_labels", new[] { "no", "yes", "maybe" })
            .Matrix("cls.output", 3, TinyFile.Width, bias: true),
        ["nomic-bert"] = () => Bert("nomic-bert", Pooling.Mean),
        ["nomic-bert-moe"] = () => Bert("nomic-bert-moe", Pooling.Mean),
        ["jina-bert-v3"] = () => Bert("jina-bert-v3", Pooling.Mean),
        ["modern-bert"] = () => ModernBert(Pooling.Cls),
        ["modern-bert-silu"] = () => ModernBert(Pooling.Mean).Set("hidden_activation", "silu"),
        ["modern-bert-rank"] = () => ModernBert(Pooling.Rank).Matrix("cls", TinyFile.Width, TinyFile.Width).Norm("cls.norm")
            .Matrix("cls.output", 1, TinyFile.Width, bias: true),
        ["gemma-embedding"] = GemmaEmbedding,
        ["gemma-embedding-dense"] = () => GemmaEmbedding().Set("dense_2_feat_in", 64u).Set("dense_2_feat_out", 96u)
            .Set("dense_3_feat_in", 96u).Set("dense_3_feat_out", 64u)
            .Matrix("dense_2", 96, TinyFile.Width).Matrix("dense_3", TinyFile.Width, 96),
        ["qwen3-last"] = () => Output(Blocks(Pooled(new TinyFile("qwen3"), Pooling.Last), 2, Dense, norms: true)),
        ["qwen3-rank"] = () => Output(Blocks(
            Pooled(new TinyFile("qwen3"), Pooling.Rank).Set("classifier.output_labels", new[] { "yes", "no" }), 2, Dense, norms: true))
            .Matrix("cls.output", 2, TinyFile.Width),
        ["llama-mean"] = () => Output(Blocks(Pooled(new TinyFile("llama"), Pooling.Mean), 2, Dense)),
    };

    private static TinyFile Pooled(TinyFile file, Pooling pooling) => file.Set("pooling_type", (uint)pooling);

    private static TinyFile Bert(string architecture, Pooling pooling)
    {
        bool experts = architecture == "nomic-bert-moe", gate = architecture == "nomic-bert";
        TinyFile file = Pooled(new TinyFile(architecture, keyValueHeads: 4), pooling)
            .Set("attention.layer_norm_epsilon", 1e-12f).Set("attention.causal", false)
            .SetGlobal("tokenizer.ggml.token_type_count", 2u)
            .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5)
            .Add("token_types.weight", [TinyFile.Width, 2], 0.5).Norm("token_embd_norm", bias: true);
        if (architecture == "bert")
            file.Add("position_embd.weight", [TinyFile.Width, 256], 0.3);
        else
            file.Set("rope.freq_base", 1000f);
        if (experts)
            file.Set("moe_every_n_layers", 2u).Set("expert_count", 6u).Set("expert_used_count", 2u);
        for (int i = 0; i < 2; i++)
        {
            string b = $"blk.{i}.";
            file.Norm(b + "attn_output_norm", bias: true).Norm(b + "layer_output_norm", bias: true);
            Attention(file, b, bias: !gate, keyValueHeads: 4);
            if (!gate)
                file.Add(b + "attn_output.bias", [TinyFile.Width], 0.3);
            if (gate)
                Dense(file, b);
            else if (experts && i == 1)
                Experts(file, b, 6, 96, gate: false);
            else
                Plain(file, b);
        }

        return file;
    }

    private static TinyFile ModernBert(Pooling pooling)
    {
        TinyFile file = Pooled(new TinyFile("modern-bert", 4, keyValueHeads: 4), pooling)
            .Set("attention.layer_norm_epsilon", 1e-5f).Set("attention.causal", false).Set("attention.sliding_window", 12u)
            .Set("rope.freq_base", 160000f).Set("rope.freq_base_swa", 500f)
            .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5).Norm("token_embd_norm").Norm("output_norm");
        for (int i = 0; i < 4; i++)
        {
            string b = $"blk.{i}.";
            if (i > 0)
                file.Norm(b + "attn_norm");
            file.Matrix(b + "attn_qkv", 3 * TinyFile.Width, TinyFile.Width).Matrix(b + "attn_output", TinyFile.Width, TinyFile.Width)
                .Norm(b + "ffn_norm").Matrix(b + "ffn_up", 2 * 96, TinyFile.Width).Matrix(b + "ffn_down", TinyFile.Width, 96);
        }

        return file;
    }

    private static TinyFile GemmaEmbedding() =>
        Gemma(Pooled(new TinyFile("gemma-embedding", 6), Pooling.Mean).Set("rope.freq_base", 100000f), 6, norms: true);
}
