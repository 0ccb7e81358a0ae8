namespace Polymath.Files.HuggingFace.Families;

/// <summary>Gemma 2, and the text part of Gemma 3. Their norms store what is added to one.</summary>
internal static class Gemma
{
    private static readonly DecoderDefaults Defaults = new()
    {
        Vocabulary = 256_000,
        Heads = 8,
        KeyValueHeads = 4,
        HeadWidth = 256,
        Context = 8_192,
        Tied = true,
        Activations = ["gelu_pytorch_tanh"],
    };

    private static readonly DecoderDefaults Gemma3Defaults =
        Defaults with { Vocabulary = 262_208, Context = 131_072, RopeBase = 1_000_000 };

    /// <summary>Gemma2ForCausalLM.</summary>
    public static void TranslateGemma2(Translation model)
    {
        model.Begin("gemma2");
        var config = new DecoderConfig(model, Defaults);
        config.Write(Defaults);
        RefuseNull(model, "attn_logit_softcapping");
        RefuseNull(model, "final_logit_softcapping");
        model.Set("attn_logit_softcapping", model.Config.Positive("attn_logit_softcapping", 50));
        model.Set("final_logit_softcapping", model.Config.Positive("final_logit_softcapping", 30));
        Windows.Write(model, config.Layers, model.Config.Int32("sliding_window", 1, int.MaxValue, 4_096), period: 2);
        WriteScale(model, config);
        Tensors(model, config, headNorms: false);
    }

    /// <summary>Gemma3ForCausalLM and Gemma3ForConditionalGeneration, whose eyes are left out.</summary>
    public static void TranslateGemma3(Translation model)
    {
        model.Begin("gemma3");
        var config = new DecoderConfig(model, Gemma3Defaults);
        if (model.Config.Has("attn_logit_softcapping"))
            throw model.Config.Bad("attn_logit_softcapping", "it is not supported in Gemma 3");
        JsonFields? global = config.Rope?.Child("full_attention") ?? config.Rope;
        JsonFields? local = config.Rope?.Child("sliding_attention");
        config.Write(Gemma3Defaults, rope: false);
        double ropeBase = global?.Positive("rope_theta", config.RopeBase) ?? config.RopeBase;
        model.Set("rope.freq_base", ropeBase);
        RopeScaling.Read(global, config.Context).Write(model, ropeBase, config.HeadWidth);
        model.Set("rope.freq_base_swa", local?.Positive("rope_theta", 10_000) ?? model.Config.Positive("rope_local_base_freq", 10_000));
        if (model.Config.Has("final_logit_softcapping"))
            model.Set("final_logit_softcapping", model.Config.Positive("final_logit_softcapping"));
        Windows.Write(model, config.Layers, model.Config.Int32("sliding_window", 1, int.MaxValue, 4_096), period: 6);
        WriteScale(model, config);
        Tensors(model, config, headNorms: true);
        string[] eyes = ["vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector."];
        if (model.Class == "Gemma3ForConditionalGeneration")
            model.Expect(name => Array.Exists(eyes, eye => name.StartsWith(eye, StringComparison.Ordinal)));
    }

    private static void RefuseNull(Translation model, string field)
    {
        if (model.Config.IsNull(field))
            throw model.Config.Bad(field, "null is not supported");
    }

    /// <summary>
    /// Scores are divided by the root of a number of the settings'. GGUF files leave it out where it is the width of a
    /// head, and engines know the one size for which it is not; it is written where it differs.
    /// </summary>
    private static void WriteScale(Translation model, DecoderConfig config)
    {
        double divisor = model.Config.Positive("query_pre_attn_scalar", config.HeadWidth);
        if (divisor != config.HeadWidth)
            model.Set("attention.scale", 1 / Math.Sqrt(divisor));
    }

    private static void Tensors(Translation model, DecoderConfig config, bool headNorms)
    {
        var tensors = new DecoderTensors(model, config) { Norms = Recipe.PlusOne };
        bool bias = model.Config.Bool("attention_bias");
        tensors.Ends();
        for (int layer = 0; layer < config.Layers; layer++)
        {
            tensors.Norm(layer, "attn_norm", "input_layernorm");
            tensors.Norm(layer, "post_attention_norm", "post_attention_layernorm");
            tensors.Norm(layer, "ffn_norm", "pre_feedforward_layernorm");
            tensors.Norm(layer, "post_ffw_norm", "post_feedforward_layernorm");
            tensors.Attention(layer, bias, bias);
            if (headNorms)
                tensors.HeadNorms(layer);
            tensors.GatedFeedForward(layer);
        }
    }
}
