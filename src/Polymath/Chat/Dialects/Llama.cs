namespace Polymath.Chat.Dialects;

/// <summary>Llama 3.1 to 3.3: JSON that is the whole reply, sometimes after <c>&lt;|python_tag|&gt;</c>.</summary>
internal sealed class Llama : Dialect
{
    private static readonly CallForm Bare = new()
    {
        Arguments = new JsonEnvelope("name", "parameters"),
        Separator = "; ",
        Parallel = false,
        Tentative = true,
    };

    private static readonly CallForm Tagged = Bare with { CallBegin = "<|python_tag|>", Separator = "", Tentative = false };

    public override string Name => "Llama 3";

    public override IReadOnlyList<CallForm> Forms { get; } = [Bare, Tagged];

    private protected override IReadOnlyList<string> Tokens => ["<|python_tag|>", "<|eom_id|>"];

    private protected override bool IsShownBy(string template) =>
        template.Contains("<|python_tag|>", StringComparison.Ordinal)
        || (template.Contains("<|start_header_id|>", StringComparison.Ordinal) && template.Contains("\"parameters\": ", StringComparison.Ordinal));
}
