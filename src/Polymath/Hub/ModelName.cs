using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Polymath.Hub;

/// <summary>A model on a hub: USER/REPO, or USER/REPO:QUANT for one of the files it comes in.</summary>
/// <param name="Repository">USER/REPO.</param>
/// <param name="Quant">Q4_K_M and the like, <see cref="Safetensors"/>, or the name of a file without .gguf; null to leave the choice open.</param>
public sealed record ModelName(string Repository, string? Quant)
{
    private static readonly Regex s_form = new(@"\A([^/:\\]+)/([^/:\\]+)(?::([^/:\\]+))?\z", RegexOptions.NonBacktracking);
    private static readonly Regex s_part = new(@"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\z", RegexOptions.NonBacktracking);

    /// <summary>The quant that stands for a repository's Hugging Face folder.</summary>
    public const string Safetensors = "safetensors";

    /// <summary>Reads USER/REPO[:QUANT]; false for anything else, paths with more or fewer folders among it.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ModelName? name)
    {
        name = null;
        if (text is null || text.Length > 300 || s_form.Match(text) is not { Success: true } match)
            return false;
        string user = match.Groups[1].Value, repository = match.Groups[2].Value;
        string? quant = match.Groups[3].Success ? match.Groups[3].Value : null;
        if (!IsPart(user) || !IsPart(repository) || (quant is not null && !IsPart(quant)))
            return false;
        name = new ModelName($"{user}/{repository}", quant);
        return true;
    }

    /// <summary>Reads USER/REPO[:QUANT].</summary>
    /// <exception cref="HubException">It is not of this form.</exception>
    public static ModelName Parse(string text) => TryParse(text, out ModelName? name)
        ? name
        : throw new HubException($"\"{text}\" is no model name; one reads USER/REPO or USER/REPO:QUANT");

    /// <inheritdoc/>
    public override string ToString() => Quant is null ? Repository : $"{Repository}:{Quant}";

    /// <summary>True for a name that can be a folder's on every system.</summary>
    internal static bool IsPart(string part) =>
        s_part.IsMatch(part) && !part.Contains("..", StringComparison.Ordinal) && HubPath.IsSafe(part);
}
