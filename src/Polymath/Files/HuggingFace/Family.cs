using Polymath.Files.HuggingFace.Families;

namespace Polymath.Files.HuggingFace;

/// <summary>A kind of model whose config.json and checkpoint can be translated, by the class that config.json names.</summary>
/// <param name="Class">Name under "architectures".</param>
/// <param name="Type">Name under "model_type", for a config.json without a class; empty where another class has it.</param>
/// <param name="Translate">Names settings and tensors.</param>
internal sealed record Family(string Class, string Type, Action<Translation> Translate)
{
    // To add a family: one file in Families/ and one line here.
    private static readonly Family[] All =
    [
        new("LlamaForCausalLM", "llama", Llama.Translate),
        new("MistralForCausalLM", "mistral", Llama.TranslateMistral),
        new("MixtralForCausalLM", "mixtral", Llama.TranslateMixtral),
        new("SmolLM3ForCausalLM", "smollm3", Llama.TranslateSmolLm3),
        new("GraniteForCausalLM", "granite", Llama.TranslateGranite),
        new("Qwen2ForCausalLM", "qwen2", Qwen.TranslateQwen2),
        new("Qwen2Model", "", Qwen.TranslateQwen2),
        new("Qwen3ForCausalLM", "qwen3", Qwen.TranslateQwen3),
        new("Qwen3Model", "", Qwen.TranslateQwen3),
        new("Qwen3MoeForCausalLM", "qwen3_moe", Qwen.TranslateQwen3Moe),
        new("Qwen3NextForCausalLM", "qwen3_next", Qwen3Next.Translate),
        new("Qwen3_5ForCausalLM", "qwen3_5_text", Qwen35.Translate),
        new("Qwen3_5ForConditionalGeneration", "qwen3_5", Qwen35.Translate),
        new("Gemma2ForCausalLM", "gemma2", Gemma.TranslateGemma2),
        new("Gemma3ForCausalLM", "gemma3_text", Gemma.TranslateGemma3),
        new("Gemma3ForConditionalGeneration", "gemma3", Gemma.TranslateGemma3),
        new("Phi3ForCausalLM", "phi3", Phi3.Translate),
        new("GptOssForCausalLM", "gpt_oss", GptOss.Translate),
        new("Olmo2ForCausalLM", "olmo2", Olmo2.Translate),
        new("Olmo3ForCausalLM", "olmo3", Olmo2.Translate),
        new("Starcoder2ForCausalLM", "starcoder2", Starcoder2.Translate),
        new("GPT2LMHeadModel", "gpt2", Gpt2.Translate),
        new("BertModel", "bert", Bert.Translate),
        new("BertForMaskedLM", "", Bert.Translate),
        new("BertForSequenceClassification", "", Bert.Translate),
        new("XLMRobertaModel", "xlm-roberta", Bert.TranslateRoberta),
        new("XLMRobertaForSequenceClassification", "", Bert.TranslateRoberta),
        new("NomicBertModel", "nomic_bert", NomicBert.Translate),
    ];

    /// <summary>The family of a config.json.</summary>
    /// <exception cref="ModelFormatException">None, or one that cannot be translated.</exception>
    public static Family Of(JsonFields config)
    {
        string? name = config.Text("model_type");
        if (config.Has("architectures"))
            name = config.Texts("architectures", 1)![0];
        if (string.IsNullOrEmpty(name))
            throw config.Bad("architectures", "missing");
        return Array.Find(All, family => family.Class == name || family.Type == name)
            ?? throw config.Bad("architectures", $"{FileLimits.Printable(name)} is not supported; supported: {string.Join(", ", All.Select(family => family.Type).Where(type => type.Length > 0))}");
    }
}
