using System.CommandLine;
using System.Diagnostics;
using Polymath.Files;
using Polymath.Models;
using Polymath.Text;

namespace Polymath.Cli.Commands;

/// <summary>Measures how much each column of a model's matrices matters, for <see cref="QuantizeCommand"/>.</summary>
internal sealed class ImatrixCommand : CliCommand
{
    private const int DefaultContext = 512;
    private const int LeastChunks = 2;   // of text, as llama-imatrix wants it
    private const string DefaultOutput = "imatrix.gguf", StandardInput = "standard input";

    private readonly Argument<string> _model = Declare.Required("MODEL", $"{ModelArgument.Forms}.");
    private readonly Argument<string> _file = Declare.Required("FILE", "Text in UTF-8, gzipped or not; - for standard input.");
    private readonly Option<string?> _output = Declare.Text(
        ["--output", "-o"], "OUT", $"File to write; replaced whole or not at all (default: {DefaultOutput})");
    private readonly Option<int> _context = Declare.Integer(
        ["--context", "-c"], "N", "Tokens in a chunk", 0, shown: $"{DefaultContext}, or less if the model was trained on less");
    private readonly Option<int> _chunks = Declare.Integer(["--chunks"], "N", "Take only the first N chunks; -1 for all", -1, least: -1);
    private readonly Option<bool> _processOutput = Declare.Switch("--process-output", "Measure the output head too, where it is a tensor of its own.");
    private readonly Option<bool> _parseSpecial = Declare.Switch("--parse-special", "Read special tokens written in the text as such.");
    private readonly CacheOptions _cache = new();
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    public ImatrixCommand()
        : base("imatrix", "Measure which columns of a model's matrices matter, for quantize.")
    {
        Add(_model);
        Add(_file);
        AddGroup("Options", _output, _context, _chunks, _processOutput, _parseSpecial, _cache.Keys, _cache.Values, _threads);
        Notes =
        [
            "As llama-imatrix does it: the text is cut into chunks of N tokens, each starts with the begin token where the model "
            + "has one, and for each matrix the squares of its inputs are summed up, expert by expert. Take text of the kind the "
            + "model is for, and the model in its best precision.",
        ];
        AddExample("polymath imatrix model.gguf text.txt.gz -o model.imatrix --chunks 200", "From the first 200 chunks of a longer text.");
        AddExample("polymath quantize model.gguf small.gguf Q3_K_M --imatrix model.imatrix", "What it is for.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal), file = parse.GetValue(_file)!;
        string output = parse.GetValue(_output) ?? DefaultOutput;
        if (OutputFile.IsSame(path, output))
            throw new UsageException("OUT is the model");
        if (file != "-" && OutputFile.IsSame(file, output))
            throw new UsageException("OUT is the text");
        OutputFile.Check(output);
        if (parse.GetValue(_chunks) == 0)
            throw new UsageException("--chunks takes a number from 1 on, or -1 for all");
        int context = 0;
        using Model model = Sessions.Load(
            path, parse.GetValue(_threads),
            settings => _cache.Read(parse) with
            {
                ContextLength = context = parse.GetValue(_context) is > 0 and var asked ? asked : Math.Min(DefaultContext, settings.ContextLength),
            },
            terminal);
        if (context < 2)
            throw new UsageException($"a chunk needs at least 2 tokens, not {context}");
        int[] ids = Read(file, model.Tokenizer, parse.GetValue(_parseSpecial), terminal);
        int chunks = ids.Length / context;
        if (chunks < LeastChunks)
            throw new InvalidDataException($"{file}: {ids.Length} tokens are less than {LeastChunks} chunks of {context}; see -c");
        if (parse.GetValue(_chunks) is > 0 and var most)
            chunks = Math.Min(chunks, most);

        using Session session = Sessions.Open(model, _cache.Read(parse) with { ContextLength = context });
        var collector = new ImportanceCollector(session, parse.GetValue(_processOutput));
        Run(collector, ids, chunks, context, model.Tokenizer, terminal);
        ImportanceMatrix matrix = collector.ToMatrix(file == "-" ? StandardInput : Path.GetFileName(file));
        matrix.Write(output);
        WriteSummary(matrix, output, terminal);
        return ExitCode.Success;
    }

    private static int[] Read(string file, Tokenizer tokenizer, bool parseSpecial, Terminal terminal)
    {
        ReadOnlySpan<char> text = file == "-"
            ? TextInput.ReadAll(terminal.Input, StandardInput, terminal.Cancellation)
            : TextInput.ReadFile(file, terminal.Cancellation);
        if (text.EndsWith('\n'))
            text = text[..^1];   // the end of the last line, which llama.cpp does not count as text
        return tokenizer.Encode(text, parseSpecial: parseSpecial);
    }

    /// <summary>The chunks through the model. The first token of each is replaced by the begin token where texts start with one.</summary>
    private static void Run(ImportanceCollector collector, int[] ids, int chunks, int context, Tokenizer tokenizer, Terminal terminal)
    {
        var line = new StatusLine(terminal);
        var watch = Stopwatch.StartNew();
        try
        {
            for (int i = 0; i < chunks; i++)
            {
                Span<int> chunk = ids.AsSpan(i * context, context);
                if (tokenizer.AddsBegin && tokenizer.BeginId is { } begin)
                    chunk[0] = begin;
                collector.Add(chunk, terminal.Cancellation);
                if (terminal.ErrorIsTerminal)
                {
                    TimeSpan left = watch.Elapsed / (i + 1) * (chunks - i - 1);
                    line.Draw($"{StatusLine.Bar(i + 1, chunks)} chunk {Figures.Count(i + 1)} of {Figures.Count(chunks)}  {StatusLine.Left(left)} left");
                }
            }
        }
        finally
        {
            line.Clear();
        }
    }

    private static void WriteSummary(ImportanceMatrix matrix, string output, Terminal terminal)
    {
        int experts = matrix.Entries.Values.Where(e => e.Counts.Length > 1).Sum(e => e.Counts.Length);
        int unseen = matrix.Entries.Values.Sum(e => e.Counts.Count(count => count == 0));
        if (unseen > 0)
            terminal.Error.WriteLine($"polymath: {Figures.Count(unseen)} of {Figures.Count(experts)} matrices of experts saw no token; more text would reach them");
        terminal.Out.WriteLine(
            $"{output}: {Figures.Count(matrix.Entries.Count)} tensors, {Figures.Count(matrix.Chunks)} chunks of {Figures.Count(matrix.ChunkLength)} tokens");
    }
}
