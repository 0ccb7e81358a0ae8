namespace Polymath.Cli.Tasks;

/// <summary>A text that a task works on.</summary>
/// <param name="Name">Its file as given, or "standard input".</param>
/// <param name="Text">What it says; data, never instructions.</param>
internal sealed record Document(string Name, string Text)
{
    private const int MostBytes = 64 << 20;

    /// <summary>Reads the files, or standard input where none is named or one is called -.</summary>
    /// <exception cref="UsageException">Nothing is given and a person is at the keyboard.</exception>
    /// <exception cref="InvalidDataException">A text is empty or too long.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IReadOnlyList<Document> ReadAll(IReadOnlyList<string> files, Terminal terminal)
    {
        if (files.Count == 0 && terminal.InputIsTerminal)
            throw new UsageException("no text: name a file, or give one on standard input");
        string[] names = files.Count == 0 ? ["-"] : [.. files];
        return [.. names.Select(name => Read(name, terminal))];
    }

    /// <summary>Its paragraphs: stretches of lines without an empty one, each with the number of its first line.</summary>
    public IEnumerable<Passage> Paragraphs()
    {
        string[] lines = Text.Split('\n');
        for (int from = 0; from < lines.Length;)
        {
            if (string.IsNullOrWhiteSpace(lines[from]))
            {
                from++;
                continue;
            }

            int end = from;
            while (end < lines.Length && !string.IsNullOrWhiteSpace(lines[end]))
                end++;
            yield return new Passage(Name, from + 1, string.Join('\n', lines[from..end].Select(line => line.TrimEnd('\r'))));
            from = end;
        }
    }

    private static Document Read(string name, Terminal terminal)
    {
        string text = name == "-"
            ? TextInput.ReadAll(terminal.Input, "standard input", terminal.Cancellation, MostBytes)
            : TextInput.ReadFile(name, terminal.Cancellation, MostBytes);
        string shown = name == "-" ? "standard input" : name;
        return string.IsNullOrWhiteSpace(text) ? throw new InvalidDataException($"{shown}: there is no text in it") : new Document(shown, text);
    }
}

/// <summary>A part of a document.</summary>
/// <param name="Document">Name of the document.</param>
/// <param name="Line">Number of its first line, from 1.</param>
/// <param name="Text">What it says.</param>
internal sealed record Passage(string Document, int Line, string Text)
{
    /// <summary>
    /// The passages in pieces of at most <paramref name="most"/> tokens each: neighbours of one document joined as long as
    /// they fit, one that is too long cut at a line, else at a word, else anywhere.
    /// </summary>
    public static List<Passage> Pack(IEnumerable<Passage> passages, int most, Func<string, int> count)
    {
        var packed = new List<Passage>();
        int used = 0;
        foreach (Passage passage in passages.SelectMany(p => p.Cut(most, count)))
        {
            int tokens = count(passage.Text) + 1;
            if (packed.Count > 0 && packed[^1].Document == passage.Document && used + tokens <= most)
            {
                packed[^1] = packed[^1] with { Text = packed[^1].Text + "\n\n" + passage.Text };
                used += tokens;
            }
            else
            {
                packed.Add(passage);
                used = tokens;
            }
        }

        return packed;
    }

    private IEnumerable<Passage> Cut(int most, Func<string, int> count)
    {
        string rest = Text;
        int line = Line;
        while (count(rest) > most)
        {
            int length = LongestFitting(rest, most, count);
            int at = rest.LastIndexOf('\n', length - 1);
            at = at > 0 ? at : rest.LastIndexOf(' ', length - 1);
            at = at > 0 ? at : char.IsHighSurrogate(rest[length - 1]) && length > 1 ? length - 1 : length;
            yield return this with { Line = line, Text = rest[..at] };
            line += rest.AsSpan(0, at).Count('\n') + (at < rest.Length && rest[at] == '\n' ? 1 : 0);
            rest = rest[at..].TrimStart('\n', ' ');
        }

        if (rest.Length > 0)
            yield return this with { Line = line, Text = rest };
    }

    private static int LongestFitting(string text, int most, Func<string, int> count)
    {
        int low = 1, high = text.Length;
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            if (count(text[..middle]) <= most)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }
}
