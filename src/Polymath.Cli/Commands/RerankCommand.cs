using System.CommandLine;
using System.Globalization;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Orders documents by how well they fit a query.</summary>
internal sealed class RerankCommand : CliCommand
{
    private const int Group = 256;            // documents whose vectors are in memory at a time
    private const int ShownCharacters = 100;  // of a document, to a person

    private readonly Argument<string> _model = Declare.Required("MODEL", $"{ModelArgument.Forms}. One that ranks, or one that embeds.");
    private readonly Argument<string> _query = Declare.Required("QUERY", "What is sought.");
    private readonly TextList _documents = new("DOCUMENT", "document");
    private readonly Option<string?> _queryPrefix = Declare.Text(
        ["--query-prefix"], "TEXT", "Put this before the query, for a model that embeds (default: its prompt for queries, if any)");
    private readonly Option<string?> _documentPrefix = Declare.Text(
        ["--document-prefix"], "TEXT", "Put this before each document, for a model that embeds (default: its prompt for documents, if any)");
    private readonly EncoderOptions _encoder = new();
    private readonly Option<int> _top = Declare.Integer(["--top", "-n"], "N", "Print the best N alone", 0, least: 1, shown: "all");
    private readonly Option<bool> _json = Declare.Switch(
        "--json", "One JSON object: query, method, results; each of these has rank (from 1), index (from 0), score and text.");

    public RerankCommand()
        : base("rerank", "Order documents by how well they fit a query.")
    {
        Add(_model);
        Add(_query);
        Add(_documents.Argument);
        AddGroup("Texts", _documents.Files, _documents.Field, _queryPrefix, _documentPrefix, _encoder.Cut);
        AddGroup("Output", _top, _json);
        AddGroup("Computing", _encoder.Pooling, _encoder.Threads);
        Notes =
        [
            "A model with a ranking head reads query and document together, and the score is what it gives. A model that embeds reads "
            + "each alone, and the score is the cosine of their vectors. Documents of the same score keep their order.",
        ];
        AddExample("polymath rerank model.gguf \"how do cats purr?\" --file passages.txt --top 5", "The five best lines of a file.");
        AddExample("polymath rerank model.gguf \"how do cats purr?\" --jsonl body --json < articles.jsonl", "For a program.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string query = parse.GetValue(_query)!;
        if (string.IsNullOrWhiteSpace(query))
            throw new UsageException("the query is empty");
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        List<string> documents = _documents.Read(parse, Name, terminal);
        using TextEncoder encoder = Sessions.LoadEncoder(path, _encoder.Read(parse), terminal);
        double[] scores = encoder.CanRank ? Ranked(parse, encoder, query, documents, terminal) : Near(parse, encoder, query, documents, terminal);
        int[] order = [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i])];
        if (parse.GetValue(_top) is > 0 and var top)
            order = order[..Math.Min(top, order.Length)];
        if (parse.GetValue(_json))
            WriteJson(encoder, query, documents, scores, order, terminal);
        else
            WriteTable(documents, scores, order, terminal);
        return ExitCode.Success;
    }

    /// <summary>What the ranking head says of each pair.</summary>
    private double[] Ranked(ParseResult parse, TextEncoder encoder, string query, List<string> documents, Terminal terminal)
    {
        foreach (Option option in new Option[] { _queryPrefix, _documentPrefix, _encoder.Pooling })
        {
            if (parse.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} is for models that embed; this one has a ranking head");
        }

        if (encoder.Labels.Count > 2)
            throw new InvalidOperationException($"{encoder.Source.Path}: this model tells {encoder.Labels.Count} kinds of text apart ({string.Join(", ", encoder.Labels)}); it does not rank");
        int[][] pairs = EncoderOptions.Encode(documents, "document", document => encoder.EncodePair(query, document), terminal);
        var scores = new double[pairs.Length];
        for (int from = 0; from < pairs.Length; from += Group)
        {
            float[] some = encoder.Rank(pairs[from..Math.Min(pairs.Length, from + Group)], terminal.Cancellation);
            for (int i = 0; i < some.Length; i++)
                scores[from + i] = some[i];
        }

        return scores;
    }

    /// <summary>The cosine of each document's vector and the query's.</summary>
    private double[] Near(ParseResult parse, TextEncoder encoder, string query, List<string> documents, Terminal terminal)
    {
        _encoder.RequireVectors(parse, encoder);
        string beforeQuery = parse.GetValue(_queryPrefix) ?? encoder.Prompts.Query, before = parse.GetValue(_documentPrefix) ?? encoder.Prompts.Document;
        int[][] asked = EncoderOptions.Encode([query], "query", text => encoder.Encode(beforeQuery + text), terminal);
        int[][] ids = EncoderOptions.Encode(documents, "document", text => encoder.Encode(before + text), terminal);
        float[] wanted = encoder.Embed(asked, terminal.Cancellation)[0];
        var scores = new double[ids.Length];
        for (int from = 0; from < ids.Length; from += Group)
        {
            float[][] some = encoder.Embed(ids[from..Math.Min(ids.Length, from + Group)], terminal.Cancellation);
            for (int i = 0; i < some.Length; i++)
                scores[from + i] = Cosine.Of(wanted, some[i]);
        }

        return scores;
    }

    private static void WriteTable(List<string> documents, double[] scores, int[] order, Terminal terminal)
    {
        for (int rank = 0; rank < order.Length; rank++)
        {
            string text = documents[order[rank]];
            string shown = terminal.OutputIsTerminal ? Printable.Abbreviate(text, ShownCharacters) : Printable.Escape(text);
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rank + 1,4}  {scores[order[rank]],9:0.0000}  {shown}"));
        }
    }

    private static void WriteJson(TextEncoder encoder, string query, List<string> documents, double[] scores, int[] order, Terminal terminal) =>
        Json.WriteObject(terminal, indented: false, writer =>
        {
            writer.WriteString("query", query);
            writer.WriteString("method", encoder.CanRank ? "ranking head" : "cosine");
            writer.WriteStartArray("results");
            for (int rank = 0; rank < order.Length; rank++)
            {
                writer.WriteStartObject();
                writer.WriteNumber("rank", rank + 1);
                writer.WriteNumber("index", order[rank]);
                writer.WriteNumber("score", (float)scores[order[rank]]);
                writer.WriteString("text", documents[order[rank]]);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
}
