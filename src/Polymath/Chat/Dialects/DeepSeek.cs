namespace Polymath.Chat.Dialects;

/// <summary>DeepSeek V3.1: names and JSON between tokens of their own.</summary>
internal sealed class DeepSeek : Dialect
{
    /// <summary>A block of calls.</summary>
    public static CallForm Block { get; } = new()
    {
        BlockBegin = "<｜tool▁calls▁begin｜>",
        CallBegin = "<｜tool▁call▁begin｜>",
        NameEnd = "<｜tool▁sep｜>",
        Arguments = new JsonArguments(),
        CallEnd = "<｜tool▁call▁end｜>",
        BlockEnd = "<｜tool▁calls▁end｜>",
    };

    public override string Name => "DeepSeek 3.1";

    public override IReadOnlyList<CallForm> Forms { get; } = [Block, Block with { BlockBegin = "", BlockEnd = "" }];

    public override IReadOnlyList<string> Wrappers { get; } = ["<｜end▁of▁sentence｜>", "<｜tool▁calls▁end｜>"];

    public override bool CallsEndReasoning => true;

    private protected override IReadOnlyList<string> Tokens => ["<｜tool▁calls▁begin｜>", "<｜tool▁sep｜>"];

    private protected override bool IsShownBy(string template) => template.Contains("<｜tool▁calls▁begin｜>", StringComparison.Ordinal);
}
