using System.Buffers;

namespace Polymath.Chat.Parsing;

/// <summary>Texts to look for in what comes piece by piece.</summary>
internal sealed class MarkerSet
{
    private readonly string[] _markers;
    private readonly SearchValues<char> _firsts;

    public MarkerSet(IEnumerable<string> markers)
    {
        _markers = [.. markers.Where(marker => marker.Length > 0).Distinct()];
        _firsts = SearchValues.Create([.. _markers.Select(marker => marker[0])]);
    }

    /// <summary>The first marker in a text.</summary>
    /// <param name="text">What is there by now.</param>
    /// <param name="last">True when nothing more comes.</param>
    /// <param name="marker">The marker, or null.</param>
    /// <returns>Where it begins; without one, how many characters are certainly in front of any.</returns>
    public int Find(ReadOnlySpan<char> text, bool last, out string? marker)
    {
        for (int at = 0; at < text.Length; at++)
        {
            int step = text[at..].IndexOfAny(_firsts);
            if (step < 0)
                break;
            at += step;
            bool mayCome = false;
            marker = null;
            foreach (string candidate in _markers)
            {
                ReadOnlySpan<char> rest = text[at..];
                if (rest.StartsWith(candidate) && !(marker?.Length > candidate.Length))
                    marker = candidate;
                mayCome |= !last && rest.Length < candidate.Length && candidate.AsSpan().StartsWith(rest);
            }

            if (mayCome)
                marker = null;
            if (mayCome || marker is not null)
                return at;
        }

        marker = null;
        return text.Length;
    }
}
