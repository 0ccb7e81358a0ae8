namespace Polymath.Chat.Dialects;

/// <summary>Qwen 3 Coder, Qwen 3.5, Nemotron 3, Step 3.5: tags for the function and each parameter.</summary>
internal sealed class QwenCoder : Dialect
{
    private static readonly TaggedArguments Parameters = new("<parameter=", ">\n", "\n</parameter>\n");

    /// <summary>As the models are trained.</summary>
    public static CallForm Tagged { get; } = new()
    {
        CallBegin = "<tool_call>\n<function=",
        NameEnd = ">\n",
        Arguments = Parameters,
        CallEnd = "</function>\n</tool_call>",
        Separator = "\n",
    };

    /// <summary>The models leave the outer tag out at times.</summary>
    private static readonly CallForm Inner = Tagged with { CallBegin = "<function=", CallEnd = "</function>" };

    public override string Name => "Qwen Coder";

    public override IReadOnlyList<CallForm> Forms { get; } = [Tagged, Inner, Hermes.Tagged];

    public override IReadOnlyList<string> Wrappers { get; } = ["<|im_end|>", "</tool_call>"];

    private protected override bool IsShownBy(string template) =>
        template.Contains("<function=", StringComparison.Ordinal) && template.Contains("<parameter=", StringComparison.Ordinal);
}
