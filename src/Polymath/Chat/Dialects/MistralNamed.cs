namespace Polymath.Chat.Dialects;

/// <summary>Mistral since Small 3.2, Devstral, Magistral, Ministral 3: <c>[TOOL_CALLS]name[ARGS]{…}</c>.</summary>
internal sealed class MistralNamed : Dialect
{
    /// <summary>Each call for itself; some models put an id after the name.</summary>
    public static CallForm Named { get; } = new()
    {
        CallBegin = "[TOOL_CALLS]",
        IdBegin = "[CALL_ID]",
        NameEnd = "[ARGS]",
        Arguments = new JsonArguments(),
    };

    /// <summary>Reasoning in tags of its own.</summary>
    public static ReasoningForm Thoughts { get; } = new("[THINK]", "[/THINK]");

    public override string Name => "Mistral, named";

    public override IReadOnlyList<CallForm> Forms { get; } = [Named, Mistral.List];

    public override ReasoningForm Reasoning => Thoughts;

    public override bool CallsEndReasoning => true;

    public override bool ShowsIds => true;

    private protected override IReadOnlyList<string> Tokens => ["[TOOL_CALLS]", "[ARGS]"];

    public override string NewId(string tool, int number) => string.Create(null, $"{number:D9}");

    public override string ShownId(string id) => Mistral.NineCharacters(id);

    private protected override bool IsShownBy(string template) =>
        template.Contains("[TOOL_CALLS]", StringComparison.Ordinal) && template.Contains("[ARGS]", StringComparison.Ordinal);
}
