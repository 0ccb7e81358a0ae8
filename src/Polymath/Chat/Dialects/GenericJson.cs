namespace Polymath.Chat.Dialects;

/// <summary>
/// For models that were not trained on tools: what their instruction asks for. Small models forget the tags, so JSON that
/// begins the answer, or stands in a fence, is a call as well when it names a tool.
/// </summary>
internal sealed class GenericJson : Dialect
{
    private static readonly CallForm Bare = new() { Arguments = new JsonEnvelope("name", "arguments"), Separator = "; ", Tentative = true };

    private static readonly CallForm Fenced = Bare with { BlockBegin = "```json\n", BlockEnd = "\n```", Separator = "\n" };

    public override string Name => "generic";

    public override IReadOnlyList<CallForm> Forms { get; } = [Hermes.Tagged, Bare, Fenced, Fenced with { BlockBegin = "```tool_code\n" }];

    private protected override bool IsShownBy(string template) => false;
}
