namespace Polymath.Chat.Dialects;

/// <summary>GLM 4.5 and later: the name, then keys and values in tags.</summary>
internal sealed class Glm : Dialect
{
    public override string Name => "GLM";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            CallBegin = "<tool_call>",
            Arguments = new TaggedArguments("<arg_key>", "</arg_key><arg_value>", "</arg_value>"),
            CallEnd = "</tool_call>",
        },
    ];

    public override IReadOnlyList<string> Wrappers { get; } = ["<|user|>", "<|observation|>"];

    private protected override IReadOnlyList<string> Tokens => ["<tool_call>", "<arg_key>"];

    private protected override bool IsShownBy(string template) => template.Contains("<arg_key>", StringComparison.Ordinal);
}
