namespace Polymath.Chat.Dialects;

/// <summary>Kimi K2: the id names and numbers the call.</summary>
internal sealed class Kimi : Dialect
{
    public override string Name => "Kimi K2";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            BlockBegin = "<|tool_calls_section_begin|>",
            CallBegin = "<|tool_call_begin|>",
            NumbersNames = true,
            NameEnd = "<|tool_call_argument_begin|>",
            Arguments = new JsonArguments(),
            CallEnd = "<|tool_call_end|>",
            BlockEnd = "<|tool_calls_section_end|>",
        },
    ];

    public override bool CallsEndReasoning => true;

    public override bool ShowsIds => true;

    private protected override IReadOnlyList<string> Tokens => ["<|tool_calls_section_begin|>"];

    public override string NewId(string tool, int number) => string.Create(null, $"functions.{tool}:{number}");

    private protected override bool IsShownBy(string template) => template.Contains("<|tool_calls_section_begin|>", StringComparison.Ordinal);
}
