namespace Polymath.Chat.Dialects;

/// <summary>Command R and R+: <c>Action:</c> and a fenced JSON array.</summary>
internal sealed class CohereAction : Dialect
{
    public override string Name => "Cohere, action";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            BlockBegin = "Action:\n```json\n[\n    ",
            Arguments = new JsonEnvelope("tool_name", "parameters"),
            Separator = ",\n    ",
            BlockEnd = "\n]```",
            Tentative = true,
        },
    ];

    public override IReadOnlyList<string> Wrappers { get; } = ["<|END_OF_TURN_TOKEN|>"];

    private protected override bool IsShownBy(string template) =>
        template.Contains("Action:", StringComparison.Ordinal) && template.Contains("\"tool_name\"", StringComparison.Ordinal);
}
