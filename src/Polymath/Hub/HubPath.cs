using System.Globalization;
using System.Text;

namespace Polymath.Hub;

/// <summary>
/// Names of files that a server or a manifest gives. Only names are taken that mean the same file, inside the folder
/// they are joined to, on every system: what Windows alone refuses or reinterprets is refused everywhere.
/// </summary>
internal static class HubPath
{
    private const int MaxSegments = 8;
    private const int SegmentBytes = 200;   // file systems allow 255; room for a suffix

    /// <summary>True for a relative path with / between its parts that stays inside its folder.</summary>
    public static bool IsSafe(string path)
    {
        string[] segments = path.Split('/');
        return segments.Length <= MaxSegments && Array.TrueForAll(segments, IsSafeSegment);
    }

    private static bool IsSafeSegment(string segment)
    {
        if (segment.Length == 0 || segment is "." or ".." || segment[^1] is '.' or ' ' || segment[0] == ' ')
            return false;
        int bytes = 0;
        for (int i = 0; i < segment.Length; i++)
        {
            if (!Rune.TryGetRuneAt(segment, i, out Rune rune))
                return false;
            if (rune.Value is '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|' || !IsShown(rune))
                return false;
            bytes += rune.Utf8SequenceLength;
            i += rune.Utf16SequenceLength - 1;
        }

        return bytes <= SegmentBytes && !IsDevice(segment);
    }

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate);

    /// <summary>The names that are devices on Windows in every folder, whatever extension follows.</summary>
    private static bool IsDevice(string segment)
    {
        int dot = segment.IndexOf('.', StringComparison.Ordinal);
        string stem = (dot < 0 ? segment : segment[..dot]).TrimEnd().ToUpperInvariant();
        return stem is "CON" or "PRN" or "AUX" or "NUL" or "CONIN$" or "CONOUT$"
            || (stem.Length == 4 && (stem.StartsWith("COM", StringComparison.Ordinal) || stem.StartsWith("LPT", StringComparison.Ordinal))
                && (char.IsAsciiDigit(stem[3]) || stem[3] is '¹' or '²' or '³'));
    }
}
