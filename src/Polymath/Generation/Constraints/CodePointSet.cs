using System.Globalization;

namespace Polymath.Generation.Constraints;

/// <summary>A set of Unicode scalar values, as sorted ranges that do not touch. Surrogates are never in it.</summary>
internal sealed class CodePointSet
{
    private const int Last = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    private static readonly Lazy<CodePointSet[]> s_categories = new(ReadCategories);

    private CodePointSet(List<(int First, int Last)> ranges) => Ranges = ranges;

    /// <summary>No character.</summary>
    public static CodePointSet None { get; } = new([]);

    /// <summary>Every character.</summary>
    public static CodePointSet All { get; } = None.Not();

    /// <summary>The ranges, ends included.</summary>
    public IReadOnlyList<(int First, int Last)> Ranges { get; }

    /// <summary>True when there is no character in it.</summary>
    public bool IsEmpty => Ranges.Count == 0;

    /// <summary>The characters of some ranges, ends included, in any order.</summary>
    public static CodePointSet Of(params ReadOnlySpan<(int First, int Last)> ranges)
    {
        var sorted = new List<(int First, int Last)>(ranges.Length);
        foreach ((int first, int last) in ranges)
            sorted.Add((first, last));
        sorted.Sort();
        var merged = new List<(int First, int Last)>(sorted.Count);
        foreach ((int first, int last) in sorted)
        {
            AddWithoutSurrogates(merged, first, Math.Min(last, FirstSurrogate - 1));
            AddWithoutSurrogates(merged, Math.Max(first, LastSurrogate + 1), Math.Min(last, Last));
        }

        merged.Sort();
        return new CodePointSet(Merge(merged));
    }

    /// <summary>One character.</summary>
    public static CodePointSet Of(int character) => Of((character, character));

    /// <summary>The characters of a general category, such as "Lu", or of a group of them, such as "L"; null for no such name.</summary>
    public static CodePointSet? OfCategory(string name)
    {
        CodePointSet result = None;
        bool known = false;
        for (int i = 0; i < CategoryNames.Length; i++)
        {
            if (!CategoryNames[i].StartsWith(name, StringComparison.Ordinal) || name.Length is 0 or > 2)
                continue;
            known = true;
            result = result.Or(s_categories.Value[i]);
        }

        return known ? result : null;
    }

    /// <summary>Characters of either.</summary>
    public CodePointSet Or(CodePointSet other) => Of([.. Ranges, .. other.Ranges]);

    /// <summary>Characters of this one that are not of the other.</summary>
    public CodePointSet Except(CodePointSet other) => Not().Or(other).Not();

    /// <summary>Characters of both.</summary>
    public CodePointSet And(CodePointSet other) => Not().Or(other.Not()).Not();

    /// <summary>All other characters.</summary>
    public CodePointSet Not()
    {
        var ranges = new List<(int First, int Last)>(Ranges.Count + 2);
        int next = 0;
        foreach ((int first, int last) in Ranges)
        {
            if (first > next)
                ranges.Add((next, first - 1));
            next = last + 1;
        }

        if (next <= Last)
            ranges.Add((next, Last));
        return Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ranges));
    }

    /// <summary>True for a character of the set.</summary>
    public bool Contains(int character)
    {
        foreach ((int first, int last) in Ranges)
        {
            if (character <= last)
                return character >= first;
        }

        return false;
    }

    private static ReadOnlySpan<string> CategoryNames => new[]
    {
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd",
        "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    };

    private static CodePointSet[] ReadCategories()
    {
        var ranges = new List<(int First, int Last)>[CategoryNames.Length];
        for (int i = 0; i < ranges.Length; i++)
            ranges[i] = [];
        for (int c = 0; c <= Last; c++)
        {
            if (c == FirstSurrogate)
                c = LastSurrogate + 1;
            AddTouching(ranges[(int)CharUnicodeInfo.GetUnicodeCategory(c)], c, c);
        }

        return Array.ConvertAll(ranges, of => new CodePointSet(of));
    }

    private static void AddWithoutSurrogates(List<(int First, int Last)> ranges, int first, int last)
    {
        if (first <= last)
            ranges.Add((first, last));
    }

    private static List<(int First, int Last)> Merge(List<(int First, int Last)> sorted)
    {
        var merged = new List<(int First, int Last)>(sorted.Count);
        foreach ((int first, int last) in sorted)
            AddTouching(merged, first, last);
        return merged;
    }

    private static void AddTouching(List<(int First, int Last)> ranges, int first, int last)
    {
        if (ranges.Count > 0 && first <= ranges[^1].Last + 1)
            ranges[^1] = (ranges[^1].First, Math.Max(ranges[^1].Last, last));
        else
            ranges.Add((first, last));
    }
}
