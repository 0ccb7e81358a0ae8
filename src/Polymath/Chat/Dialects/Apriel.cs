namespace Polymath.Chat.Dialects;

/// <summary>Apriel: a JSON array in <c>&lt;tool_calls&gt;</c>.</summary>
internal sealed class Apriel : Dialect
{
    public override string Name => "Apriel";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            BlockBegin = "<tool_calls>[",
            Arguments = new JsonEnvelope("name", "arguments", "id"),
            Separator = ", ",
            BlockEnd = "]</tool_calls>",
        },
    ];

    public override IReadOnlyList<string> Wrappers { get; } = ["<|end|>", "[BEGIN FINAL RESPONSE]", "[END FINAL RESPONSE]"];

    private protected override bool IsShownBy(string template) => template.Contains("<tool_calls>[", StringComparison.Ordinal);
}
