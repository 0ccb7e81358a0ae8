namespace Polymath.Chat.Dialects;

/// <summary>Functionary 3.1: JSON in a tag that names the function.</summary>
internal sealed class Functionary : Dialect
{
    public override string Name => "Functionary";

    public override IReadOnlyList<CallForm> Forms { get; } =
    [
        new CallForm
        {
            CallBegin = "<function=",
            NameEnd = ">",
            Arguments = new JsonArguments(),
            CallEnd = "</function>",
        },
    ];

    private protected override bool IsShownBy(string template) => template.Contains("<function=", StringComparison.Ordinal);
}
