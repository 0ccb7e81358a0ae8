namespace Polymath.Chat.Dialects;

/// <summary>Command R7B and later: a JSON array between tokens of its own, thoughts and answer in theirs.</summary>
internal sealed class Cohere : Dialect
{
    public override string Name => "Cohere";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            BlockBegin = "<|START_ACTION|>[\n    ",
            Arguments = new JsonEnvelope("tool_name", "parameters", "tool_call_id"),
            Separator = ",\n    ",
            BlockEnd = "\n]<|END_ACTION|>",
        },
    ];

    public override ReasoningForm Reasoning { get; } = new("<|START_THINKING|>", "<|END_THINKING|>", Anywhere: true);

    public override IReadOnlyList<string> Wrappers { get; } =
        ["<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>", "<|END_OF_TURN_TOKEN|>"];

    public override bool CallsEndReasoning => true;

    private protected override IReadOnlyList<string> Tokens => ["<|START_ACTION|>"];

    private protected override bool IsShownBy(string template) => template.Contains("<|START_ACTION|>", StringComparison.Ordinal);
}
