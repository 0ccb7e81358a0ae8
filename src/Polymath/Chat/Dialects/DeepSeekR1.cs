namespace Polymath.Chat.Dialects;

/// <summary>DeepSeek V3 and R1 with their distillations: the type <c>function</c> first, the JSON in a fence.</summary>
internal sealed class DeepSeekR1 : Dialect
{
    private static readonly CallForm Block = DeepSeek.Block with
    {
        CallBegin = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
        NameEnd = "\n```json\n",
        CallEnd = "\n```<｜tool▁call▁end｜>",
        Separator = "\n",
    };

    public override string Name => "DeepSeek R1";

    public override IReadOnlyList<CallForm> Forms { get; } = [Block, Block with { BlockBegin = "", BlockEnd = "" }];

    public override IReadOnlyList<string> Wrappers { get; } = ["<｜end▁of▁sentence｜>", "<｜tool▁calls▁end｜>"];

    public override bool CallsEndReasoning => true;

    private protected override bool IsShownBy(string template) =>
        template.Contains("<｜tool▁calls▁begin｜>", StringComparison.Ordinal) && template.Contains("```json", StringComparison.Ordinal);
}
