using Polymath.Chat.Parsing;

namespace Polymath.Chat.Dialects;

/// <summary>gpt-oss: messages in the channels analysis, commentary and final; a call is a message to <c>functions.name</c>.</summary>
internal sealed class Harmony : Dialect
{
    public override string Name => "harmony";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            CallBegin = "<|channel|>commentary to=functions.",
            NameEnd = " <|constrain|>json<|message|>",
            Arguments = new JsonArguments(),
            CallEnd = "<|call|>",
            Parallel = false,
            SharesTrigger = true,
        },
    ];

    public override ReasoningForm Reasoning { get; } = new("<|channel|>analysis<|message|>", "<|end|><|start|>assistant", Anywhere: true);

    public override string AnswerBegin => "<|channel|>final<|message|>";

    public override IReadOnlyList<string> Wrappers { get; } = [];

    private protected override IReadOnlyList<string> Tokens => ["<|channel|>", "<|constrain|>", "<|message|>"];

    public override ReplyParser NewParser(ReplyOptions options, ReplySink sink) => new HarmonyReplyParser(this, options, sink);

    private protected override bool IsShownBy(string template) => template.Contains("<|channel|>", StringComparison.Ordinal);
}
