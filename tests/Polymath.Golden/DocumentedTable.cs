using Xunit;

namespace Polymath.Golden;

/// <summary>The tables in docs/ that the tests make: written when POLYMATH_UPDATE_DOCS is 1, checked otherwise.</summary>
internal static class DocumentedTable
{
    /// <summary>Writes the table of differences, or checks that it lists exactly <paramref name="names"/>.</summary>
    /// <param name="table">What its begin and end marks in docs/architectures.md call it.</param>
    /// <param name="names">The tiny models, in order.</param>
    /// <param name="measure">Largest difference and tolerance of a model.</param>
    public static void Check(string table, IReadOnlyList<string> names, Func<string, (float Difference, float Tolerance)> measure)
    {
        string? listed = Update("architectures.md", table, () => Text("tiny model | loads | largest difference | tolerance", names.Select(name =>
        {
            (float difference, float tolerance) = measure(name);
            return FormattableString.Invariant($"{name} | yes | {difference:0.0E+0} | {tolerance:0E+0}");
        })));
        if (listed is not null)
            Assert.Equal(names, listed.Split('\n').Skip(2).Where(line => line.Length > 0).Select(line => line.Split('|')[1].Trim()));
    }

    /// <summary>Writes a table, or checks that every character of it is there.</summary>
    /// <param name="file">A file in docs/.</param>
    /// <param name="table">What its begin and end marks call it.</param>
    /// <param name="head">The titles of the columns, with bars between them.</param>
    /// <param name="rows">The rows, likewise.</param>
    public static void CheckAll(string file, string table, string head, IEnumerable<string> rows)
    {
        string expected = Text(head, rows);
        if (Update(file, table, () => expected) is { } found)
            Assert.Equal(expected, found);
    }

    private static string Text(string head, IEnumerable<string> rows) =>
        $"| {head} |\n|{string.Concat(head.Split('|').Select(_ => "---|"))}\n" + string.Concat(rows.Select(row => $"| {row} |\n"));

    /// <summary>Writes what is between the marks and returns null, or returns what is there.</summary>
    private static string? Update(string file, string table, Func<string> make)
    {
        string path = Path.Combine(Shared.ProjectRoot, "docs", file);
        string begin = $"<!-- {table}: begin -->\n", end = $"<!-- {table}: end -->";
        string text = File.ReadAllText(path);
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length, to = text.IndexOf(end, StringComparison.Ordinal);
        Assert.InRange(from, begin.Length, to);
        if (Environment.GetEnvironmentVariable("POLYMATH_UPDATE_DOCS") != "1")
            return text[from..to];
        File.WriteAllText(path, text[..from] + make() + text[to..]);
        return null;
    }
}
