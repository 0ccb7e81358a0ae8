namespace Polymath.Chat.Dialects;

/// <summary>Hermes, Qwen 2.5 and 3, and many after them: JSON in <c>&lt;tool_call&gt;</c>.</summary>
internal sealed class Hermes : Dialect
{
    /// <summary>The form that most open models know.</summary>
    public static CallForm Tagged { get; } = new()
    {
        CallBegin = "<tool_call>\n",
        Arguments = new JsonEnvelope("name", "arguments"),
        CallEnd = "\n</tool_call>",
        Separator = "\n",
    };

    public override string Name => "Hermes";

    public override IReadOnlyList<CallForm> Forms { get; } = [Tagged, QwenCoder.Tagged];

    private protected override IReadOnlyList<string> Tokens => ["<tool_call>", "</tool_call>"];

    private protected override bool IsShownBy(string template) => template.Contains("<tool_call>", StringComparison.Ordinal);
}
