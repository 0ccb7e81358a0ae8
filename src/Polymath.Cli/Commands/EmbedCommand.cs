using System.CommandLine;
using System.Globalization;
using Polymath.Files;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Turns texts into vectors.</summary>
internal sealed class EmbedCommand : CliCommand
{
    private const int Group = 256;            // texts whose vectors are in memory at a time
    private const int MostSimilar = 256;      // texts of a table
    private const int ShownCharacters = 40;

    private readonly Argument<string> _model = Declare.Required("MODEL", $"{ModelArgument.Forms}.");
    private readonly TextList _texts = new("TEXT", "text");
    private readonly Option<string?> _prompt = Declare.Text(
        ["--prompt"], "NAME", "Put the model's prompt of that name before each text (default: the one the model names, if any)");
    private readonly Option<string?> _prefix = Declare.Text(["--prefix"], "TEXT", "Put this before each text instead.");
    private readonly EncoderOptions _encoder = new();
    private readonly Option<bool> _noNormalize = Declare.Switch("--no-normalize", "Leave vectors as long as the model makes them.");
    private readonly Option<int> _dimensions = Declare.Integer(
        ["--dimensions"], "N", "Keep the first N numbers of a vector, for models trained for that", 0, least: 1, shown: "all");
    private readonly Option<VectorFormat?> _format = Declare.Choice(
        "--format", "How vectors are written: jsonl (an object with index and embedding a line), json, csv or npy (default: jsonl)",
        ("jsonl", VectorFormat.JsonLines), ("json", VectorFormat.Json), ("csv", VectorFormat.Csv), ("npy", VectorFormat.Npy));
    private readonly Option<string?> _output = Declare.Text(
        ["--output", "-o"], "OUT", "File to write; replaced whole or not at all (default: standard output)");
    private readonly Option<bool> _similarity = Declare.Switch("--similarity", "Print the cosines between the texts as a table instead.");

    public EmbedCommand()
        : base("embed", "Turn texts into vectors.")
    {
        Add(_model);
        Add(_texts.Argument);
        AddGroup("Texts", _texts.Files, _texts.Field, _prompt, _prefix, _encoder.Cut);
        AddGroup("Vectors", _encoder.Pooling, _noNormalize, _dimensions);
        AddGroup("Output", _format, _output, _similarity);
        AddGroup("Computing", _encoder.Threads);
        Notes = ["A text's vector does not depend on the texts beside it. Vectors come in the order of the texts, counted from 0."];
        AddExample("polymath embed model.gguf \"a cat\" \"a kitten\" \"a lorry\" --similarity", "How near they are to each other.");
        AddExample("polymath embed model.gguf --file lines.txt --format npy -o vectors.npy", "A matrix for NumPy, a row for each line.");
        AddExample("polymath embed model.gguf --jsonl body --prompt document < articles.jsonl", "A field of JSON lines, with the model's prompt.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        VectorFormat format = parse.GetValue(_format) ?? VectorFormat.JsonLines;
        string? output = parse.GetValue(_output);
        CheckUsage(parse, format, output);
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        foreach (string file in (parse.GetValue(_texts.Files) ?? []).Append(path))
        {
            if (output is not null && OutputFile.IsSame(file, output))
                throw new UsageException($"OUT is {(file == path ? "the model" : "a file of texts")}");
        }

        List<string> texts = _texts.Read(parse, Name, terminal);
        if (parse.GetValue(_similarity) && texts.Count > MostSimilar)
            throw new UsageException($"--similarity takes up to {MostSimilar} texts, not {Figures.Count(texts.Count)}");
        TextEncoderOptions options = _encoder.Read(parse) with { Normalize = !parse.GetValue(_noNormalize), Dimensions = parse.GetValue(_dimensions) };
        using TextEncoder encoder = Sessions.LoadEncoder(path, options, terminal);
        _encoder.RequireVectors(parse, encoder);
        string prefix = PrefixOf(parse, encoder);
        int[][] ids = EncoderOptions.Encode(texts, "text", text => encoder.Encode(prefix + text), terminal);
        if (parse.GetValue(_similarity))
            WriteSimilarities(texts, encoder.Embed(ids, terminal.Cancellation), terminal);
        else if (output is not null)
            AtomicFile.Write(output, stream => Write(encoder, ids, stream, format, terminal));
        else
            WriteToOutput(encoder, ids, format, terminal);
        return ExitCode.Success;
    }

    private void CheckUsage(ParseResult parse, VectorFormat format, string? output)
    {
        if (parse.GetValue(_similarity) && (output is not null || parse.GetValue(_format) is not null))
            throw new UsageException("--similarity prints a table; it takes neither --format nor -o");
        if (format == VectorFormat.Npy && output is null)
            throw new UsageException("--format npy needs a file; see -o");
        if (parse.GetValue(_prompt) is not null && parse.GetValue(_prefix) is not null)
            throw new UsageException("--prompt and --prefix exclude each other");
        if (output is not null)
            OutputFile.Check(output);
    }

    private string PrefixOf(ParseResult parse, TextEncoder encoder)
    {
        if (parse.GetValue(_prefix) is { } prefix)
            return prefix;
        EmbeddingPrompts prompts = encoder.Prompts;
        if (parse.GetValue(_prompt) is not { } name)
            return prompts.Default;
        return prompts.Find(name) ?? throw new InvalidOperationException(
            $"{encoder.Source.Path}: {(prompts.Names.Count == 0 ? "the model has no prompts; see --prefix" : $"no prompt \"{name}\"; there are {string.Join(", ", prompts.Names)}")}");
    }

    private static void WriteToOutput(TextEncoder encoder, int[][] ids, VectorFormat format, Terminal terminal)
    {
        terminal.Out.Flush();
        var buffered = new BufferedStream(terminal.Output, 1 << 16);   // not disposed: it would close the output
        Write(encoder, ids, buffered, format, terminal);
        buffered.Flush();
    }

    private static void Write(TextEncoder encoder, int[][] ids, Stream stream, VectorFormat format, Terminal terminal)
    {
        var writer = new VectorWriter(stream, format, ids.Length, encoder.Dimensions);
        for (int from = 0; from < ids.Length; from += Group)
        {
            foreach (float[] vector in encoder.Embed(ids[from..Math.Min(ids.Length, from + Group)], terminal.Cancellation))
                writer.Add(vector);
        }
    }

    private static void WriteSimilarities(List<string> texts, float[][] vectors, Terminal terminal)
    {
        var table = new TextTable(["text", .. Enumerable.Range(1, texts.Count).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
        for (int i = 0; i < vectors.Length; i++)
        {
            string[] cosines = Array.ConvertAll(vectors, other => Cosine.Of(vectors[i], other).ToString("0.0000", CultureInfo.InvariantCulture));
            table.Add([$"{i + 1} {Printable.Abbreviate(texts[i], ShownCharacters)}", .. cosines]);
        }

        table.WriteMarkdown(terminal.Out, firstRight: 1);
    }
}
