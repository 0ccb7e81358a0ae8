using Xunit;

namespace Polymath.Golden.Models;

/// <summary>The tables of docs/architectures.md: written when POLYMATH_UPDATE_DOCS is 1, checked otherwise.</summary>
internal static class DocumentedTable
{
    /// <summary>Writes the table, or checks that it lists exactly <paramref name="names"/>.</summary>
    /// <param name="table">What its begin and end marks call it.</param>
    /// <param name="names">The tiny models, in order.</param>
    /// <param name="measure">Largest difference and tolerance of a model.</param>
    public static void Check(string table, IReadOnlyList<string> names, Func<string, (float Difference, float Tolerance)> measure)
    {
        string path = Path.Combine(Shared.ProjectRoot, "docs", "architectures.md");
        string begin = $"<!-- {table}: begin -->\n", end = $"<!-- {table}: end -->";
        string text = File.ReadAllText(path);
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length, to = text.IndexOf(end, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("POLYMATH_UPDATE_DOCS") == "1")
        {
            IEnumerable<string> rows = names.Select(name =>
            {
                (float difference, float tolerance) = measure(name);
                return FormattableString.Invariant($"| {name} | yes | {difference:0.0E+0} | {tolerance:0E+0} |\n");
            });
            string body = "| tiny model | loads | largest difference | tolerance |\n|---|---|---|---|\n" + string.Concat(rows);
            File.WriteAllText(path, text[..from] + body + text[to..]);
            return;
        }

        IEnumerable<string> listed = text[from..to].Split('\n').Skip(2).Where(line => line.Length > 0).Select(line => line.Split('|')[1].Trim());
        Assert.Equal(names, listed);
    }
}
