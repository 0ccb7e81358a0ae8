namespace Polymath.Chat.Dialects;

/// <summary>Apertus: an array of objects whose only key is the tool.</summary>
internal sealed class Apertus : Dialect
{
    public override string Name => "Apertus";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            BlockBegin = "<|tools_prefix|>[",
            CallBegin = "{\"",
            NameEnd = "\": ",
            Arguments = new JsonArguments(),
            CallEnd = "}",
            Separator = ", ",
            BlockEnd = "]<|tools_suffix|>",
        },
    ];

    public override ReasoningForm Reasoning { get; } = new("<|inner_prefix|>", "<|inner_suffix|>", Anywhere: true);

    public override IReadOnlyList<string> Wrappers { get; } = ["<|assistant_end|>"];

    public override bool CallsEndReasoning => true;

    private protected override IReadOnlyList<string> Tokens => ["<|tools_prefix|>"];

    private protected override bool IsShownBy(string template) => template.Contains("<|tools_prefix|>", StringComparison.Ordinal);
}
