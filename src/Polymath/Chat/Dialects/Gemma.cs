namespace Polymath.Chat.Dialects;

/// <summary>Gemma 4: calls and thoughts between tokens of its own. Gemma 2 and 3 show no tools and go by the generic form.</summary>
internal sealed class Gemma : Dialect
{
    public override string Name => "Gemma 4";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            CallBegin = "<|tool_call>call:",
            Arguments = new GemmaArguments(),
            CallEnd = "<tool_call|>",
        },
    ];

    public override ReasoningForm Reasoning { get; } = new("<|channel>thought", "<channel|>", Anywhere: true);

    public override IReadOnlyList<string> Wrappers { get; } = ["<turn|>", "<|tool_response>"];

    public override bool CallsEndReasoning => true;

    private protected override IReadOnlyList<string> Tokens => ["<|tool_call>", "<|\"|>"];

    private protected override bool IsShownBy(string template) => template.Contains("<|tool_call>call:", StringComparison.Ordinal);
}
