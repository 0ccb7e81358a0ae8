namespace Polymath.Chat.Dialects;

/// <summary>DeepSeek V3.2 and V4: tags marked <c>｜DSML｜</c>, each parameter saying whether it is a string.</summary>
internal sealed class DeepSeekMarkup : Dialect
{
    private const string Mark = "｜DSML｜";

    private readonly string _block;

    public DeepSeekMarkup(string name, string block)
    {
        Name = $"DeepSeek {name}";
        _block = block;
        Forms =
        [
            new CallForm
            {
                BlockBegin = $"<{Mark}{block}>\n",
                CallBegin = $"<{Mark}invoke name=\"",
                NameEnd = "\">\n",
                Arguments = new TaggedArguments($"<{Mark}parameter name=\"", "\" string=\"true\">", $"</{Mark}parameter>\n", "\" string=\"false\">"),
                CallEnd = $"</{Mark}invoke>\n",
                BlockEnd = $"</{Mark}{block}>",
            },
        ];
    }

    public override string Name { get; }

    public override IReadOnlyList<CallForm> Forms { get; }

    public override IReadOnlyList<string> Wrappers { get; } = ["<｜end▁of▁sentence｜>"];

    public override bool CallsEndReasoning => true;

    private protected override bool IsShownBy(string template) =>
        template.Contains(Mark, StringComparison.Ordinal)
        && (template.Contains($"dsml_token + '{_block}>", StringComparison.Ordinal)
            || template.Contains($"{Mark}{_block}>", StringComparison.Ordinal));
}
