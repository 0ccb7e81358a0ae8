using System.CommandLine;
using System.Text.Json;

namespace Polymath.Cli;

/// <summary>
/// The texts a command is given: as arguments, then those of files, one a line; standard input where there are neither.
/// Instead of a text a line may hold a JSON object with the text in a field.
/// </summary>
internal sealed class TextList
{
    private const string StandardInput = "standard input";

    private readonly string _what;

    /// <param name="argument">What help calls the argument.</param>
    /// <param name="what">What a text is, in messages: "text", "document".</param>
    public TextList(string argument, string what)
    {
        _what = what;
        Argument = Declare.Several(argument, $"A {what} each. Without any, and without --file, standard input is read, a {what} a line.");
        Files = Declare.Texts("--file", "FILE", $"Read more from a file, gzipped or not, a {what} a line; may be given several times.");
    }

    public Argument<string[]> Argument { get; }

    public Option<string[]> Files { get; }

    public Option<string?> Field { get; } = Declare.Text(
        ["--jsonl"], "FIELD", "Each line of the files, or of standard input, is a JSON object with the text in this field.");

    /// <summary>All texts, in the order given; none of them is empty.</summary>
    /// <exception cref="UsageException">There is none, and nothing to read.</exception>
    /// <exception cref="InvalidDataException">A text is empty, or a line is no JSON object with that field.</exception>
    public List<string> Read(ParseResult parse, string command, Terminal terminal)
    {
        string? field = parse.GetValue(Field);
        string[] given = parse.GetValue(Argument) ?? [], files = parse.GetValue(Files) ?? [];
        var texts = new List<string>();
        foreach (string text in given)
            texts.Add(IsBlank(text) ? throw new InvalidDataException($"{_what} {texts.Count + 1} is empty") : text);
        foreach (string file in files)
            AddLines(TextInput.ReadFile(file, terminal.Cancellation), file, field, texts);
        if (given.Length > 0 || files.Length > 0)
        {
            if (field is not null && files.Length == 0)
                throw new UsageException("--jsonl says how --file or standard input is read, and there is neither");
        }
        else if (terminal.InputIsTerminal)
        {
            throw new UsageException($"no {_what}: give it in quotes, with --file, or on standard input; see polymath {command} --help");
        }
        else
        {
            AddLines(TextInput.ReadAll(terminal.Input, StandardInput, terminal.Cancellation), StandardInput, field, texts);
        }

        return texts.Count > 0 ? texts : throw new InvalidDataException($"{(files.Length > 0 ? files[0] : StandardInput)}: there is no {_what} in it");
    }

    private void AddLines(string all, string name, string? field, List<string> texts)
    {
        using var reader = new StringReader(all);
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            string text = field is null ? line : Take(line, field, $"{name}, line {number}");
            texts.Add(IsBlank(text) ? throw new InvalidDataException($"{name}, line {number}: the {_what} is empty") : text);
        }
    }

    private static string Take(string line, string field, string place)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{place}: no JSON object");
            if (!document.RootElement.TryGetProperty(field, out JsonElement value))
                throw new InvalidDataException($"{place}: there is no field \"{field}\"");
            return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new InvalidDataException($"{place}: \"{field}\" is no string");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{place}: no valid JSON", e);   // an unpaired surrogate is the second kind
        }
    }

    private static bool IsBlank(string text) => string.IsNullOrWhiteSpace(text);
}
