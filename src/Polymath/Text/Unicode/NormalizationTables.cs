using System.Globalization;
using System.Reflection;

namespace Polymath.Text.Unicode;

/// <summary>
/// Combining classes, decompositions and compositions, read from normalization.txt, which tools/reference/normalization.mjs
/// writes and describes.
/// </summary>
internal sealed class NormalizationTables
{
    private static readonly Lazy<NormalizationTables> Lazy = new(() => new NormalizationTables());

    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int First, int Second), int> _pairs = [];
    private readonly byte[] _changes = new byte[0x10000]; // a bit for each form in which the char may change

    private NormalizationTables()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("normalization.txt")!;
        using var reader = new StreamReader(stream);
        ReadClasses(reader.ReadLine()!);
        ReadCompositions(ReadDecompositions(reader.ReadLine()!, _canonical));
        ReadDecompositions(reader.ReadLine()!, _compatible);
        MarkChanges();
    }

    /// <summary>The tables, read once.</summary>
    public static NormalizationTables Instance => Lazy.Value;

    /// <summary>True when no character of the text can change in the form.</summary>
    public bool IsPlain(string text, UnicodeForm form)
    {
        int bit = 1 << (int)form;
        foreach (char c in text)
        {
            if ((_changes[c] & bit) != 0)
                return false;
        }

        return true;
    }

    /// <summary>0 for a starter; else a number that orders marks as the canonical combining class does.</summary>
    public int Class(int scalar) => scalar < 0x300 ? 0 : _classes.GetValueOrDefault(scalar);

    /// <summary>The full decomposition; empty for a scalar that has none. Hangul syllables go by rule elsewhere.</summary>
    public ReadOnlySpan<int> Decompose(int scalar, bool compatible) =>
        compatible && _compatible.TryGetValue(scalar, out int[]? parts) ? parts
        : _canonical.TryGetValue(scalar, out parts) ? parts
        : [];

    /// <summary>What the two compose to, or 0.</summary>
    public int Compose(int first, int second) => _pairs.GetValueOrDefault((first, second));

    private void ReadClasses(string line)
    {
        int at = 0;
        foreach (string entry in line.Split(' '))
        {
            int[] numbers = Numbers(entry);
            int start = at + numbers[0];
            at = start + numbers[1];
            for (int scalar = start; scalar <= at; scalar++)
                _classes[scalar] = (byte)numbers[2];
        }
    }

    /// <summary>Reads a line; returns the scalars that compose again.</summary>
    private static List<int> ReadDecompositions(string line, Dictionary<int, int[]> to)
    {
        var composing = new List<int>();
        int scalar = 0;
        foreach (string entry in line.Split(' '))
        {
            bool excluded = entry[0] == '!';
            int[] numbers = Numbers(excluded ? entry[1..] : entry);
            scalar += numbers[0];
            to[scalar] = numbers[1..];
            if (!excluded)
                composing.Add(scalar);
        }

        return composing;
    }

    /// <summary>The last part of a decomposition joins what the parts before it compose to.</summary>
    private void ReadCompositions(List<int> composing)
    {
        foreach (int scalar in composing.OrderBy(scalar => _canonical[scalar].Length))
        {
            int[] parts = _canonical[scalar];
            int first = parts[0];
            foreach (int part in parts[1..^1])
                first = Compose(first, part);
            _pairs[(first, parts[^1])] = scalar;
        }
    }

    private void MarkChanges()
    {
        const int C = 1 << (int)UnicodeForm.C, D = 1 << (int)UnicodeForm.D, KC = 1 << (int)UnicodeForm.KC, KD = 1 << (int)UnicodeForm.KD;
        void Mark(int scalar, int bits)
        {
            if (scalar < 0x10000)
                _changes[scalar] |= (byte)bits;
        }

        foreach (int scalar in _classes.Keys)
            Mark(scalar, C | D | KC | KD);
        foreach (int scalar in _canonical.Keys)
            Mark(scalar, D | KD | KC | C);
        foreach (int scalar in _pairs.Values)
            _changes[scalar < 0x10000 ? scalar : 0] &= unchecked((byte)~(C | KC)); // composed already
        foreach (int scalar in _compatible.Keys)
            Mark(scalar, KC | KD);
        foreach ((_, int second) in _pairs.Keys)
            Mark(second, C | KC);
        for (int scalar = 0xAC00; scalar <= 0xD7A3; scalar++)
            Mark(scalar, D | KD);
        for (int scalar = 0x1161; scalar <= 0x11C2; scalar++)
            Mark(scalar, C | KC);
        for (int scalar = 0xD800; scalar <= 0xDFFF; scalar++)
            Mark(scalar, C | D | KC | KD); // half of a scalar that may change
    }

    private static int[] Numbers(string entry) => Array.ConvertAll(entry.Split(','), FromBase36);

    private static int FromBase36(string digits)
    {
        int value = 0;
        foreach (char digit in digits)
            value = (value * 36) + (char.IsAsciiDigit(digit) ? digit - '0' : char.ToLower(digit, CultureInfo.InvariantCulture) - 'a' + 10);
        return value;
    }
}
