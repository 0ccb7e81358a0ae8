using System.CommandLine;
using Polymath.Generation.Constraints;

namespace Polymath.Cli.Chat;

/// <summary>The options that say what an answer must be.</summary>
internal sealed class FormatOptions
{
    private const int MostBytes = 256 << 10;

    private readonly Option<bool> _json = Declare.Switch("--json", "Answer in JSON.");
    private readonly Option<string?> _schema = Declare.Text(["--schema"], "FILE", "Answer in JSON that this JSON schema finds valid.");
    private readonly Option<string?> _regex = Declare.Text(["--regex"], "PATTERN", "Answer in a text that this regular expression matches as a whole.");
    private readonly Option<string?> _grammar = Declare.Text(["--grammar"], "FILE", "Answer in a text of this GBNF grammar.");

    /// <summary>All of them.</summary>
    public Option[] Options => [_json, _schema, _regex, _grammar];

    /// <summary>The grammar of what was asked for; null for any text.</summary>
    /// <exception cref="UsageException">More than one of them.</exception>
    /// <exception cref="ConstraintException">A schema, pattern or grammar that cannot be honoured.</exception>
    public Grammar? Read(ParseResult parse, CancellationToken cancellation)
    {
        string? schema = parse.GetValue(_schema), regex = parse.GetValue(_regex), grammar = parse.GetValue(_grammar);
        int given = (parse.GetValue(_json) ? 1 : 0) + (schema is null ? 0 : 1) + (regex is null ? 0 : 1) + (grammar is null ? 0 : 1);
        if (given > 1)
            throw new UsageException("only one of --json, --schema, --regex and --grammar can be given");
        if (schema is not null)
            return Grammar.JsonSchema(ReadSource(schema, cancellation));
        if (regex is not null)
            return Grammar.Regex(regex);
        if (grammar is not null)
            return Grammar.Gbnf(ReadSource(grammar, cancellation));
        return given == 0 ? null : Grammar.Json();
    }

    /// <summary>The text of a schema or grammar; one longer than can be honoured is not read to its end.</summary>
    public static string ReadSource(string path, CancellationToken cancellation) => TextInput.ReadFile(path, cancellation, MostBytes);
}
