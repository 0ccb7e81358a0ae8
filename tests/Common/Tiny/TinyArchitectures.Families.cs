namespace Polymath.Tiny;

/// <summary>The files that differ from Llama's by more than a key.</summary>
internal static partial class TinyArchitectures
{
    private static TinyFile Granite(TinyFile file) => file
        .Set("embedding_scale", 3f).Set("residual_scale", 0.7f).Set("attention.scale", 0.2f).Set("logit_scale", 4f).Norm("output_norm");

    private static TinyFile GraniteMoe() => Granite(Blocks(
        new TinyFile("granitemoe").Set("expert_count", 6u).Set("expert_used_count", 3u).Set("expert_shared_feed_forward_length", 32u),
        2,
        (file, b) => Experts(file, b, 6, 96)
            .Matrix(b + "ffn_gate_shexp", 32, TinyFile.Width)
            .Matrix(b + "ffn_up_shexp", 32, TinyFile.Width)
            .Matrix(b + "ffn_down_shexp", TinyFile.Width, 32)));

    private static TinyFile Qwen3Moe() => Output(Blocks(
        new TinyFile("qwen3moe").Set("expert_count", 8u).Set("expert_used_count", 3u).Set("expert_feed_forward_length", 32u),
        2,
        (file, b) => Experts(file, b, 8, 32),
        norms: true));

    private static TinyFile Olmo2(TinyFile file, int layers = 2)
    {
        file.Set("attention.layer_norm_rms_epsilon", 1e-5f).Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5);
        for (int i = 0; i < layers; i++)
        {
            string b = $"blk.{i}.";
            Attention(file, b).Norm(b + "attn_q_norm").Norm(b + "attn_k_norm", 32);
            Dense(file, b).Norm(b + "post_attention_norm").Norm(b + "post_ffw_norm");
        }

        return Output(file);
    }

    /// <summary>Partly rotated heads, fused matrices.</summary>
    private static TinyFile Phi3(int pairs)
    {
        TinyFile file = new TinyFile("phi3").Set("attention.layer_norm_rms_epsilon", 1e-5f).Set("rope.dimension_count", (uint)(2 * pairs))
            .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5);
        for (int i = 0; i < 2; i++)
        {
            string b = $"blk.{i}.";
            file.Norm(b + "attn_norm").Matrix(b + "attn_qkv", 64 + 32 + 32, TinyFile.Width).Matrix(b + "attn_output", TinyFile.Width, 64)
                .Norm(b + "ffn_norm").Matrix(b + "ffn_up", 2 * 96, TinyFile.Width).Matrix(b + "ffn_down", TinyFile.Width, 96);
        }

        return Output(file);
    }

    private static TinyFile Gemma(TinyFile file, int layers, bool norms = false) => Blocks(
        file.Set("attention.sliding_window", 9u),
        layers,
        (f, b) => Dense(f, b).Norm(b + "post_attention_norm").Norm(b + "post_ffw_norm"),
        norms: norms).Norm("output_norm");

    private static TinyFile GptOss()
    {
        TinyFile file = new TinyFile("gpt-oss", feedForward: 0)
            .Set("attention.layer_norm_rms_epsilon", 1e-5f).Set("attention.sliding_window", 9u)
            .Set("attention.key_length", 16u).Set("attention.value_length", 16u)
            .Set("rope.scaling.type", "yarn").Set("rope.scaling.factor", 32f).Set("rope.scaling.original_context_length", 64u)
            .Set("expert_count", 4u).Set("expert_used_count", 2u).Set("expert_feed_forward_length", 32u)
            .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5);
        for (int i = 0; i < 2; i++)
        {
            string b = $"blk.{i}.";
            Attention(file.Norm(b + "attn_norm").Norm(b + "post_attention_norm"), b, bias: true)
                .Add(b + "attn_output.bias", [TinyFile.Width]).Add(b + "attn_sinks.weight", [4], 1);
            Experts(file, b, 4, 32, bias: true)
                .Add(b + "ffn_gate_exps.bias", [32, 4]).Add(b + "ffn_up_exps.bias", [32, 4]).Add(b + "ffn_down_exps.bias", [TinyFile.Width, 4]);
        }

        return Output(file);
    }

    private static TinyFile StarCoder2()
    {
        TinyFile file = new TinyFile("starcoder2").Set("attention.layer_norm_epsilon", 1e-5f)
            .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5);
        for (int i = 0; i < 2; i++)
        {
            string b = $"blk.{i}.";
            Attention(file.Norm(b + "attn_norm", bias: true), b, bias: true).Add(b + "attn_output.bias", [TinyFile.Width]);
            Plain(file.Norm(b + "ffn_norm", bias: true), b);
        }

        return file.Norm("output_norm", bias: true);
    }

    private static TinyFile Gpt2()
    {
        TinyFile file = new TinyFile("gpt2", keyValueHeads: 4).Set("attention.layer_norm_epsilon", 1e-5f)
            .Add("token_embd.weight", [TinyFile.Width, TinyFile.Vocabulary], 0.5)
            .Add("position_embd.weight", [TinyFile.Width, 256], 0.3);
        for (int i = 0; i < 2; i++)
        {
            string b = $"blk.{i}.";
            file.Norm(b + "attn_norm", bias: true).Matrix(b + "attn_qkv", 3 * 64, TinyFile.Width, bias: true)
                .Matrix(b + "attn_output", TinyFile.Width, 64, bias: true);
            Plain(file.Norm(b + "ffn_norm", bias: true), b);
        }

        return file.Norm("output_norm", bias: true);
    }

    private static TinyFile Plain(TinyFile file, string b) => file
        .Matrix(b + "ffn_up", 96, TinyFile.Width, bias: true)
        .Matrix(b + "ffn_down", TinyFile.Width, 96, bias: true);
}
