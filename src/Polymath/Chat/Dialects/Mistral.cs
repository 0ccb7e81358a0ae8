using System.Security.Cryptography;
using System.Text;

namespace Polymath.Chat.Dialects;

/// <summary>Mistral 7B v0.3 to Nemo and Small 2501: a JSON array after <c>[TOOL_CALLS]</c>.</summary>
internal sealed class Mistral : Dialect
{
    /// <summary>One array of all calls.</summary>
    public static CallForm List { get; } = new()
    {
        BlockBegin = "[TOOL_CALLS][",
        Arguments = new JsonEnvelope("name", "arguments", "id"),
        Separator = ", ",
        BlockEnd = "]",
    };

    public override string Name => "Mistral";

    public override IReadOnlyList<CallForm> Forms { get; } = [List, MistralNamed.Named];

    public override ReasoningForm Reasoning => MistralNamed.Thoughts;

    public override bool CallsEndReasoning => true;

    public override bool ShowsIds => true;

    private protected override IReadOnlyList<string> Tokens => ["[TOOL_CALLS]"];

    public override string NewId(string tool, int number) => string.Create(null, $"{number:D9}");

    public override string ShownId(string id) => NineCharacters(id);

    /// <summary>An id as the templates want it: nine letters or digits; any other is hashed.</summary>
    public static string NineCharacters(string id) => id.Length == 9 && id.All(char.IsAsciiLetterOrDigit)
        ? id
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..9];

    private protected override bool IsShownBy(string template) => template.Contains("[TOOL_CALLS]", StringComparison.Ordinal);
}
