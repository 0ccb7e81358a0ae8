using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Polymath.Hub;

/// <summary>A model on a hub: USER/REPO, or USER/REPO:QUANT for one of the files it comes in.</summary>
/// <param name="Repository">USER/REPO.</param>
/// <param name="Quant">Q4_K_M and the like, <see cref="Safetensors"/>, or the name of a file without .gguf; null to leave the choice open.</param>
public sealed record ModelName(string Repository, string? Quant)
{
    private const int MostLength = 300, MostOfPart = 128;

    // Written out: every start of the program looks at its words here, and a regular expression takes longer to build than a small model to load.
    private static readonly SearchValues<char> s_characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <summary>The quant that stands for a repository's Hugging Face folder.</summary>
    public const string Safetensors = "safetensors";

    /// <summary>Reads USER/REPO[:QUANT]; false for anything else, paths with more or fewer folders among it.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ModelName? name)
    {
        name = null;
        if (text is null || text.Length > MostLength || text.Split('/') is not [string user, string rest])
            return false;
        string[] parts = rest.Split(':');
        if (parts.Length > 2 || !IsPart(user) || !parts.All(IsPart))
            return false;
        name = new ModelName($"{user}/{parts[0]}", parts.ElementAtOrDefault(1));
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
        part.Length is > 0 and <= MostOfPart && part[0] is not ('.' or '-') && !part.AsSpan().ContainsAnyExcept(s_characters)
        && !part.Contains("..", StringComparison.Ordinal) && HubPath.IsSafe(part);
}
