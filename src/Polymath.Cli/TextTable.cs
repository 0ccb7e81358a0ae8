namespace Polymath.Cli;

/// <summary>Rows of text in columns as wide as their widest cell.</summary>
internal sealed class TextTable(params string[] heads)
{
    private readonly List<string[]> _rows = [heads];

    /// <summary>Adds a row with a cell for each head.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes the table as Markdown, numbers (columns from <paramref name="firstRight"/> on) to the right.</summary>
    public void WriteMarkdown(TextWriter output, int firstRight)
    {
        int[] widths = Widths();
        WriteRow(output, _rows[0], widths, firstRight, "| ", " | ", " |");
        string[] rule = [.. widths.Select((w, i) => i < firstRight ? new string('-', w) : new string('-', w - 1) + ":")];
        WriteRow(output, rule, widths, firstRight, "| ", " | ", " |");
        foreach (string[] row in _rows.Skip(1))
            WriteRow(output, row, widths, firstRight, "| ", " | ", " |");
    }

    /// <summary>Writes the rows without the head, indented, with spaces between the columns.</summary>
    public void WritePlain(TextWriter output, int firstRight)
    {
        int[] widths = Widths();
        foreach (string[] row in _rows.Skip(1))
            WriteRow(output, row, widths, firstRight, "  ", "  ", "");
    }

    private int[] Widths() => [.. Enumerable.Range(0, heads.Length).Select(i => _rows.Max(r => r[i].Length))];

    private static void WriteRow(TextWriter output, string[] cells, int[] widths, int firstRight, string start, string between, string end)
    {
        IEnumerable<string> padded = cells.Select((c, i) => i < firstRight ? c.PadRight(widths[i]) : c.PadLeft(widths[i]));
        output.WriteLine((start + string.Join(between, padded) + end).TrimEnd());
    }
}
